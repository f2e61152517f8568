"""The demo's month of rounds: there once, cheap, and as the rules judge it."""

from __future__ import annotations

from pathlib import Path

from backend.identity.resolving import principal_of
from backend.plugin_api import DemoArea, DemoDistrict
from backend.rollups.recompute import recompute_dirty
from backend.storage import database
from plugins.alerts.patrol import demo
from tests.district import POINT, District
from tests.patrol.conftest import C1


def test_a_month_is_walked_once(district: District, tmp_path: Path) -> None:
    administrator = district.sign_in("administrator", "")
    district.furnish(administrator)
    for number in (1, 2):
        administrator.add("drop-off-points", **{**POINT, "code": f"T{number:04d}"})
    told: list[str] = []
    ground = DemoDistrict(
        seed=1,
        areas=[DemoArea(path=C1, name="阳光花园", level="compound", boundary=())],
        by=principal_of(administrator.user.id),
        data_dir=tmp_path,
        tell=told.append,
    )
    for _ in range(2):
        demo.load_patrols(ground)
    assert told[0] == told[1] and told[0].startswith("巡检计划：1，")
    rows = list(database()["patrol_rounds"].find())
    past = [row for row in rows if row["state"] not in ("planned", "under_way")]
    assert 60 <= len(past) <= 62 and 2 <= len(rows) - len(past) <= 4
    states = [row["state"] for row in past]
    assert states.count("finished") > 45 and states.count("missed") >= 1
    assert all(row["done"] == sum(bool(stop.get("check_in")) for stop in row["stops"]) for row in rows)
    checked = database()["patrol_check_ins"]
    assert checked.count_documents({}) == sum(row["done"] for row in past)
    assert checked.count_documents({"outcome": "refused"}) == 0
    recompute_dirty()
    today = administrator.call("GET", "/alerts/patrol/rounds")
    assert today.status_code == 200 and "今日应巡" in today.text

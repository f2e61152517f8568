"""The cockpit shows where points were lost and for what, and the charges behind; the demo is made once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.demo.making import founder
from backend.plugin_api import DemoArea, DemoDistrict, View, installed_registry
from backend.plugin_api.periods import this_period
from backend.rollups import recompute_dirty
from backend.storage import database, utcnow
from plugins.ranking import demo
from plugins.ranking.demo import load_assessments
from plugins.ranking.ledger.hearing import hear
from tests.district import DISTRICT, EAST, EAST_ONE
from tests.ranking.conftest import HOME, Ground, case, finding, months, summed

SCOPE = {"area": {"$gte": DISTRICT, "$lt": f"{DISTRICT}0"}}


def panel(name: str) -> Any:
    """Return a panel of this module."""
    return next(each for each in installed_registry().panels if each.name == f"ranking.{name}")


def test_panels_agree_with_the_ledger_and_lead_to_the_charges(ground: Ground) -> None:
    hear(case())
    hear(case())
    hear(finding(points=1.5))
    hear(case(at=utcnow() - timedelta(days=800)))
    taken = case()
    hear(taken)
    hear(case("rejected", at=utcnow() + timedelta(seconds=1), case=taken.payload["case"]))
    recompute_dirty()
    view = View(area=DISTRICT, scope=SCOPE, period=this_period("year"))
    figures = {each.label: each.value for each in panel("headline").show(view).items}
    assert figures == {"扣分": 3.5, "计分项": 3, "被扣分小区": 1, "申诉待裁决": 0}
    areas = panel("by_area").show(view)
    assert (areas.labels, areas.series["扣分"].tolist(), areas.keys) == (["东街道"], [3.5], [EAST])
    rules = panel("by_rule").show(view)
    assert (rules.keys, rules.series["次数"].tolist()) == (["Q01", "X01"], [2, 1])
    assert panel("over_time").show(view).series["扣分"].sum() == 3.5
    behind = panel("by_rule").rows(view, "X01")
    assert [row.texts[1:] for row in behind.rows] == [("阳光花园", "巡检发现问题", "-1.5")] and not behind.more
    assert len(panel("by_area").rows(view, EAST).rows) == 3 and not panel("by_area").rows(view, "33/332").rows
    assert not panel("headline").rows(View(area=DISTRICT, scope={"_id": {"$in": []}}), "").rows


def test_the_demo_is_made_once_by_what_people_do(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "COUNT", 20)
    areas = [DemoArea(EAST_ONE, "一社区", "community", ()), DemoArea(HOME, "阳光花园", "compound", ())]
    district = DemoDistrict(seed=7, areas=areas, by=founder(), data_dir=tmp_path, tell=lambda _: None)
    load_assessments(district)
    made = len(ground.entries())
    appeals = {row["state"] for row in database()["ranking_appeals"].find()}
    assert made and {"upheld", "refused", "filed"} >= appeals and appeals
    load_assessments(district)
    assert len(ground.entries()) == made and months() == summed()

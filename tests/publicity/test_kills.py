"""With the real module of alerts: one alert for each exposure, wherever a worker dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend import storage
from backend.settings import Settings
from plugins.publicity.exposure.models import Exposure
from tests.district import EAST, District
from tests.publicity.conftest import follow, happened, judge, sent, work


@pytest.fixture
def ground(district: District, open_to_all: None) -> District:
    """Furnish the district; nothing stands in for other modules here."""
    district.furnish(district.sign_in())
    return district


@pytest.fixture
def killed(ground: District, store: Settings) -> Iterator[Callable[[int, Exposure], str]]:
    """Return a function that converts an exposure in a process of its own, which dies at the given point."""
    words = [store.mongodb_url, store.redis_url, store.mongodb_database, str(store.data_dir), store.master_key]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.publicity.killed_converting", *words],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(point: int, exposure: Exposure) -> str:
            process.stdin.write(f"{point} {exposure.id} {exposure.area}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield run
        process.stdin.close()


def test_a_worker_that_is_killed_makes_one_alert_and_loses_no_step(
    ground: District, killed: Callable[[int, Exposure], str]
):
    moderator = ground.sign_in("street_staff", EAST)
    point, ended = 0, ""
    while ended != "done 0":
        point += 1
        exposure, code = sent(ground, text=f"第 {point} 件：垃圾桶满了。")
        assert judge(moderator, exposure, "accept").status_code == 200
        ended = killed(point, exposure)
        assert ended in ("killed", "done 0"), ended
        work()
        now = Exposure.objects.get(id=exposure.id)
        assert now.state == "handling" and now.alerts == [now.alert], point
        assert [step["text"] for step in now.steps] == [f"已立案，编号 {now.alert_number}"]
        assert follow(ground, code).json["state_title"] == "办理中"
    assert point == 6
    told = {str(each.alert) for each in Exposure.objects}
    # All lie at one point and are of one kind: the module of alerts counts them into one.
    rows = list(storage.database()["alerts"].find({}))
    assert {str(row["_id"]) for row in rows} == told and len(rows) == 1
    happened("alert.closed", rows[0]["area"], alert=str(rows[0]["_id"]), number=rows[0]["number"])
    assert {each.state for each in Exposure.objects} == {"handled"}

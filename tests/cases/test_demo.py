"""The demo's captures: of different people, in cases of their own, and not made twice."""

from __future__ import annotations

from backend.demo.district import draw_district
from backend.demo.making import SEED, founder
from backend.identity import keep_areas
from backend.plugin_api import DemoDistrict
from backend.storage import database
from plugins.base_info.demo import load_registers
from plugins.evidence.cases.bundling import bundle_capture
from plugins.evidence.demo import load_captures
from tests.cases.conftest import cases, extracted, told
from tests.district import District


def test_the_demo_has_cases_that_can_be_judged_and_a_second_load_adds_nothing(district: District) -> None:
    areas = draw_district(SEED)
    keep_areas({area.path: area.name for area in areas})
    said: list[str] = []
    folder = district.settings.data_dir
    ground = DemoDistrict(seed=SEED, areas=areas, by=founder(), data_dir=folder, tell=said.append)
    load_registers(ground)
    for _ in range(2):
        load_captures(ground)
        rows = list(database()["evidence_captures"].find())
        assert len(rows) == 12 and said[-1] == "取证：12"
    assert len({photo["sha256"] for row in rows for photo in row["photos"]}) == sum(len(row["photos"]) for row in rows)
    for row in rows:
        extracted(str(row["_id"]))
        bundle_capture(told(str(row["_id"])))
    assert len(cases()) == 10 and max(len(case["captures"]) for case in cases()) == 2
    assert {case["legal_complete"] for case in cases()} == {True, False}

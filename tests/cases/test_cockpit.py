"""What leaders see of cases on the cockpit: counts, backlog, confirmed cases, and that all of it can be proved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.identity.scope import area_filter
from backend.plugin_api import Bars, Content, Figures, Rows, View
from backend.plugin_api.registry import installed
from backend.rollups import recompute_dirty
from backend.storage import database, utcnow
from tests.cases.conftest import Ground
from tests.district import DISTRICT, WEST
from tests.vision import weights


def shown(name: str, area: str = DISTRICT) -> Content:
    """Return what a panel shows of an area."""
    recompute_dirty()
    [panel] = [each for each in installed().panels if each.name == name]
    return panel.show(View(area=area, scope=area_filter(area)))


def judged(ground: Ground) -> list[dict[str, Any]]:
    """Make a case that waits, one that waits for its second person, a lead, a penalty, and a rejected one."""
    cases = [ground.case(minute) for minute in (0, 20, 40)] + [ground.case(60, violation="overflow")]
    cases.append(ground.case(90, photo=weights.astronaut()))
    ground.decide(ground.reviewer, cases[1], "propose_penalty", reason="清楚")
    ground.decide(ground.reviewer, cases[2], "reject", reason="误报")
    ground.decide(ground.reviewer, cases[3], "confirm")
    proposed = ground.decide(ground.reviewer, cases[4], "propose_penalty", reason="清楚").json
    ground.decide(ground.countersigner, proposed, "countersign")
    return cases


def test_cases_are_counted_by_kind_and_state(ground: Ground) -> None:
    judged(ground)
    kinds = shown("evidence.case_kinds")
    assert isinstance(kinds, Bars)
    assert list(kinds.labels) == ["混投垃圾", "满溢"]
    assert {name: values.tolist() for name, values in kinds.series.items()} == {
        "待办": [2, 0], "已确认": [1, 1], "已移送": [0, 0], "已排除": [1, 0]
    }  # fmt: skip
    elsewhere = shown("evidence.case_kinds", WEST)
    assert isinstance(elsewhere, Bars) and elsewhere.labels == []


def test_the_headline_says_how_many_wait_and_for_how_long(ground: Ground) -> None:
    now = utcnow()
    for minute, waited in ((0, 0), (20, 3), (40, 30), (60, 50)):
        case = ground.case(minute)
        due_at = now + timedelta(hours=24 - waited)
        database()["evidence_cases"].update_one({"_id": ObjectId(case["id"])}, {"$set": {"due_at": due_at}})
    headline = shown("evidence.headline")
    assert isinstance(headline, Figures)
    assert [(each.label, each.value, each.tone) for each in headline.items[1:]] == [
        ("待复核", 4, "hint"), ("待会签", 0, "hint"), ("最久等待", 50, "critical")
    ]  # fmt: skip
    elsewhere = shown("evidence.headline", WEST)
    assert isinstance(elsewhere, Figures) and [each.value for each in elsewhere.items] == [0, 0, 0, 0]


def test_confirmed_cases_are_shown_with_masked_pictures(ground: Ground) -> None:
    cases = judged(ground)
    [layer] = [each for each in installed().map_layers if each.name == "evidence.confirmed"]
    points = layer.show(View(area=DISTRICT, scope=area_filter(DISTRICT)))
    assert [point.key for point in points] == [cases[4]["id"], cases[3]["id"]] and points[0].picture
    community = ground.district.sign_in("community_staff", DISTRICT)
    assert community.call("GET", points[0].picture).mimetype == "image/jpeg"
    kind = database()["evidence_exhibits"].find_one({"_id": ObjectId(points[0].picture.split("/")[-2])})["kind"]
    assert kind == "masked_thumbnail"
    assert layer.show(View(area=WEST, scope=area_filter(WEST))) == []


def test_the_proofs_of_the_district_are_told(ground: Ground) -> None:
    ground.case()
    proof = shown("evidence.proof")
    assert isinstance(proof, Rows)
    told = {row.key: row.texts[1] for row in proof.rows}
    assert list(told) == ["存证账本", "最近固证根", "账本核验", "时间戳", "原件巡检"]
    assert int(told["存证账本"].split(" ")[0]) > 0
    empty = shown("evidence.proof", "")
    assert isinstance(empty, Rows) and empty.rows == []

"""What was seen at one point in one span is one case, whoever works on it and whoever is killed at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bson import ObjectId

from backend.storage import database
from plugins.evidence.cases.bundling import bundle_capture
from tests.cases.conftest import Ground, cases, extracted, noted, told


def unbundled(ground: Ground, *minutes: float) -> list[str]:
    """Return captures that are extracted and lie in no case yet."""
    captures = [ground.sees(minute) for minute in minutes]
    extracted(*captures)
    return captures


def test_captures_within_the_cooldown_are_one_case_and_later_ones_another(ground: Ground) -> None:
    first, second, third = ground.sees(0), ground.sees(9), ground.sees(18)
    apart, other = ground.sees(29), ground.sees(2, violation="overflow")
    ground.work()
    found = {frozenset(map(str, row["captures"])) for row in cases()}
    assert found == {frozenset({first, second, third}), frozenset({apart}), frozenset({other})}
    year = cases()[0]["number"].split("-")[1]
    assert [row["number"] for row in cases()] == [f"33-{year}-00000{number}" for number in (1, 2, 3)]
    for row in cases():
        held = database()["evidence_captures"].find({"case": row["_id"]})
        assert {each["_id"] for each in held} == set(row["captures"])
    assert len(noted("bundled")) == 5


def test_a_late_capture_joins_the_case_whose_span_it_touches(ground: Ground) -> None:
    bundled = unbundled(ground, 20, 60, 12, 51)
    for capture in bundled:
        bundle_capture(told(capture))
    early, late = cases()
    assert [str(each) for each in early["captures"]] == [bundled[2], bundled[0]]
    assert (early["first_at"], early["last_at"]) == (moment(bundled[2]), moment(bundled[0]))
    assert [str(each) for each in late["captures"]] == [bundled[3], bundled[1]]


def moment(capture: str) -> Any:
    """Return when a capture was seen."""
    return database()["evidence_captures"].find_one({"_id": ObjectId(capture)})["device_time"]


def test_a_decided_case_takes_nothing_more(ground: Ground) -> None:
    case = ground.case(0)
    assert ground.decide(ground.reviewer, case, "reject", reason="画面不清").status_code == 200
    ground.sees(1)
    ground.work()
    assert [row["state"] for row in cases()] == ["rejected", "waiting"]


def test_an_event_told_twice_bundles_once(ground: Ground) -> None:
    [capture] = unbundled(ground, 0)
    for _ in range(2):
        bundle_capture(told(capture))
    [case] = cases()
    assert [str(each) for each in case["captures"]] == [capture] and case["version"] == 1
    assert len(noted("bundled")) == 1


def test_eight_workers_at_once_open_one_case(ground: Ground) -> None:
    captures = unbundled(ground, *range(8))
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda capture: bundle_capture(told(capture)), captures))
    [case] = cases()
    assert sorted(map(str, case["captures"])) == sorted(captures)
    assert case["first_at"] == moment(captures[0]) and case["last_at"] == moment(captures[-1])


def test_numbers_have_no_gap_and_none_is_given_twice(ground: Ground) -> None:
    captures = [ground.sees(0, violation=each) for each in ("mixed_waste", "overflow", "overtime", "other")]
    captures += [ground.sees(40, violation=each) for each in ("mixed_waste", "overflow", "overtime", "other")]
    extracted(*captures)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda capture: bundle_capture(told(capture)), captures))
    assert [int(row["number"][-6:]) for row in cases()] == list(range(1, 9))

"""Rules are data: an edition is never changed, what happened is judged by the edition of its day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.storage import database, utcnow
from plugins.ranking.ledger.allocating import Claim, allocate, window_of
from plugins.ranking.ledger.hearing import hear
from plugins.ranking.points import local_day
from plugins.ranking.rules.keeping import in_force
from plugins.ranking.rules.triggers import matches
from tests.ranking.conftest import RULES, Ground, case

TOMORROW = local_day(utcnow() + timedelta(days=1))
NEW = {"title": "混投垃圾", "points": -2.5, "effective_from": TOMORROW, "reason": "加大力度"}


def rule(ground: Ground, code: str = "Q01", editions: str = "latest") -> dict[str, Any]:
    """Return a rule as the district sees it."""
    return dict([each for each in ground.chief.get(RULES, editions=editions)["items"] if each["code"] == code][-1])


def test_a_district_begins_with_rules_and_makes_editions_of_them(ground: Ground) -> None:
    first = rule(ground)
    assert (first["edition"], first["points"], first["in_force"]) == (1, -1, True)
    where = f"{RULES}/{first['id']}/editions"
    body = {**NEW, "conditions": [{"fact": "violation", "any_of": ["mixed_waste"]}], "cap_day": 5}
    assert ground.street.call("POST", where, json=body, etag=first["etag"]).status_code == 403
    made = ground.chief.call("POST", where, json=body, etag=first["etag"])
    assert made.status_code == 201, made.text
    assert (made.json["edition"], made.json["points"], made.json["cap_day"]) == (2, -2.5, 5)
    assert rule(ground)["id"] == made.json["id"] and rule(ground, editions="in_force")["id"] == first["id"]
    # The old edition stays as it was, and is no ground for another one.
    assert ground.chief.call("POST", where, json=body, etag=first["etag"]).status_code == 412
    hear(case())
    assert ground.entries()[0]["edition"] == 1
    # When tomorrow has come, the new one counts; what is told late of today is still judged by the old one.
    database()["ranking_rules"].update_one({"edition": 2}, {"$set": {"effective_from": local_day(utcnow())}})
    hear(case(number="B"))
    late = case(at=utcnow() - timedelta(days=1), number="C")
    hear(late)
    assert [(row["edition"], row["points"]) for row in ground.entries()] == [(1, -100), (2, -250), (1, -100)]


#: What makes a rule one that can never be right, and the field that is named then.
WRONG: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"effective_from": local_day(utcnow())}, "effective_from"),
    ({"effective_from": "2026-13-01"}, "effective_from"),
    ({"points": 0}, "points"),
    ({"points": -0.125}, "points"),
    ({"points": -1000}, "points"),
    ({"conditions": [{"fact": "colour", "any_of": ["red"]}]}, "conditions"),
    ({"conditions": [{"fact": "violation", "any_of": ["theft"]}]}, "conditions"),
    ({"conditions": [{"fact": "penalty", "any_of": ["true"]}]}, "conditions"),
    ({"conditions": [{"fact": "penalty", "at_least": 1}]}, "conditions"),
    ({"conditions": [{"fact": "penalty"}]}, "conditions"),
    ({"event": "work_order.exploded"}, "event"),
)


def test_a_rule_that_can_never_be_right_is_refused(ground: Ground) -> None:
    for change, field in WRONG:
        body = {"code": "Z01", "event": "evidence.case_confirmed", **NEW, **change}
        answer = ground.chief.call("POST", RULES, json=body)
        assert answer.status_code == 422 and field in answer.json["fields"], (change, answer.text)


def test_a_rule_of_the_districts_own(ground: Ground) -> None:
    body = {"code": "Z01", "event": "evidence.case_confirmed", **NEW}
    body["conditions"] = [{"fact": "penalty", "any_of": [True]}]
    assert ground.chief.call("POST", RULES, json=body).status_code == 201
    again = ground.chief.call("POST", RULES, json=body)
    assert (again.status_code, again.json["code"]) == (409, "duplicate")
    database()["ranking_rules"].update_one({"code": "Z01"}, {"$set": {"effective_from": "2026-01-01"}})
    hear(case(penalty=True, violation="other"))
    assert {row["rule"]: row["points"] for row in ground.entries()} == {"Q06": -50, "Z01": -250}
    events = {each["event"]: each for each in ground.chief.get(f"{RULES}/events")["items"]}
    assert "patrol.finding" in events and events["evidence.case_confirmed"]["facts"][1]["kind"] == "flag"


DAYS = st.sampled_from([f"2026-11-{day:02d}" for day in range(1, 10)])
EDITIONS = st.lists(
    st.tuples(st.sampled_from("AB"), DAYS, st.booleans()).map(
        lambda each: {"code": each[0], "effective_from": each[1], "active": each[2]}
    ),
    max_size=8,
).map(lambda rows: [{**row, "edition": n} for n, row in enumerate(rows, 1)])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDITIONS, DAYS)
def test_the_last_edition_made_that_has_begun_counts(editions: list[dict[str, Any]], day: str) -> None:
    found = {row["code"]: row for row in in_force(editions, day)}
    for code in "AB":
        begun = [row for row in editions if row["code"] == code and row["effective_from"] <= day]
        last = max(begun, key=lambda row: row["edition"], default=None)
        assert found.get(code) == (last if last and last["active"] else None)


VALUES = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "b"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.lists(VALUES.filter(lambda value: value is not None), min_size=1, max_size=3), st.integers(0, 2))
def test_a_condition_is_fulfilled_by_what_the_event_says_and_by_nothing_else(
    value: Any, any_of: list[Any], least: int
) -> None:
    told = {} if value is None else {"x": value}
    same = [each for each in any_of if type(each) is type(value) and each == value]
    assert matches([{"fact": "x", "any_of": any_of}], told) == bool(same)
    assert matches([{"fact": "x", "at_least": least}], told) == (type(value) is int and value >= least)
    assert matches([], told)


CLAIMS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([-300, -150, -100, 50, 100])).map(
        lambda each: {"hour": each[0], "points": each[1]}
    ),
    max_size=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CLAIMS, st.sampled_from([0, 120, 250]), st.sampled_from([0, 300, 420]), st.randoms())
def test_no_cap_is_exceeded_none_is_left_unused_and_the_order_of_news_does_not_matter(
    rows: list[dict[str, int]], cap_day: int, cap_period: int, chance: Any
) -> None:
    start = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    claims = [
        Claim(id=n, at=start + timedelta(hours=4 * row["hour"]), day=str(row["hour"] // 6), points=row["points"],
              cap_day=cap_day, cap_period=cap_period)
        for n, row in enumerate(rows)
    ]  # fmt: skip
    found = allocate(claims)
    shuffled = [*claims]
    chance.shuffle(shuffled)
    assert allocate(shuffled) == found
    for sign in (1, -1):
        mine = [each for each in claims if each.points * sign > 0]
        total, wanted = 0, 0
        for day in {each.day for each in mine}:
            of_day = sum(found[each.id] * sign for each in mine if each.day == day)
            asked = sum(each.points * sign for each in mine if each.day == day)
            assert not cap_day or of_day <= cap_day
            total += of_day
            wanted += min(asked, cap_day) if cap_day else asked
        assert total == (min(wanted, cap_period) if cap_period else wanted)
    assert all(0 <= found[each.id] * (1 if each.points > 0 else -1) <= abs(each.points) for each in claims)


def test_what_shares_a_cap() -> None:
    day = "2026-11-22"
    names = [window_of("C1", "Q01", period, day) for period in ("month", "quarter", "year")]
    assert names == ["C1/Q01/2026-11", "C1/Q01/2026-Q4", "C1/Q01/2026"]

"""In whatever order, and however often, events are delivered: the same points stand, and the sums agree with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.plugin_api import Event
from backend.storage import database, utcnow
from plugins.ranking.ledger.hearing import hear
from plugins.ranking.rules.defaults import defaults
from tests.district import EAST_ONE
from tests.ranking.conftest import Ground, case, finding, months, order, summed

_codes = count(1)
RULES = {row["code"]: row for row in defaults()}
STEP = st.fixed_dictionaries(
    {
        "what": st.sampled_from(["case", "case", "finding", "order"]),
        "number": st.integers(0, 3),
        "taken": st.booleans(),
        "hours": st.integers(0, 24 * 40),
        "violation": st.sampled_from(["mixed_waste", "mixed_waste", "bulky_dumped", "overtime"]),
        "points": st.sampled_from([0.5, 2, 3]),
    }
)


def told(step: Mapping[str, Any], place: int, area: str) -> Event:
    """Return the event of a step, told after those before it; what a phone tells of happened earlier."""
    at = utcnow().replace(minute=0, second=0, microsecond=0) - timedelta(days=41) + timedelta(hours=step["hours"])
    at += timedelta(seconds=place)
    name = f"{area[-6:]}-{step['number']}"
    if step["what"] == "case":
        verb = "reopened" if step["taken"] else "confirmed"
        return case(verb, at, area, case=name, violation=step["violation"])
    if step["what"] == "order":
        return order("reopened" if step["taken"] else "closed", at, area, order=name)
    return finding(at, area, check_in=f"{name}-{place}", points=step["points"])


def expected(events: list[Event]) -> int:
    """Return the hundredths that have to stand: by what each record told last, capped by day and by month."""
    latest: dict[str, Event] = {}
    for each in sorted(events, key=lambda event: event.occurred_at):
        latest[f"{each.name.split('.')[0]}/{each.payload.get('case') or each.payload.get('order') or each.id}"] = each
    days: dict[tuple[str, str], int] = defaultdict(int)
    for each in latest.values():
        at = each.payload.get("at", each.occurred_at.isoformat())
        day = (each.occurred_at.fromisoformat(at) + timedelta(hours=8)).date().isoformat()
        if each.name == "evidence.case_confirmed" and each.payload["violation"] != "overtime":
            code = "Q01" if each.payload["violation"] == "mixed_waste" else "Q05"
            days[code, day] += -RULES[code]["points"]
        elif each.name == "work_order.closed":
            days["P01", day] += 50
        elif each.name == "patrol.finding":
            days["X01", day] += round(each.payload["points"] * 100)
    periods: dict[tuple[str, str], int] = defaultdict(int)
    for (code, day), points in days.items():
        periods[code, day[:7]] += min(points, RULES[code]["cap_day"])
    return -sum(min(points, RULES[code]["cap_period"]) for (code, _), points in periods.items())


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=1, max_size=12), chance=st.randoms(use_true_random=False))
def test_the_order_of_deliveries_does_not_matter(ground: Ground, steps: list[dict[str, Any]], chance: Any) -> None:
    found = []
    for shuffled in (False, True):
        code = f"X{next(_codes):05d}"
        events = [told(step, place, f"{EAST_ONE}/{code}") for place, step in enumerate(steps)]
        deliveries = [*events]
        if shuffled:
            deliveries += chance.sample(events, len(events) // 2)
            chance.shuffle(deliveries)
        for each in deliveries:
            hear(each)
        assert ground.balance(code) == expected(events)
        nets = database()["ranking_charges"].find({"compound": code, "net": {"$ne": 0}})
        found.append(sorted((row["rule"], row["occurred_at"], row["net"]) for row in nets))
        rows = ground.entries(compound=code)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        booked = defaultdict(int)
        for row in rows:
            booked[row["charge"]] += row["points"]
        assert all(booked[row["_id"]] == row["net"] for row in database()["ranking_charges"].find({"compound": code}))
    assert found[0] == found[1]
    assert {key: points for key, points in months().items() if points} == {k: v for k, v in summed().items() if v}

"""Rounds of the day, made from the plans: run as often as one likes, the same rounds are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import DeleteOne, InsertOne, UpdateOne

from backend.plugin_api import Event, atomically, mark_many, utcnow
from plugins.alerts.intake.places import forget, point_at
from plugins.alerts.patrol.models import PatrolPlan, PatrolRound, PatrolSite, id_of
from plugins.alerts.patrol.vocabulary import KIND_OF_TITLE
from plugins.alerts.patrol.windows import local_day, spans

METRIC = "alerts.patrol_rounds"
#: Rounds of one transaction.
PORTION = 200

Row = dict[str, Any]


def make_rounds(now: datetime | None = None) -> int:
    """Make what is missing of the rounds of today and tomorrow, and bring those not yet begun up to date."""
    now = now or utcnow()
    days = [local_day(now), local_day(now) + timedelta(days=1)]
    plans = list(PatrolPlan._get_collection().find({"active": True}))
    return keep(plans, days, now)


def keep(plans: Sequence[Row], days: Sequence[date], now: datetime) -> int:
    """Write the rounds of plans on days whose window has not ended; returns how many were changed."""
    wanted = {key: each for each in planned(plans, days) if each[2][1] > now for key in [key_of(each)]}
    there = {"day": {"$in": [day.isoformat() for day in days]}}
    existing = {row["_id"]: row for row in PatrolRound._get_collection().find(there, KNOWN)}
    changes: list[tuple[Any, Row]] = []
    for key, (plan, day, span) in wanted.items():
        known = existing.get(key)
        if known is not None and (known["state"] != "planned" or known["plan_version"] == plan["version"]):
            continue
        row = new_round(key, plan, day, span, stops_of(plan), now)
        if known is None and row["stops"]:
            changes.append((InsertOne(row), row))
        elif known is not None:
            same = {name: row[name] for name in FROM_PLAN}
            untouched = {"_id": key, "state": "planned", "version": known["version"]}
            changes.append((UpdateOne(untouched, {"$set": same, "$inc": {"version": 1}}), row))
    for key, known in existing.items():
        if key not in wanted and known["state"] == "planned" and known["starts_at"] > now:
            changes.append((DeleteOne({"_id": key, "state": "planned"}), known))
    for start in range(0, len(changes), PORTION):
        write(changes[start : start + PORTION])
    return len(changes)


#: What is read of a round to see whether it is still right.
KNOWN = {"state": 1, "plan_version": 1, "version": 1, "starts_at": 1, "area": 1}
#: What follows from the plan.
FROM_PLAN = (
    "plan_version", "plan_name", "area", "supervisor", "supervisor_name", "ends_at", "stops", "total",
)  # fmt: skip


def planned(plans: Iterable[Row], days: Iterable[date]) -> Iterable[tuple[Row, date, tuple[datetime, datetime]]]:
    """Yield plan, day and window of every round that the plans want."""
    days = list(days)
    return (
        (plan, day, span) for plan in plans for day in days for span in spans(day, plan["weekdays"], plan["windows"])
    )


def key_of(each: tuple[Row, date, tuple[datetime, datetime]]) -> ObjectId:
    """Return the id of a round: one for each plan, day and beginning."""
    plan, day, (start, _) = each
    return id_of("patrol round", str(plan["_id"]), day.isoformat(), start.isoformat())


def stops_of(plan: Row) -> list[Row]:
    """Return the stops of a plan, in order; a point that is gone is left out."""
    places = [place for code in plan["points"] if (place := point_at(code)) and place.lon is not None]
    return [
        {
            "point": place.code,
            "name": place.name,
            "kind": KIND_OF_TITLE.get(place.kind, "drop_off_point"),
            "area": place.area,
            "lon": place.lon,
            "lat": place.lat,
        }
        for place in places
    ]


def new_round(
    key: ObjectId, plan: Row, day: date, span: tuple[datetime, datetime], stops: list[Row], now: datetime
) -> Row:
    """Return a round as the store holds it."""
    supervisor = plan.get("supervisor")
    return {
        "_id": key,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "area": plan["area"],
        "plan": plan["_id"],
        "plan_version": plan["version"],
        "plan_name": plan["name"],
        "supervisor": ObjectId(supervisor) if supervisor else None,
        "supervisor_name": plan.get("supervisor_name"),
        "day": day.isoformat(),
        "starts_at": span[0],
        "ends_at": span[1],
        "state": "planned",
        "stops": stops,
        "total": len(stops),
        **dict.fromkeys(("done", "findings", "reports", "refused", "flagged"), 0),
        "flags": [],
        "warned": False,
    }


def write(changes: Sequence[tuple[Any, Row]]) -> None:
    """Write a portion of changes, and have the figures summed anew."""

    def work() -> None:
        PatrolRound._get_collection().bulk_write([each for each, _ in changes], ordered=False)
        mark_many(METRIC, [(row["area"], row["starts_at"]) for _, row in changes])

    atomically(work)


def follow_compound(event: Event) -> None:
    """Take plans and points along when their compound now belongs to another community; told again it is the same.

    Rounds that were walked stay where they were walked.
    """
    for model in (PatrolPlan, PatrolSite):
        changes = {"$set": {"area": event.payload["to"], "updated_at": utcnow()}, "$inc": {"version": 1}}
        model._get_collection().update_many({"area": event.payload["from"]}, changes)
    forget()
    make_rounds()

"""Thirty days of alerts in the fictional district, through the same intake as real ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from backend.plugin_api import (
    LOCAL_ZONE,
    Actor,
    DemoDistrict,
    acting,
    atomically,
    find_device,
    mark_many,
    utcnow,
)
from plugins.alerts.alerts.models import Alert
from plugins.alerts.intake.places import point_at
from plugins.alerts.intake.raising import METRIC
from plugins.alerts.intake.seen import Seen
from plugins.alerts.intake.taking import take_in

DAYS = 62
EVENTS_A_DAY = 9
#: How often each kind is seen, and at which hours of the day most of them are.
KINDS = {
    "E02": 24, "E03": 20, "E04": 16, "E05": 12, "E06": 10, "E07": 6, "E08": 4, "E10": 5, "E09": 2, "E12": 2, "E01": 1,
}  # fmt: skip
HOURS = (1, 0, 0, 0, 0, 2, 8, 14, 10, 5, 3, 3, 4, 3, 2, 2, 3, 5, 12, 15, 11, 6, 3, 2)
#: By hours of age: how likely an alert is settled by now.
SETTLED = ((2, 0.1), (6, 0.45), (24, 0.75), (72, 0.94), (10_000, 0.985))
#: Sightings, and outcomes, of one transaction.
BATCH, PORTION = 40, 200
NEWS = timedelta(hours=12)


def load_alerts(district: DemoDistrict) -> None:
    """Write what is missing of the demo alerts; the same seed gives the same ones, counted back from now."""
    chance = random.Random(district.seed)  # noqa: S311 - a fictional district, not a secret
    devices = watched_points(chance)
    now = utcnow().replace(minute=0, second=0, microsecond=0)
    if not devices or Alert._get_collection().find_one({"note": "演示数据"}):
        return
    seen = sorted(sightings(chance, devices, now), key=lambda each: each.at)
    with acting(Actor(id="demo", name="演示数据", kind="system")):
        for start in range(0, len(seen), BATCH):
            some = seen[start : start + BATCH]
            # Nobody is sent for what was settled long ago.
            with nullcontext() if now - some[-1].at < NEWS else district.past():
                take_in(some, known=True)
        settle(chance, now)
    district.tell(f"预警事件：{Alert._get_collection().estimated_document_count()}")


def watched_points(chance: random.Random) -> list[Mapping[str, Any]]:
    """Return the demo's cameras and bins with the points that they watch."""
    found: list[Mapping[str, Any]] = []
    for number in range(1, 301, 2):
        device = find_device(f"D{number:04d}")
        place = point_at(device.point) if device else None
        if device and place and device.kind in ("camera", "smart_bin"):
            # Some places give more trouble than others.
            found.append({"device": device, "place": place, "weight": chance.paretovariate(1.2)})
    return found


def sightings(chance: random.Random, devices: list[Mapping[str, Any]], now: datetime) -> Iterator[Seen]:
    """Yield what the cameras saw in the last two months, some of it again and again."""
    weights = [each["weight"] for each in devices]
    for day in range(DAYS):
        start = (now - timedelta(days=DAYS - 1 - day)).astimezone(LOCAL_ZONE).replace(hour=0)
        busy = EVENTS_A_DAY + (5 if start.weekday() >= 5 else 0) + chance.randrange(-2, 4)
        for number in range(busy):
            hour = chance.choices(range(24), HOURS)[0]
            at = start + timedelta(hours=hour, seconds=chance.randrange(3600))
            [each] = chance.choices(devices, weights)
            [code] = chance.choices(list(KINDS), list(KINDS.values()))
            for again in range(chance.choice((1, 1, 1, 2, 3, 5))):
                moment = at + timedelta(minutes=4 * again)
                if moment < now:
                    yield sighting(each, code, f"demo-{day}-{number}-{again}", moment, chance)


def sighting(each: Mapping[str, Any], code: str, event_id: str, at: datetime, chance: random.Random) -> Seen:
    """Return one thing seen by a demo device."""
    device, place = each["device"], each["place"]
    sure = chance.random() < 0.97
    return Seen(
        source="camera" if device.kind == "camera" else "bin",
        sender=device.code,
        event_id=event_id,
        code=code,
        at=at,
        received_at=at + timedelta(seconds=2),
        area=place.area,
        point=place.code,
        point_name=place.name,
        organisation=place.organisation,
        device=device.code,
        place=(place.lon, place.lat),
        confidence=round(chance.uniform(0.72, 0.98) if sure else chance.uniform(0.2, 0.29), 2),
        note="演示数据",
    )


def settle(chance: random.Random, now: datetime) -> None:
    """Close, dismiss and dispatch the older ones, in few writes: it is the past of a fiction."""
    rows = list(Alert._get_collection().find({"note": "演示数据", "state": "raised"}).sort("_id", 1))
    changed = []
    for row in rows:
        age = (now - row["raised_at"]).total_seconds() / 3600
        likely = next(share for hours, share in SETTLED if age <= hours)
        if chance.random() < likely:
            changed.append((row, *settled(chance, row, now)))
        elif chance.random() < 0.5:
            changed.append((row, "dispatched", {"due_at": row["close_by"]}))
    write(changed)


def settled(chance: random.Random, row: Mapping[str, Any], now: datetime) -> tuple[str, dict[str, Any]]:
    """Return how an alert ended: mostly closed, mostly in time."""
    limit = (row["close_by"] - row["raised_at"]).total_seconds()
    taken = limit * (chance.uniform(0.1, 0.95) if chance.random() < 0.9 else chance.uniform(1.05, 1.6))
    at = min(row["raised_at"] + timedelta(seconds=round(taken)), now)
    common = {"due_at": None, "responded_at": row["raised_at"] + (at - row["raised_at"]) / 4}
    if chance.random() < 0.1:
        return "dismissed", {**common, "reason": "现场核实为误报"}
    seconds = round((at - row["raised_at"]).total_seconds())
    late = int(at > row["close_by"])
    return "closed", {**common, "closed_at": at, "close_seconds": seconds, "late": late, "reason": "现场已清理"}


def write(changed: list[tuple[Mapping[str, Any], str, dict[str, Any]]]) -> None:
    """Store the outcomes with their timeline entries, portion by portion."""
    for start in range(0, len(changed), PORTION):
        part = changed[start : start + PORTION]
        updates = [
            UpdateOne(
                {"_id": row["_id"], "state": "raised"},
                {
                    "$set": {**values, "state": state},
                    "$inc": {"version": 1},
                    "$push": {"timeline": entry(state, values, row)},
                },
            )
            for row, state, values in part
        ]

        def work(updates: list[UpdateOne] = updates, part: Any = part) -> None:
            Alert._get_collection().bulk_write(updates, ordered=False)
            mark_many(METRIC, [(row["area"], row["raised_at"]) for row, _, _ in part])

        atomically(work)


def entry(state: str, values: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the timeline entry of an outcome."""
    verb = {"closed": "close", "dismissed": "dismiss", "dispatched": "dispatch"}[state]
    at = values.get("closed_at") or values.get("responded_at") or row["raised_at"] + timedelta(minutes=3)
    parts = {"verb": verb, "from": "raised", "to": state, "at": at, "note": values.get("reason", "")}
    return {**parts, "actor": "demo", "actor_kind": "system"}

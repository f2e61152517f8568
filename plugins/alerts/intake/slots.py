"""Which alert something seen belongs to: what is debounced together shares a slot, a point and a kind.

A process remembers where its slots led to. That is only a guess, which the write itself checks: so most sightings cost
no reading, and a wrong guess costs another try.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import district_of, update_later, upsert_later
from plugins.alerts.alerts.models import Alert
from plugins.alerts.intake.seen import Seen

#: When each point and kind was last seen.
SLOTS = "alert_slots"
ALERTS = Alert._get_collection_name()
#: Slots, and sightings, that a process remembers.
MOST_KEPT = 20_000


@dataclass
class Chain:
    """Sightings of one slot, each within the window of the one before: they belong to the same alert."""

    slot: str
    kind: Mapping[str, Any]
    window: timedelta
    seen: list[Seen] = field(default_factory=list)

    @property
    def sure(self) -> bool:
        """Whether any of them is sure enough to raise an alert."""
        return any(each.confidence is None or each.confidence >= self.kind["confidence_floor"] for each in self.seen)

    @property
    def first(self) -> datetime:
        """When it was first seen."""
        return self.seen[0].at

    @property
    def last(self) -> datetime:
        """When it was last seen."""
        return self.seen[-1].at

    def query(self) -> dict[str, Any]:
        """Return the filter of the alerts that these sightings may belong to.

        One that is closed takes what was seen before; what is seen after is new. One that was dismissed goes on
        taking: the same false alarm is not raised again within its window.
        """
        return {
            "slots": self.slot,
            "first_at": {"$lte": self.last + self.window},
            "last_at": {"$gte": self.first - self.window},
            "state": {"$nin": ["merged", "unconfirmed"] if self.sure else ["merged"]},
            "$or": [{"closed_at": None}, {"closed_at": {"$gte": self.first}}],
        }


@dataclass(frozen=True)
class Lead:
    """The alert that a chain belongs to, None for a new one; what is only `guessed` is checked with the write."""

    alert: ObjectId | None
    guessed: bool = False


# Which alert a slot led to last, and its span as far as it is known here: only a hint, the store has the word.
_hints: OrderedDict[str, tuple[ObjectId, datetime, datetime]] = OrderedDict()


def add_to_chain(chains: dict[str, list[Chain]], each: Seen, kind: Mapping[str, Any]) -> None:
    """Put a sighting, the next in time, to those of its slot that are near enough, or begin anew."""
    window = timedelta(minutes=kind["debounce_minutes"])
    where = each.point or each.device
    # What has neither point nor device, or is not to be debounced, stands alone.
    slot = f"{district_of(each.area)}|{where}|{kind['code']}" if where and window else f"#{each.id}"
    every = chains.setdefault(slot, [])
    if not every or each.at - every[-1].last > window:
        every.append(Chain(slot, kind, window))
    every[-1].seen.append(each)


def candidates(chains: Sequence[Chain], hinted: bool) -> dict[int, Lead]:
    """Return where each chain leads: what this process remembers, or else what the store has."""
    found: dict[int, Lead] = {}
    for chain in chains:
        if chain.slot.startswith("#"):
            found[id(chain)] = Lead(None)
        elif hinted and (lead := hint(chain)):
            found[id(chain)] = lead
    rest = [chain for chain in chains if id(chain) not in found]
    if rest:
        queries = [chain.query() for chain in rest]
        query = queries[0] if len(queries) == 1 else {"$or": queries}
        # A plain command: a cursor costs half as much again, and this is the path of every camera.
        alerts = Alert._get_collection()
        answer = alerts.database.command(
            {"find": ALERTS, "filter": query, "projection": LEADING, "batchSize": MOST_NEAR, "limit": MOST_NEAR},
            codec_options=alerts.codec_options,
        )
        rows = answer["cursor"]["firstBatch"]
        for chain in rest:
            near = [row for row in rows if leads(row, chain)]
            best = min(near, key=lambda row: distance(row, chain), default=None)
            found[id(chain)] = Lead(best["_id"] if best else None)
    return found


#: More alerts than this lie never so near to the sightings of one delivery.
MOST_NEAR = 1000
#: What is read of an alert to see whether it is the one.
LEADING = {"slots": 1, "first_at": 1, "last_at": 1, "state": 1}


def leads(row: Mapping[str, Any], chain: Chain) -> bool:
    """Say which chain of several an alert was found for."""
    near = row["first_at"] <= chain.last + chain.window and row["last_at"] >= chain.first - chain.window
    return chain.slot in row["slots"] and near and not (chain.sure and row["state"] == "unconfirmed")


def distance(row: Mapping[str, Any], chain: Chain) -> tuple[timedelta, ObjectId]:
    """Return how far away in time an alert lies; between two that are as near, the earlier counts."""
    gap = max(row["first_at"] - chain.last, chain.first - row["last_at"], timedelta(0))
    return gap, row["_id"]


def seen_here(chain: Chain, lead: Lead) -> None:
    """Note when the slot was last seen. All who write to it at once meet here, and the store lets one through.

    Where it is only guessed that there is no alert, the slot must not have been seen within the window: then there is
    none indeed.
    """
    if lead.alert is None and lead.guessed:
        long_ago = {"last_at": {"$lt": chain.first - chain.window}}
        update_later(SLOTS, {"_id": chain.slot, **long_ago}, {"$set": {"last_at": chain.last}})
    else:
        upsert_later(SLOTS, {"_id": chain.slot}, {"$max": {"last_at": chain.last}})


def hint(chain: Chain) -> Lead | None:
    """Return where a chain probably leads: to the alert remembered or past it; None where the store is to be asked."""
    if (known := _hints.get(chain.slot)) is None:
        return None
    alert, first, last = known
    if chain.first > last + chain.window:
        return Lead(None, guessed=True)
    return Lead(alert, guessed=True) if first <= chain.last + chain.window else None


def remember(chain: Chain, alert: ObjectId, new: bool) -> None:
    """Keep where a slot led to; what is unconfirmed leads only those there that are not sure."""
    if chain.slot.startswith("#") or (new and not chain.sure):
        return
    known, first, last = _hints.get(chain.slot, (alert, chain.first, chain.last))
    if known != alert:
        first, last = chain.first, chain.last
    bounded(_hints, {chain.slot: (alert, min(first, chain.first), max(last, chain.last))})


def bounded(kept: OrderedDict[Any, Any], new: Mapping[Any, Any]) -> None:
    """Add to what is kept between requests, and let go of the oldest."""
    for key, value in new.items():
        kept[key] = value
        kept.move_to_end(key)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)

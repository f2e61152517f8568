"""Take in what was seen: counted into the alert that it belongs to, or a new one, in one transaction.

The same point and kind within the kind's window is one alert, however many saw it and in whatever order it is told. A
sighting is known by its id, so telling it again changes nothing. Of several processes that see the first one at the
same time, one raises the alert: each writes the slot, and the store lets only one do so.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    NothingMatched,
    atomically,
    district_of,
    insert_later,
    publish,
    settle,
    update_later,
)
from plugins.alerts.alerts.models import MOST_PICTURES, Sighting
from plugins.alerts.intake.raising import raise_new, sighting_row
from plugins.alerts.intake.seen import Seen, Taken
from plugins.alerts.intake.slots import ALERTS, Chain, Lead, add_to_chain, bounded, candidates, remember, seen_here
from plugins.alerts.kinds.catalogue import catalogue

#: How often a transaction begins again that others overtake, or that stands on what is so no more.
TRIES = 20
SIGHTINGS = Sighting._get_collection_name()


# What was taken in here lately: told again, it is looked up first, and nothing is tried that would be refused.
_recent: OrderedDict[ObjectId, None] = OrderedDict()


def take_in(seen: Sequence[Seen], *, raw: str = "", known: bool = False) -> list[Taken]:
    """Take in things seen in one district, all or nothing; returns what became of each, in order.

    `raw` is what they came in, kept once with the first that is new. With `known` it is looked up first which are
    known already: cheaper where most are, and needed inside another transaction, which a refused write would end.
    """
    fresh = unique(seen)
    stored = find_known(fresh) if known or any(each in _recent for each in fresh) else {}
    hinted = True
    for _ in range(TRIES):
        new = [with_earlier(each, stored) for each in fresh.values() if is_new(each, stored.get(each.id))]
        try:
            taken = write(new, stored, raw, hinted)
        except DuplicateKeyError:
            # Known sightings, or a slot that another process has just taken.
            stored = find_known(fresh)
        except NothingMatched:
            stored, hinted = find_known(fresh) if stored else {}, False
        else:
            outcomes = {each.event_id: each for each in taken}
            repeated = [each for each in fresh.values() if each.event_id not in outcomes]
            attach_late([each for each in repeated if each.pictures])
            bounded(_recent, dict.fromkeys(fresh))
            outcomes |= {
                each.event_id: Taken(each.event_id, "repeated", stored[each.id].get("alert")) for each in repeated
            }
            return [outcomes[each.event_id] for each in seen]
    raise TimeoutError("Others kept changing the same alerts.")


def unique(seen: Iterable[Seen]) -> dict[ObjectId, Seen]:
    """Return each sighting once; one that stands there twice keeps the pictures of both."""
    found: dict[ObjectId, Seen] = {}
    for each in seen:
        if (before := found.get(each.id)) is None:
            found[each.id] = each
        elif each.pictures:
            every = {picture["sha256"]: picture for picture in (*before.pictures, *each.pictures)}
            found[each.id] = replace(before, pictures=tuple(every.values()))
    return found


def is_new(each: Seen, row: Mapping[str, Any] | None) -> bool:
    """Say whether a sighting is still to be counted: unknown so far, or waiting for a kind that is known by now."""
    if row is None:
        return True
    return row["outcome"] == "waiting" and kind_of(each) is not None


def kind_of(each: Seen) -> Mapping[str, Any] | None:
    """Return the kind of what was seen, or None for a code that nobody has mapped."""
    return catalogue(district_of(each.area)).kind_of(each.vendor, each.code)


def find_known(seen: Iterable[ObjectId]) -> dict[ObjectId, dict[str, Any]]:
    """Return those that are known, each with its outcome, alert and pictures."""
    wanted = {"outcome": 1, "alert": 1, "pictures": 1}
    return {row["_id"]: row for row in Sighting._get_collection().find({"_id": {"$in": list(seen)}}, wanted)}


def write(seen: Sequence[Seen], stored: Mapping[ObjectId, Any], raw: str, hinted: bool) -> list[Taken]:
    """Write sightings, and count them, in one transaction; those `stored` wait there and are settled now."""
    if not seen:
        return []
    taken: list[Taken] = []
    chains: dict[str, list[Chain]] = {}
    apart: list[tuple[Seen, dict[str, Any]]] = []
    for each in sorted(seen, key=lambda one: one.at):
        kind = kind_of(each)
        if kind is None:
            apart.append((each, {"outcome": "waiting"}))
        elif quiet := catalogue(district_of(each.area)).is_quiet(
            area=each.area, point=each.point, device=each.device, kind=kind["code"], at=each.at
        ):
            apart.append((each, {"outcome": "muted", "kind": kind["code"], "quiet": quiet}))
        else:
            add_to_chain(chains, each, kind)
    every = [chain for found in chains.values() for chain in found]

    def keep(each: Seen, values: Mapping[str, Any]) -> None:
        row = sighting_row(each, values, raw if each is seen[0] else "")
        if each.id in stored:
            settled = {name: row[name] for name in (*SETTLED, *values)}
            update_later(SIGHTINGS, {"_id": each.id, "outcome": "waiting"}, {"$set": settled})
        else:
            insert_later(SIGHTINGS, row)

    def work() -> list[tuple[Chain, ObjectId, bool]]:
        led = candidates(every, hinted)
        done = []
        for chain in every:
            alert, new = count_or_raise(chain, led[id(chain)])
            for each in chain.seen:
                keep(each, {"outcome": "counted", "kind": chain.kind["code"], "alert": alert})
            done.append((chain, alert, new))
        for one, values in apart:
            keep(one, values)
        settle()  # inside another transaction the writes must not wait for its end: what follows reads them
        return done

    for chain, alert, new in atomically(work):
        remember(chain, alert, new)
        outcome = ("raised" if chain.sure else "unconfirmed") if new else "counted"
        taken += [Taken(each.event_id, outcome if n == 0 else "counted", alert) for n, each in enumerate(chain.seen)]
    return [*taken, *(Taken(one.event_id, values["outcome"]) for one, values in apart)]


#: What changes of a sighting that waited; when and in what it came stays.
SETTLED = ("vendor", "code", "at", "clock_doubted", "confidence", "pictures", "settled_at", "updated_at")


def with_earlier(each: Seen, stored: Mapping[ObjectId, Mapping[str, Any]]) -> Seen:
    """Return a sighting with the pictures that it came with when it had to wait."""
    if each.id not in stored:
        return each
    every = {picture["sha256"]: picture for picture in (*stored[each.id]["pictures"], *each.pictures)}
    return replace(each, pictures=tuple(every.values()))


def attach_late(seen: Sequence[Seen]) -> None:
    """Add pictures that come after the sighting itself to it and to its alert; those that it has change nothing."""
    rows = find_known(each.id for each in seen) if seen else {}
    for each in seen:
        row = rows[each.id]
        had = {picture["sha256"] for picture in row["pictures"]}
        late = [picture for picture in each.pictures if picture["sha256"] not in had]
        if late:
            with suppress(NothingMatched):  # another process has just added one of them
                atomically(lambda row=row, late=late: add_pictures(row, late))  # type: ignore[misc]


def add_pictures(row: Mapping[str, Any], late: Sequence[Mapping[str, Any]]) -> None:
    """Add pictures to a sighting and its alert at the end of the transaction."""
    unseen = {"pictures.sha256": {"$nin": [picture["sha256"] for picture in late]}}
    update_later(SIGHTINGS, {"_id": row["_id"], **unseen}, {"$push": {"pictures": {"$each": list(late)}}})
    if row.get("alert"):
        shown = {"$push": {"pictures": {"$each": list(late), "$slice": MOST_PICTURES}}}
        update_later(ALERTS, {"_id": row["alert"]}, shown)


def count_or_raise(chain: Chain, lead: Lead) -> tuple[ObjectId, bool]:
    """Count a chain into the alert that it leads to, or raise one; returns the alert and whether it is new."""
    if not chain.slot.startswith("#"):
        seen_here(chain, lead)
    if lead.alert is None:
        return raise_new(chain.kind, chain.seen, slot=chain.slot, sure=chain.sure), True
    pictures = [picture for each in chain.seen for picture in each.pictures]
    changes: dict[str, Any] = {
        "$inc": {"count": len(chain.seen)},
        "$min": {"first_at": chain.first},
        "$max": {"last_at": chain.last},
    }
    if pictures:
        changes["$push"] = {"pictures": {"$each": pictures, "$slice": MOST_PICTURES}}
    only = chain.query() if lead.guessed else {}
    update_later(ALERTS, {"_id": lead.alert, **only}, changes)
    known = {"alert": str(lead.alert), "kind": chain.kind["code"], "title": chain.kind["name"]}
    point, area = chain.seen[0].point, chain.seen[0].area
    publish("alert.repeated", {**known, "point": point, "count": len(chain.seen)}, area=area)
    return lead.alert, False

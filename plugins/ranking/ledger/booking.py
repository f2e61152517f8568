"""Book points: one compound at a time, each change a new entry, all of it in the transaction that calls for it.

What is booked follows from which charges stand. So an event that is told again books nothing, and events that are told
in another order end in the same points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import audit, insert_later, mark_dirty, utcnow
from plugins.ranking.appeals.ending import lapse
from plugins.ranking.ledger.allocating import Claim, allocate
from plugins.ranking.ledger.models import Book, Charge, Entry
from plugins.ranking.ledger.telling import METRIC, tell_of

Row = dict[str, Any]


def make_sure(compound: str) -> None:
    """Add the book of a compound unless it is there; outside of the transaction, which it would break."""
    if Book._get_collection().find_one({"_id": compound}, {"_id": 1}) is not None:
        return
    fresh = {"version": 1, "created_at": utcnow(), "updated_at": utcnow(), "last": 0, "turn": 0}
    try:
        Book._get_collection().insert_one({"_id": compound, **fresh})
    except DuplicateKeyError:
        return  # somebody else did so in the same moment


def open_book(compound: str) -> int:
    """Take the turn at a compound's book and return the number of its last entry; another worker waits or retries."""
    found = Book._get_collection().find_one_and_update({"_id": compound}, {"$inc": {"turn": 1}}, return_document=True)
    return int(found["last"])


def end_charge(charge: Mapping[str, Any], state: str, why: str, now: datetime) -> None:
    """Let a charge stand no longer; an appeal that waits ends with it. The points follow with `rebook`."""
    changes: dict[str, Any] = {"state": state, "why": why, "updated_at": now}
    if charge["appeal"] == "filed":
        lapse(charge["_id"], why)
        changes["appeal"] = "lapsed"
    Charge._get_collection().update_one({"_id": charge["_id"]}, {"$set": changes, "$inc": {"version": 1}})


def rebook(compound: str, last: int, windows: Iterable[str], now: datetime) -> int:
    """Book what is missing for the charges of some windows to bear the points that are theirs; returns how many lines.

    `last` is what `open_book` returned in this transaction.
    """
    seq = last
    for window in sorted(set(windows)):
        rows = list(
            Charge._get_collection().find({"window": window, "$or": [{"state": "standing"}, {"net": {"$ne": 0}}]})
        )
        due = allocate(claim(row) for row in rows if row["state"] == "standing")
        for row in sorted(rows, key=lambda each: (each["occurred_at"], str(each["_id"]))):
            target = due.get(row["_id"], 0)
            if target != row["net"]:
                seq += 1
                write(row, target, seq, now)
    if seq > last:
        Book._get_collection().update_one({"_id": compound}, {"$set": {"last": seq, "updated_at": now}})
    return seq - last


def claim(row: Mapping[str, Any]) -> Claim:
    """Return what a charge would have."""
    names = ("day", "points", "cap_day", "cap_period")
    return Claim(id=row["_id"], at=row["occurred_at"], **{name: row[name] for name in names})


def write(charge: Row, target: int, seq: int, now: datetime) -> None:
    """Add the entry that brings a charge to `target`, with its trail, its marks and what people are told."""
    before = charge["net"]
    kind = "reversed" if charge["state"] != "standing" else "booked" if before == 0 else "adjusted"
    copied = ("area", "compound", "rule", "edition", "title", "occurred_at", "source", "source_id", "number", "event")
    entry = {
        "_id": ObjectId(),
        "version": 1,
        "created_at": now,
        "updated_at": now,
        **{name: charge[name] for name in copied},
        **{name: charge[name] for name in ("organisation", "link") if charge.get(name)},
        "seq": seq,
        "charge": charge["_id"],
        "kind": kind,
        "points": target - before,
        "standing": bool(target) - bool(before),
        "note": charge.get("why") if kind == "reversed" else charge.get("note") if kind == "booked" else None,
    }
    insert_later(Entry._get_collection_name(), entry)
    Charge._get_collection().update_one(
        {"_id": charge["_id"]}, {"$set": {"net": target, "updated_at": now}, "$inc": {"version": 1}}
    )
    mark_dirty(METRIC, charge["area"], charge["occurred_at"])
    detail = {name: entry[name] for name in ("compound", "seq", "kind", "rule", "edition", "points", "number")}
    audit.record(
        "ranking.entry.book",
        subject="ranking.charge",
        subject_id=str(charge["_id"]),
        area=charge["area"],
        detail=detail,
    )
    tell_of(charge, entry)

"""The end of retention: keys are destroyed, so that no copy of the bytes, in no backup, can be read again.

A deletion is claimed first, on the condition that no hold is on the case; from then on none can be placed, and the
records stop to stand for their files. Then the keys of all files that nothing else names go. Then one transaction
removes what people wrote, and writes into the ledger which hashes are gone. Killed anywhere in between, the next run
goes on: a key that is gone already is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from mongoengine import Document

from backend.plugin_api import (
    atomically,
    audit,
    current_settings,
    district_of,
    get_logger,
    release_blobs,
    utcnow,
)
from plugins.evidence.captures.models import Capture, Exhibit
from plugins.evidence.cases.models import Case
from plugins.evidence.concerned.models import Defence
from plugins.evidence.custody import note
from plugins.evidence.handover.models import HandOver
from plugins.evidence.matching.models import Template

#: Cases, and captures without one, of one run of the job.
MOST_AT_ONCE = 200

log = get_logger(__name__)

Row = dict[str, Any]


@dataclass(frozen=True)
class Ending:
    """What ends together: a case with its captures, or one capture that never came into a case."""

    subject: str
    subject_id: ObjectId
    area: str
    kept_as: str
    captures: list[ObjectId]
    case: ObjectId | None = None

    @property
    def members(self) -> list[tuple[type[Document], Row]]:
        """The records that name files, and the filter that finds them."""
        of_captures = [(Capture, {"_id": {"$in": self.captures}}), (Exhibit, {"capture": {"$in": self.captures}})]
        of_case = [(Defence, {"case": self.case}), (HandOver, {"case": self.case})] if self.case else []
        return [*of_captures, *of_case]


def delete_expired() -> int:
    """Delete what is due and return how many cases and captures that were."""
    now, deleted = utcnow(), 0
    for ending in (*due_cases(now), *due_captures(now)):
        if claim(ending, now):
            finish(ending)
            deleted += 1
    if deleted:
        log.info("evidence deleted", count=deleted)
    return deleted


def due_cases(now: datetime) -> Iterator[Ending]:
    """Yield the cases whose time is over, and those whose deletion was begun."""
    query = {"delete_after": {"$lte": now}, "shredded_at": None}
    for row in Case._get_collection().find(query).sort("delete_after", 1).limit(MOST_AT_ONCE):
        captures = row.get("captures", [])
        yield Ending("evidence.case", row["_id"], row["area"], row["retention"], captures, row["_id"])


def due_captures(now: datetime) -> Iterator[Ending]:
    """Yield the captures that never came into a case and are kept no longer."""
    before = now - timedelta(days=current_settings().retention_uncased_days)
    query = {"case": None, "received_at": {"$lte": before}, "shredded_at": None}
    for row in Capture._get_collection().find(query).sort("received_at", 1).limit(MOST_AT_ONCE):
        yield Ending("evidence.capture", row["_id"], row["area"], "uncased", [row["_id"]])


def claim(ending: Ending, now: datetime) -> bool:
    """Begin the deletion, or go on with it; False when a hold, a new decision or a case came in between."""
    document, still = (
        (Case, {"holds.0": {"$exists": False}, "delete_after": {"$lte": now}})
        if ending.case
        else (Capture, {"case": None})
    )

    def begin() -> bool:
        begun = {"_id": ending.subject_id, "shredded_at": None, "$or": [{"shredding_at": {"$ne": None}}, still]}
        update = {"$set": {"shredding_at": now}, "$inc": {"version": 1}}
        if not document._get_collection().update_one(begun, update).modified_count:
            return False
        for member, query in ending.members:
            member._get_collection().update_many(query, {"$set": {"shredding_at": now}})
        return True

    return atomically(begin)


def finish(ending: Ending) -> None:
    """Destroy the keys of what only this named, and write that it was done."""
    gone = release_blobs(list(files_of(ending)), space=district_of(ending.area))
    now = utcnow()

    def write() -> None:
        ended = {"$set": {"shredded_at": now}, "$inc": {"version": 1}}
        about_people = {"reporter": "", "note": ""}
        Capture._get_collection().update_many({"_id": {"$in": ending.captures}}, {**ended, "$unset": about_people})
        if ending.case:
            forget_person(ending.case)
            Case._get_collection().update_one(
                {"_id": ending.case}, {**ended, "$unset": {"notice_code": "", "repeats": ""}}
            )
        where = {"subject": ending.subject, "subject_id": str(ending.subject_id), "area": ending.area}
        case = str(ending.case) if ending.case else ""
        note("shredded", **where, case=case, detail={"sha256": gone, "class": ending.kept_as})
        audit.record(
            "evidence.case.delete" if ending.case else "evidence.capture.delete", **where, detail={"files": len(gone)}
        )

    atomically(write)


def files_of(ending: Ending) -> Iterator[str]:
    """Yield the hashes of all files that the records of this ending name."""
    for document, query in ending.members:
        for row in document._get_collection().find(query):
            yield from (photo["sha256"] for photo in row.get("photos", ()))
            yield from (row[name]["sha256"] for name in ("clip", "package") if row.get(name))
            if "sha256" in row:
                yield row["sha256"]


def forget_person(case: ObjectId) -> None:
    """Remove what the person concerned wrote, and the numbers of his or her face."""
    said = {"text": "", "phone": "", "photos": "", "answer": ""}
    Defence._get_collection().update_many({"case": case}, {"$unset": said})
    Template._get_collection().delete_many({"case": case})

"""The end of retention: keys are destroyed, so that no copy of the bytes, in no backup, can be read again.

The deletion of a case is claimed first, on the condition that no hold is on it; from then on none can be placed. Then
the keys go; then one transaction writes what is left of the records, and into the ledger which hashes are gone. Killed
anywhere in between, the next run goes on: a key that is gone already is no fault.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import atomically, audit, current_settings, district_of, get_logger, shred_blob, utcnow
from plugins.evidence.captures.models import Capture, Exhibit
from plugins.evidence.cases.models import Case
from plugins.evidence.concerned.models import Defence, NoticeVisit
from plugins.evidence.custody import note

#: Cases, and captures without one, of one run of the job.
MOST_AT_ONCE = 200

log = get_logger(__name__)

Row = dict[str, Any]


def delete_expired() -> int:
    """Delete what is due and return how many cases and captures that were."""
    now = utcnow()
    deleted = 0
    for case in due_cases(now):
        deleted += claim(Case, case["_id"], {"holds.0": {"$exists": False}, "delete_after": {"$lte": now}}, now)
        if Case._get_collection().find_one({"_id": case["_id"], "shredding_at": {"$ne": None}}):
            delete_case(case)
    for capture in due_captures(now):
        # Bundled meanwhile, it goes with its case.
        deleted += claim(Capture, capture["_id"], {"case": None}, now)
        if Capture._get_collection().find_one({"_id": capture["_id"], "shredding_at": {"$ne": None}}):
            delete_captures([capture], case=None)
    if deleted:
        log.info("evidence deleted", count=deleted)
    return deleted


def due_cases(now: datetime) -> list[Row]:
    """Return the cases whose time is over, and those whose deletion was begun; both by one index."""
    query = {"delete_after": {"$lte": now}, "shredded_at": None}
    return list(Case._get_collection().find(query).sort("delete_after", 1).limit(MOST_AT_ONCE))


def due_captures(now: datetime) -> list[Row]:
    """Return the captures that never came into a case and are kept no longer."""
    before = now - timedelta(days=current_settings().retention_uncased_days)
    query = {"case": None, "received_at": {"$lte": before}, "shredded_at": None}
    return list(Capture._get_collection().find(query).sort("received_at", 1).limit(MOST_AT_ONCE))


def claim(document: type[Case] | type[Capture], record_id: ObjectId, condition: Row, now: datetime) -> bool:
    """Begin the deletion unless the condition has ceased to hold; returns whether it begins now."""
    update = {"$set": {"shredding_at": now}, "$inc": {"version": 1}}
    begun = {"_id": record_id, "shredding_at": None, **condition}
    return bool(document._get_collection().update_one(begun, update).modified_count)


def delete_case(case: Row) -> None:
    """Delete a case whose deletion is claimed, with all that belongs to it."""
    captures = list(Capture._get_collection().find({"_id": {"$in": case["captures"]}}))
    delete_captures(captures, case=case)


def delete_captures(captures: list[Row], *, case: Row | None) -> None:
    """Destroy the keys of the captures' originals and exhibits, and write that it was done."""
    area = case["area"] if case else captures[0]["area"]
    ids = [capture["_id"] for capture in captures]
    exhibits = list(Exhibit._get_collection().find({"capture": {"$in": ids}}, {"sha256": 1}))
    hashes = {*hashes_of(captures), *(exhibit["sha256"] for exhibit in exhibits), *hashes_of_case(case)}
    gone = sorted(hashes - referenced_elsewhere(area, hashes, ids, case))
    for sha256 in gone:
        shred_blob(sha256, space=district_of(area))
    now = utcnow()

    def write() -> None:
        forgotten = {"reporter": "", "note": ""}
        Capture._get_collection().update_many(
            {"_id": {"$in": ids}}, {"$set": {"shredded_at": now}, "$unset": forgotten, "$inc": {"version": 1}}
        )
        Exhibit._get_collection().update_many({"capture": {"$in": ids}}, {"$set": {"shredded_at": now}})
        subject, subject_id = ("evidence.case", case["_id"]) if case else ("evidence.capture", ids[0])
        if case:
            forget_people(case)
            Case._get_collection().update_one(
                {"_id": case["_id"]},
                {
                    "$set": {"shredded_at": now},
                    "$unset": {"notice_code": "", "notice_index": "", "repeats": ""},
                    "$inc": {"version": 1},
                },
            )
        note(
            "shredded",
            area=area,
            subject=subject,
            subject_id=str(subject_id),
            case=str(case["_id"]) if case else "",
            detail={"sha256": gone, "class": case["retention"] if case else "uncased"},
        )
        audit.record(
            "evidence.case.delete" if case else "evidence.capture.delete",
            subject=subject,
            subject_id=str(subject_id),
            area=area,
            detail={"blobs": len(gone)},
        )

    atomically(write)


def hashes_of(captures: Collection[Row]) -> Iterator[str]:
    """Yield the hashes of the captures' originals."""
    for capture in captures:
        yield from (photo["sha256"] for photo in capture.get("photos", ()))
        if clip := capture.get("clip"):
            yield clip["sha256"]


def hashes_of_case(case: Row | None) -> Iterator[str]:
    """Yield the hashes of what was made of the case as a whole."""
    if case:
        for defence in Defence._get_collection().find({"case": case["_id"]}, {"photos": 1}):
            yield from (photo["sha256"] for photo in defence.get("photos", ()))


def forget_people(case: Row) -> None:
    """Remove from the case's own records what people wrote about themselves."""
    told = {"text": "", "phone": "", "answer": "", "photos": ""}
    Defence._get_collection().update_many({"case": case["_id"]}, {"$unset": told, "$inc": {"version": 1}})
    NoticeVisit._get_collection().delete_many({"case": case["_id"]})


def referenced_elsewhere(area: str, hashes: set[str], captures: list[ObjectId], case: Row | None) -> set[str]:
    """Return those of the hashes that something else in the same district still needs."""
    named, district = {"$in": sorted(hashes)}, district_of(area)
    inside = {"area": {"$gte": district, "$lt": f"{district}0"}, "shredded_at": None}
    others = Capture._get_collection().find(
        {"_id": {"$nin": captures}, **inside, "$or": [{"photos.sha256": named}, {"clip.sha256": named}]}
    )
    exhibits = Exhibit._get_collection().find({"sha256": named, "capture": {"$nin": captures}, **inside}, {"sha256": 1})
    own = {"case": {"$ne": case["_id"]}} if case else {}
    defences = Defence._get_collection().find({"photos.sha256": named, **own}, {"photos": 1})
    said = (photo["sha256"] for defence in defences for photo in defence["photos"])
    return hashes & {*hashes_of(list(others)), *(exhibit["sha256"] for exhibit in exhibits), *said}

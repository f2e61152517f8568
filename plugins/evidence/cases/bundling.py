"""Put captures into cases: what was seen at one point in one span, of one violation, is one case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    LOCAL_ZONE,
    Event,
    StaleVersion,
    atomically,
    current_actor,
    current_settings,
    district_of,
    mark_dirty,
    publish,
    utcnow,
)
from plugins.evidence.captures.models import Capture
from plugins.evidence.cases.models import CASE_FLOW, Case, CaseSeries, CaseSpan
from plugins.evidence.custody import note

METRIC = "evidence.cases"


def bundle_capture(event: Event) -> None:
    """Put the capture of an `evidence.extracted` event into a case; one that lies in a case stays there."""
    capture = Capture.objects(id=ObjectId(event.payload["capture"])).first()
    if capture is None or capture.case is not None:
        return
    # Made beforehand: what the transaction then does to them is a change, which makes a second worker wait.
    make_sure(CaseSpan, span_of(capture))
    make_sure(CaseSeries, series_of(capture.area), last=0)
    atomically(lambda: bundle(capture.id))


def bundle(capture_id: ObjectId) -> None:
    """Find or open the case of a capture, in the current transaction."""
    capture = Capture.objects(id=capture_id).first()
    if capture is None or capture.case is not None:
        return
    CaseSpan._get_collection().update_one({"_id": span_of(capture)}, {"$inc": {"turn": 1}})
    case = touching(capture)
    if case is None:
        open_case([capture], "收到取证，立案待复核")
    else:
        changed(case, span_with([*captures_of(case), capture]), "bundle", f"并入取证 {capture.id}")
        assign([capture], case.id)
        told_bundled(capture, case)


def touching(capture: Capture) -> Case | None:
    """Return the waiting case whose span, and the cooldown around it, holds the capture's time; the nearest of two."""
    cooldown = timedelta(minutes=current_settings().case_cooldown_minutes)
    seen = capture.device_time
    near = Case.objects(
        point=capture.point,
        violation=capture.violation,
        state="waiting",
        first_at__lte=seen + cooldown,
        last_at__gte=seen - cooldown,
    )
    return min(
        near, key=lambda case: (max(case.first_at - seen, seen - case.last_at, timedelta()), case.id), default=None
    )


def open_case(captures: Sequence[Capture], why: str, **values: Any) -> Case:
    """Open a case of captures of one point, in the current transaction; returns it."""
    first = captures[0]
    case = Case(
        area=first.area,
        number=next_number(first.area),
        point=first.point,
        point_name=first.point_name,
        place=first.place,
        violation=first.violation,
        **span_with(captures),
        **values,
    )
    CASE_FLOW.begin(case, actor=current_actor(), note=why)
    case.save(force_insert=True)
    assign(captures, case.id)
    for capture in captures:
        told_bundled(capture, case)
    told = {"case": str(case.id), "number": case.number, "violation": case.violation}
    publish("evidence.case_opened", {**told, "captures": [str(each.id) for each in captures]}, area=case.area)
    mark_dirty(METRIC, case.area, case.created_at)
    return case


def next_number(area: str) -> str:
    """Return the next case number of the district in this year, `330110-2026-000001`, in the current transaction."""
    series = series_of(area)
    counted = CaseSeries._get_collection().find_one_and_update(
        {"_id": series}, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER
    )
    return f"{series}-{counted['last']:06d}"


def series_of(area: str) -> str:
    """Return the district and the year, as people here count it, that a new case's number begins with."""
    return f"{district_of(area)}-{utcnow().astimezone(LOCAL_ZONE).year}"


def span_of(capture: Capture) -> str:
    """Return the id of what a worker writes first that adds to the cases of this violation at this point."""
    return f"{capture.point}/{capture.violation}"


def make_sure(document: type[CaseSpan | CaseSeries], id: str, **values: Any) -> None:
    """Add a document that others count on, unless it is there."""
    fresh = {"version": 1, "created_at": utcnow(), "updated_at": utcnow(), **values}
    try:
        document._get_collection().update_one({"_id": id}, {"$setOnInsert": fresh}, upsert=True)
    except DuplicateKeyError:
        return  # somebody else did so in the same moment


def captures_of(case: Case) -> list[Capture]:
    """Return the captures of a case, the first seen first."""
    return sorted(Capture.objects(id__in=case.captures), key=lambda each: (each.device_time, each.id))


def span_with(captures: Collection[Capture]) -> dict[str, Any]:
    """Return what a case's captures make of it: which, from when to when, its picture, and its legal ground."""
    ordered = sorted(captures, key=lambda each: (each.device_time, each.id))
    return {
        "captures": [each.id for each in ordered],
        "first_at": ordered[0].device_time,
        "last_at": ordered[-1].device_time,
        "thumbnail": next((each.thumbnail for each in ordered if each.thumbnail), None),
        "legal_complete": all(each.legal is not None and each.legal.complete for each in ordered),
    }


def assign(captures: Collection[Capture], case: ObjectId) -> None:
    """Write into captures which case they lie in now."""
    Capture._get_collection().update_many(
        {"_id": {"$in": [each.id for each in captures]}},
        {"$set": {"case": case, "updated_at": utcnow()}, "$inc": {"version": 1}},
    )


def told_bundled(capture: Capture, case: Case) -> None:
    """Write into the ledger that a capture lies in a case."""
    note(
        "bundled",
        area=case.area,
        subject="evidence.capture",
        subject_id=str(capture.id),
        case=str(case.id),
        detail={"number": case.number},
    )


def changed(case: Case, values: dict[str, Any], verb: str, why: str, at: datetime | None = None) -> Case:
    """Change a case that is still as it was read, and stays in its state; returns it as it is then.

    Raises StaleVersion when somebody else changed it.
    """
    now = at or utcnow()
    actor = current_actor()
    entry = {"verb": verb, "from": case.state, "to": case.state, "at": now}
    entry |= {"actor": actor.id, "actor_kind": actor.kind, "note": why}
    update = {
        "$set": {**values, "version": case.version + 1, "updated_at": now},
        "$push": {"timeline": entry},
    }
    after = Case.objects(id=case.id, state=case.state, version=case.version).modify(__raw__=update, new=True)
    if after is None:
        raise StaleVersion(f"The case {case.number} was changed by somebody else.")
    mark_dirty(METRIC, case.area, case.created_at)
    return after

"""Who sent a resident's report: sealed, and opened by a custodian alone, at the request of somebody else, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Forbidden,
    Principal,
    Problem,
    atomically,
    audit,
    current_actor,
    decrypt_field,
    permitted,
    scope_filter,
)
from plugins.evidence.captures.models import REPORTER_FLOW, Capture, ReporterRequest
from plugins.evidence.captures.reading import find_capture
from plugins.evidence.custody import note

REVIEW, CUSTODIAN = "evidence:review", "evidence:custodian"


def ask(by: Principal, capture_id: ObjectId, reason: str) -> dict[str, Any]:
    """Ask to learn who sent a report; returns the request as stored. Raises Problem where there is nobody to learn."""
    row = find_capture(by, capture_id, REVIEW)
    if not row.get("reporter"):
        raise Problem("no_reporter")
    request = ReporterRequest(
        area=row["area"], capture=capture_id, asked_by=str(by.id), asked_name=by.name, reason=reason
    )
    REPORTER_FLOW.begin(request, actor=current_actor(), note=reason)

    def write() -> None:
        request.save(force_insert=True)
        audit.record("evidence.reporter.request", **_about(row, request, reason))
        _note("reporter_requested", row, request, reason)

    atomically(write)
    return dict(request.to_mongo())


def requests_for(by: Principal, capture_id: ObjectId | None = None) -> dict[str, Any]:
    """Return the filter of the requests that a reviewer or a custodian may see, of one capture or of all."""
    seen = [scope_filter(by, permission) for permission in (REVIEW, CUSTODIAN)]
    parts: list[dict[str, Any]] = [{"$or": seen}]
    if capture_id is not None:
        parts.append({"capture": capture_id})
    return {"$and": parts}


def find_request(by: Principal, capture_id: ObjectId, request_id: ObjectId) -> ReporterRequest:
    """Return a request that the person may answer; raises Problem `not_found`, or Forbidden to whoever asked it."""
    request = ReporterRequest.objects(id=request_id, capture=capture_id).first()
    if request is None or not permitted(by, CUSTODIAN, request.area):
        raise Problem("not_found")
    if request.asked_by == str(by.id):
        raise Forbidden
    return request


def open_reporter(by: Principal, request: ReporterRequest, reason: str) -> dict[str, str]:
    """Return account id, name, phone and address of the reporter; a request opens this once."""
    row = Capture._get_collection().find_one({"_id": request.capture})
    if row is None or not row.get("reporter"):
        raise Problem("no_reporter")
    identity = json.loads(decrypt_field(Capture, row["_id"], "reporter", row["reporter"]))

    def write() -> None:
        _answer(by, request, "open", reason)
        audit.record("evidence.reporter.reveal", **_about(row, request, reason))
        _note("reporter_opened", row, request, reason)

    atomically(write)
    return {name: str(identity.get(name) or "") for name in ("id", "name", "phone", "address")}


def refuse(by: Principal, request: ReporterRequest, reason: str) -> dict[str, Any]:
    """Refuse a request; returns it as stored."""

    def write() -> ReporterRequest:
        after = _answer(by, request, "refuse", reason)
        about = _about({"_id": request.capture, "area": request.area}, request, reason)
        audit.record("evidence.reporter.refuse", **about)
        return after

    return dict(atomically(write).to_mongo())


def request_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request as people see it; who is behind the report is not in it."""
    names = ("area", "asked_name", "reason", "answered_name", "answer", "state", "created_at", "updated_at")
    shown = {name: row.get(name) for name in names}
    return {
        **shown,
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "capture": str(row["capture"]),
        "state_title": REPORTER_FLOW.states[row["state"]],
    }


def _answer(by: Principal, request: ReporterRequest, verb: str, reason: str) -> ReporterRequest:
    changes = {"answered_by": str(by.id), "answered_name": by.name, "answer": reason}
    return REPORTER_FLOW.fire(request, verb, actor=current_actor(), note=reason, changes=changes)


def _about(row: Mapping[str, Any], request: ReporterRequest, reason: str) -> dict[str, Any]:
    subject = {"subject": "evidence.capture", "subject_id": str(row["_id"]), "area": row["area"]}
    return {**subject, "detail": {"request": str(request.id), "purpose": reason}}


def _note(kind: str, row: Mapping[str, Any], request: ReporterRequest, reason: str) -> None:
    note(
        kind,
        area=row["area"],
        subject="evidence.capture",
        subject_id=str(row["_id"]),
        case=str(row.get("case") or ""),
        purpose=reason,
        detail={"request": str(request.id)},
    )

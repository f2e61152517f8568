"""Who sent an exposure: sealed, and opened by a custodian alone, at the request of somebody else, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Forbidden,
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    atomically,
    audit,
    blind_index,
    current_actor,
    permitted,
    scope_filter,
)
from plugins.publicity.exposure.models import (
    CUSTODIAN,
    MODERATE,
    REQUEST_FLOW,
    Exposure,
    IdentityRequest,
    Reporter,
)


def ask(by: Principal, exposure: Exposure, reason: str) -> IdentityRequest:
    """Ask to learn who sent an exposure; whether anybody is known at all is told by the custodian alone."""
    request = IdentityRequest(
        area=exposure.area, exposure=exposure.id, asked_by=str(by.id), asked_name=by.name, reason=reason
    )
    REQUEST_FLOW.begin(request, actor=current_actor(), note=reason)

    def write() -> None:
        request.save(force_insert=True)
        audit.record("publicity.reporter.request", **_about(request, reason))

    atomically(write)
    return request


def requests_for(by: Principal) -> dict[str, Any]:
    """Return the filter of the requests that a moderator or a custodian may see."""
    return {"$or": [scope_filter(by, permission) for permission in (MODERATE, CUSTODIAN)]}


def find_request(by: Principal, request_id: ObjectId) -> IdentityRequest:
    """Return a request that the person may answer; raises Problem `not_found`, or Forbidden to whoever asked it."""
    request = IdentityRequest.objects(id=request_id).first()
    if request is None or not permitted(by, CUSTODIAN, request.area):
        raise Problem("not_found")
    if request.asked_by == str(by.id):
        raise Forbidden
    return request


def open_reporter(by: Principal, request: IdentityRequest, reason: str) -> dict[str, str]:
    """Return what is known of the reporter; a request opens this once. Raises Problem `no_identity`."""
    index = blind_index(Reporter, "exposure", str(request.exposure))
    sealed = Reporter.objects(exposure_index=index).first()
    if sealed is None:
        raise Problem("no_identity")
    identity = json.loads(sealed.identity)

    def write() -> None:
        _answer(by, request, "open", reason)
        audit.record("publicity.reporter.reveal", **_about(request, reason))

    atomically(write)
    return {name: str(identity.get(name) or "") for name in ("id", "name", "phone", "email", "device")}


def refuse(by: Principal, request: IdentityRequest, reason: str) -> IdentityRequest:
    """Refuse a request; returns it as stored."""

    def write() -> IdentityRequest:
        after = _answer(by, request, "refuse", reason)
        audit.record("publicity.reporter.refuse", **_about(request, reason))
        return after

    return atomically(write)


def request_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request as people see it; who is behind the exposure is not in it."""
    names = ("area", "asked_name", "reason", "answered_name", "answer", "state", "created_at")
    return {
        **{name: row.get(name) for name in names},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "exposure": str(row["exposure"]),
        "state_title": REQUEST_FLOW.states[row["state"]],
    }


def _answer(by: Principal, request: IdentityRequest, verb: str, reason: str) -> IdentityRequest:
    changes = {"answered_by": str(by.id), "answered_name": by.name, "answer": reason}
    try:
        return REQUEST_FLOW.fire(request, verb, actor=current_actor(), note=reason, changes=changes)
    except IllegalTransition as error:
        raise Problem("conflict") from error
    except StaleVersion as error:
        raise Problem("stale_version") from error


def _about(request: IdentityRequest, reason: str) -> dict[str, Any]:
    subject = {"subject": "publicity.exposure", "subject_id": str(request.exposure), "area": request.area}
    return {**subject, "detail": {"request": str(request.id), "purpose": reason}}

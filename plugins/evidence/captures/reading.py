"""Show captures and exhibits: everyone with the permission sees masked copies, few see faces, and that is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, audit, permitted, require, scope_filter
from plugins.evidence.captures.models import CAPTURE_FLOW, MASKED, VIOLATIONS, Capture, Exhibit

VIEW = "evidence:view"
VIEW_UNMASKED = "evidence:view_unmasked"
BASE = "/api/v1/evidence"


def conditions(by: Principal, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    query: list[dict[str, Any]] = [
        {name: asked[name]} for name in ("state", "violation", "device", "point") if name in asked
    ]
    for name, operator in (("since", "$gte"), ("until", "$lt")):
        if name in asked:
            query.append({"received_at": {operator: asked[name]}})
    query.append(scope_filter(by, VIEW, within=asked.get("within", "")))
    return {"$and": query}


def find_capture(by: Principal, capture_id: ObjectId, permission: str = VIEW) -> dict[str, Any]:
    """Return a capture as stored; raises Problem `not_found` outside the person's area."""
    row = Capture._get_collection().find_one({"$and": [{"_id": capture_id}, scope_filter(by, permission)]})
    if row is None:
        raise Problem("not_found")
    return row


def summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a capture as it stands in a list."""
    names = ("area", "device", "device_name", "point", "point_name", "violation", "state", "device_time", "received_at")
    failed = [entry for entry in row.get("timeline", ()) if entry["verb"] == "fail"]
    return {
        **{name: row[name] for name in names},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "violation_title": VIOLATIONS[row["violation"]],
        "state_title": CAPTURE_FLOW.states[row["state"]],
        "clock_offset": row["clock_offset"],
        "thumbnail": picture_address(row["thumbnail"]) if row.get("thumbnail") else None,
        "found": row.get("found", {}),
        "failure": failed[-1]["note"] if failed and row["state"] == "failed" else None,
    }


def detail(by: Principal, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a capture with its photos and with the exhibits that the person may open."""
    unmasked = permitted(by, VIEW_UNMASKED, row["area"])
    query: dict[str, Any] = {"capture": row["_id"]} if unmasked else {"capture": row["_id"], "kind": {"$in": MASKED}}
    exhibits = Exhibit._get_collection().find(query).sort([("photo", 1), ("kind", 1), ("number", 1)])
    photos = [
        {
            **photo,
            "number": number,
            "original": f"{BASE}/captures/{row['_id']}/photos/{number}" if unmasked else None,
        }
        for number, photo in enumerate(row["photos"])
    ]
    return {**summary(row), "photos": photos, "exhibits": [exhibit_view(exhibit) for exhibit in exhibits]}


def exhibit_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an exhibit with the address of its picture."""
    names = ("photo", "kind", "sha256", "box", "label", "score", "source", "comparable", "made_by")
    shown = {name: row[name] for name in names if row.get(name) is not None}
    return {**shown, "id": str(row["_id"]), "picture": picture_address(str(row["_id"]))}


def picture_address(exhibit_id: str) -> str:
    """Return where an exhibit's picture is."""
    return f"{BASE}/exhibits/{exhibit_id}/picture"


def open_exhibit(by: Principal, exhibit_id: ObjectId, purpose: str) -> dict[str, Any]:
    """Return an exhibit that the person may open; one with a face asks for a purpose, and the look is recorded."""
    row = Exhibit._get_collection().find_one({"$and": [{"_id": exhibit_id}, scope_filter(by, VIEW)]})
    if row is None:
        raise Problem("not_found")
    if row["kind"] not in MASKED:
        require(by, VIEW_UNMASKED, row["area"])
        record_look(row["capture"], row["area"], purpose, {"exhibit": str(exhibit_id), "kind": row["kind"]})
    return row


def open_original(by: Principal, capture_id: ObjectId, number: int, purpose: str) -> dict[str, Any]:
    """Return one original photo's facts and area to whoever may see faces; the look is recorded with its purpose."""
    row = find_capture(by, capture_id)
    require(by, VIEW_UNMASKED, row["area"])
    if number >= len(row["photos"]):
        raise Problem("not_found")
    record_look(capture_id, row["area"], purpose, {"photo": number})
    return {**row["photos"][number], "area": row["area"]}


def record_look(capture: ObjectId, area: str, purpose: str, what: Mapping[str, Any]) -> None:
    """Write into the audit trail who looked at an unmasked picture, and why."""
    if not purpose.strip():
        raise Problem("purpose_required")
    audit.record(
        "evidence.picture.reveal",
        subject="evidence.capture",
        subject_id=str(capture),
        area=area,
        detail={**what, "purpose": purpose.strip()},
    )


def recent(scope: Mapping[str, Any], limit: int) -> Iterable[dict[str, Any]]:
    """Return the newest captures inside a scope, for panels."""
    return Capture._get_collection().find(dict(scope)).sort([("_id", -1)]).limit(limit)

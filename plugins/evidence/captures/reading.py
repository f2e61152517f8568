"""Find and show captures and exhibits: whoever may see a capture sees masked copies, few see that there is more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, permitted, scope_filter
from plugins.evidence.captures.models import CAPTURE_FLOW, MASKED, SOURCES, VIOLATIONS, Capture, Exhibit, LegalRecord

VIEW = "evidence:view"
VIEW_UNMASKED = "evidence:view_unmasked"
BASE = "/api/v1/evidence"


def conditions(by: Principal, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    query: list[dict[str, Any]] = [
        {name: asked[name]} for name in ("state", "violation", "source", "device", "point") if name in asked
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
    names = ("area", "source", "point", "point_name", "violation", "state", "device_time", "received_at")
    failed = [entry for entry in row.get("timeline", ()) if entry["verb"] == "fail"]
    return {
        **{name: row[name] for name in names},
        "device": row.get("device"),
        "device_name": row.get("device_name") or SOURCES[row["source"]],
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
    address = f"{BASE}/captures/{row['_id']}"
    photos = [
        {**photo, "number": number, "original": f"{address}/photos/{number}" if unmasked else None}
        for number, photo in enumerate(row["photos"])
    ]
    clip = row.get("clip")
    legal = row.get("legal")
    return {
        **summary(row),
        "note": row.get("note"),
        "findings": row.get("findings", []),
        "case": str(row["case"]) if row.get("case") else None,
        "legal": {**legal, "complete": LegalRecord(**legal).complete} if legal else None,
        "photos": photos,
        "clip": {**clip, "original": f"{address}/clip" if unmasked else None} if clip else None,
        "exhibits": [exhibit_view(exhibit) for exhibit in exhibits],
    }


def exhibit_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an exhibit with the address of its picture."""
    names = ("photo", "kind", "sha256", "sm3", "box", "label", "score", "source", "comparable", "quality", "made_by")
    shown = {name: row[name] for name in names if row.get(name) is not None}
    return {**shown, "id": str(row["_id"]), "picture": picture_address(str(row["_id"]))}


def receipt(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sender of a capture gets back: the same each time it is sent."""
    return {
        "id": str(row["_id"]),
        "state": row["state"],
        "received_at": row["received_at"],
        "photos": [photo["sha256"] for photo in row["photos"] if photo.get("frame_at") is None],
        "clip": row["clip"]["sha256"] if row.get("clip") else None,
    }


def picture_address(exhibit_id: str) -> str:
    """Return where an exhibit's picture is."""
    return f"{BASE}/exhibits/{exhibit_id}/picture"


def recent(scope: Mapping[str, Any], limit: int) -> Iterable[dict[str, Any]]:
    """Return the newest captures inside a scope, for panels."""
    return Capture._get_collection().find(dict(scope)).sort([("_id", -1)]).limit(limit)

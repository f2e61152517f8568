"""Looks at evidence: each is written into the ledger before anything is shown; at a face only for a purpose.

Thumbnails in lists and on the map are no looks: they show no face, and no more than that something was seen there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Principal,
    Problem,
    atomically,
    audit,
    current_actor,
    require,
    scope_filter,
    utcnow,
)
from plugins.evidence.captures.models import MASKED, Capture, Exhibit
from plugins.evidence.captures.reading import VIEW, VIEW_UNMASKED, detail, find_capture
from plugins.evidence.custody import note

#: A player asks for a clip piece by piece: all that one person asks for within this time, for one purpose, is one look.
PLAYBACK = timedelta(minutes=10)


def look_at_record(by: Principal, capture_id: ObjectId) -> dict[str, Any]:
    """Return a capture with its photos and exhibits, as the person may see them."""
    row = find_capture(by, capture_id)
    _look(row, "viewed", {"record": True})
    return detail(by, row)


def open_exhibit(by: Principal, exhibit_id: ObjectId, purpose: str, download: bool) -> dict[str, Any]:
    """Return an exhibit that the person may open; one that may show a face asks for the right to that and a purpose."""
    row = Exhibit._get_collection().find_one({"$and": [{"_id": exhibit_id}, scope_filter(by, VIEW)]})
    if row is None:
        raise Problem("not_found")
    unmasked = row["kind"] not in MASKED
    if unmasked:
        require(by, VIEW_UNMASKED, row["area"])
    still_there(row)
    if row["kind"] == "masked_thumbnail" and not download:
        return row
    capture = Capture._get_collection().find_one({"_id": row["capture"]}, {"case": 1}) or {}
    whose = {"_id": row["capture"], "area": row["area"], "case": capture.get("case")}
    what = {"exhibit": str(exhibit_id), "kind": row["kind"], "photo": row["photo"]}
    record_look(whose, row["sha256"], what, unmasked=unmasked, purpose=purpose, download=download)
    return row


def open_original(by: Principal, capture_id: ObjectId, number: int, purpose: str, download: bool) -> dict[str, Any]:
    """Return one original photo's facts and area to whoever may see faces."""
    row = find_capture(by, capture_id)
    require(by, VIEW_UNMASKED, row["area"])
    if number >= len(row["photos"]):
        raise Problem("not_found")
    still_there(row)
    photo = row["photos"][number]
    record_look(row, photo["sha256"], {"photo": number}, unmasked=True, purpose=purpose, download=download)
    return {**photo, "area": row["area"]}


def open_clip(by: Principal, capture_id: ObjectId, purpose: str, download: bool) -> dict[str, Any]:
    """Return the clip's facts and area to whoever may see faces."""
    row = find_capture(by, capture_id)
    require(by, VIEW_UNMASKED, row["area"])
    if not row.get("clip"):
        raise Problem("not_found")
    still_there(row)
    what = {"clip": True}
    if not looks_already(capture_id, {**what, "purpose": purpose.strip(), "download": download}):
        record_look(row, row["clip"]["sha256"], what, unmasked=True, purpose=purpose, download=download)
    return {**row["clip"], "area": row["area"]}


def record_look(
    capture: Mapping[str, Any], sha256: str, what: Mapping[str, Any], *, unmasked: bool, purpose: str, download: bool
) -> None:
    """Write down who looks at what, and why; raises Problem when it shows faces and no purpose is given."""
    purpose = purpose.strip()
    if unmasked and not purpose:
        raise Problem("purpose_required")

    def write() -> None:
        if unmasked:
            audit.record(
                "evidence.picture.reveal",
                subject="evidence.capture",
                subject_id=str(capture["_id"]),
                area=capture["area"],
                detail={**what, "purpose": purpose, "download": download},
            )
        kind = "downloaded" if download else "revealed" if unmasked else "viewed"
        _look(capture, kind, {**what, "unmasked": unmasked}, sha256=sha256, purpose=purpose)

    atomically(write)


def looks_already(capture_id: ObjectId, what: Mapping[str, Any]) -> bool:
    """Tell whether the person's look at this was written down a short while ago."""
    since, person = utcnow() - PLAYBACK, current_actor().id
    return any(
        entry.action == "evidence.picture.reveal" and entry.actor.id == person and dict(entry.detail) == dict(what)
        for entry in audit.history("evidence.capture", str(capture_id))
        if entry.at > since
    )


def still_there(row: Mapping[str, Any]) -> None:
    """Raise Problem when the pictures are destroyed, or about to be: their retention has ended."""
    if row.get("shredding_at"):
        raise Problem("evidence_deleted")


def _look(
    capture: Mapping[str, Any], kind: str, detail: Mapping[str, Any], *, sha256: str = "", purpose: str = ""
) -> None:
    note(
        kind,
        area=capture["area"],
        subject="evidence.capture",
        subject_id=str(capture["_id"]),
        case=str(capture.get("case") or ""),
        sha256=sha256,
        purpose=purpose,
        detail=detail,
    )

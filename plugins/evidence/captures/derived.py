"""What is derived from an original: its exhibit, and the ledger entry that says what made it of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import BlobRef, utcnow
from plugins.evidence.captures.models import Capture, Exhibit, Photo
from plugins.evidence.custody import note
from plugins.evidence.vision import Picture


def exhibit_of(
    capture: Capture, photo: int, number: int, picture: Picture, blob: BlobRef, *, exhibit_id: ObjectId | None = None
) -> Exhibit:
    """Return the exhibit of a picture that is stored: the `number`-th of its kind on that photo."""
    return Exhibit(
        id=exhibit_id or ObjectId(),
        area=capture.area,
        capture=capture.id,
        photo=photo,
        kind=picture.kind,
        number=number,
        sha256=blob.sha256,
        sm3=blob.sm3,
        media_type=blob.media_type,
        box=list(picture.box),
        label=picture.label,
        score=picture.score,
        source=picture.source,
        comparable=picture.comparable,
        quality=dict(picture.quality or {}),
        made_by=dict(picture.made_by),
        created_at=utcnow(),
    )


def note_frame(capture: Capture, number: int, photo: Photo) -> None:
    """Write the ledger entry of a frame that was taken out of the capture's clip."""
    what = {"kind": "frame", "photo": number, "of": capture.clip.sha256, "seconds": photo.frame_at}
    _note(capture, photo.sha256, {**what, "sm3": photo.sm3, "made_by": photo.made_by})


def note_exhibit(capture: Capture, photo: Photo, exhibit: Exhibit) -> None:
    """Write the ledger entry of an exhibit that was made of a photo."""
    what = {"kind": exhibit.kind, "photo": exhibit.photo, "number": exhibit.number, "exhibit": str(exhibit.id)}
    how = {"of": photo.sha256, "box": list(exhibit.box), "made_by": exhibit.made_by}
    _note(capture, exhibit.sha256, {**what, "sm3": exhibit.sm3, **how})


def _note(capture: Capture, sha256: str, detail: Mapping[str, Any]) -> None:
    note(
        "derived",
        area=capture.area,
        subject="evidence.capture",
        subject_id=str(capture.id),
        case=str(capture.case or ""),
        sha256=sha256,
        detail=as_text(detail),
    )


def as_text(value: Any) -> Any:
    """Return JSON for the ledger, which takes no floats: there is more than one way to write them."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {name: as_text(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(member) for member in value]
    return value

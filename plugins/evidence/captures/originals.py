"""The originals of an observation: looked at before they are taken in, kept untouched, written down in one act."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from backend.plugin_api import (
    Actor,
    PhotoFacts,
    Problem,
    acting,
    atomically,
    audit,
    current_settings,
    district_of,
    mark_dirty,
    publish,
    put_blob,
    read_photo,
)
from plugins.evidence.captures.models import Capture, Clip, Photo
from plugins.evidence.captures.naming import USER
from plugins.evidence.custody import note
from plugins.evidence.vision import BadClip, ClipFacts, clip_facts

#: How far the sender's clock may run ahead, and how late an observation may come.
AHEAD = timedelta(minutes=5)
LATE = timedelta(days=30)
MOST_PHOTOS = 9
CLIP_TYPE = "video/mp4"


@dataclass(frozen=True)
class Originals:
    """Photos whole, a clip as a file that stands at its beginning; `before` are the numbers of photos before the event.

    A clip may be larger than the memory: it is only ever read in pieces.
    """

    photos: Sequence[bytes]
    before: Collection[int] = ()
    clip: BinaryIO | None = None


def check_time(device_time: datetime, received_at: datetime) -> None:
    """Raise Problem for a time that cannot be, or that is too long ago to count."""
    if device_time > received_at + AHEAD:
        raise Problem("device_time_in_future")
    if device_time < received_at - LATE:
        raise Problem("device_time_too_old")


def keep(originals: Originals, area: str) -> tuple[list[Photo], Clip | None]:
    """Look at all originals, then store them; raises Problem, and then nothing is stored.

    Blobs are named by their content, so keeping them before the record can leave nothing wrong behind.
    """
    photo_facts = check_photos(originals)
    facts = check_clip(originals.clip) if originals.clip else None
    space = district_of(area)
    photos = []
    for number, (content, fact) in enumerate(zip(originals.photos, photo_facts, strict=True)):
        blob = put_blob(content, media_type=fact.media_type, space=space, user=USER)
        photos.append(
            Photo(
                sha256=blob.sha256,
                sm3=blob.sm3,
                media_type=fact.media_type,
                size=blob.size,
                width=fact.width,
                height=fact.height,
                before=number in originals.before,
            )
        )
    if originals.clip is None or facts is None:
        return photos, None
    blob = put_blob(originals.clip, media_type=CLIP_TYPE, space=space, user=USER)
    return photos, Clip(
        sha256=blob.sha256,
        sm3=blob.sm3,
        media_type=CLIP_TYPE,
        size=blob.size,
        seconds=facts.seconds,
        width=facts.width,
        height=facts.height,
    )


def check_photos(originals: Originals) -> list[PhotoFacts]:
    """Return what each photo is; raises Problem for bad ones, for too many bytes, and when nothing shows the event."""
    if sum(len(photo) for photo in originals.photos) > current_settings().max_upload_bytes:
        raise Problem("too_large")
    if any(number >= len(originals.photos) for number in originals.before):
        raise Problem("invalid", fields={"metadata.before": ["事前照片的序号不存在。"]})
    if originals.clip is None and len(set(originals.before)) == len(originals.photos):
        raise Problem("invalid", fields={"photos": ["请至少提供一张事件照片或一段视频。"]})
    return [read_photo(photo, f"photos.{number}") for number, photo in enumerate(originals.photos)]


def check_clip(clip: BinaryIO) -> ClipFacts:
    """Return what the header of a clip says; raises Problem `unreadable_clip`, `clip_too_long` or `clip_too_large`."""
    chosen = current_settings()
    if clip.seek(0, os.SEEK_END) > chosen.max_clip_bytes:
        raise Problem("clip_too_large", detail=f"视频不得超过 {chosen.max_clip_bytes // 1_000_000} MB。")
    clip.seek(0)
    try:
        facts = clip_facts(clip)
    except BadClip as error:
        raise Problem(error.code, detail=str(error), fields={"clip": [str(error)]}) from error
    clip.seek(0)
    if facts.seconds > chosen.max_clip_seconds:
        raise Problem("clip_too_long", detail=f"视频不得超过 {chosen.max_clip_seconds} 秒。")
    if facts.width * facts.height > chosen.max_clip_pixels:
        raise Problem(
            "clip_too_large", detail=f"视频画面不得超过 {chosen.max_clip_pixels // 10_000} 万像素，请用 4K 以下拍摄。"
        )
    return facts


def sha256_of(part: bytes | BinaryIO) -> str:
    """Return the SHA-256 of bytes, or of a file from its beginning, in hex; the file stands there again afterwards."""
    if isinstance(part, bytes):
        return hashlib.sha256(part).hexdigest()
    part.seek(0)
    digest = hashlib.file_digest(cast(io.BytesIO, part), "sha256").hexdigest()
    part.seek(0)
    return digest


def write_down(capture: Capture, actor: Actor) -> None:
    """Store a new capture with its trail, its ledger entries and its promise; raises NotUniqueError for a known event.

    All of that is one transaction: after it the originals will be worked on, whatever dies.
    """

    def write() -> None:
        capture.save(force_insert=True)
        with acting(actor):
            audit.record(
                "evidence.capture.take_in",
                subject="evidence.capture",
                subject_id=str(capture.id),
                area=capture.area,
                detail={"event_id": capture.event_id, "photos": [photo.sha256 for photo in capture.photos]},
            )
            note_originals(capture)
        publish("evidence.captured", {"capture": str(capture.id)}, area=capture.area)
        mark_dirty("evidence.captures", capture.area, capture.received_at)

    atomically(write)


def note_originals(capture: Capture) -> None:
    """Write one ledger entry for each original: what came, from where and when by both clocks."""
    common = {
        "source": capture.source,
        "sender": capture.sender,
        "event_id": capture.event_id,
        "device_time": capture.device_time.isoformat(),
        "received_at": capture.received_at.isoformat(),
        "clock_offset": f"{capture.clock_offset:.3f}",
    }
    originals: list[tuple[Photo | Clip, dict[str, Any]]] = [
        (photo, {"photo": number, "before": photo.before}) for number, photo in enumerate(capture.photos)
    ]
    if capture.clip is not None:
        originals.append((capture.clip, {"clip": True}))
    for original, which in originals:
        note(
            "taken_in",
            area=capture.area,
            subject="evidence.capture",
            subject_id=str(capture.id),
            sha256=original.sha256,
            detail={**which, "sm3": original.sm3, "size": original.size, "type": original.media_type, **common},
        )


def repeated(sender: str, event_id: str, photos: Sequence[str], clip: str | None) -> dict[str, Any] | None:
    """Return the capture that this event made before, None for a new one; raises Problem when it had another content.

    `photos` and `clip` are SHA-256 of what came this time.
    """
    row = Capture._get_collection().find_one({"sender": sender, "event_id": event_id})
    if row is None:
        return None
    sent = [photo["sha256"] for photo in row["photos"] if photo.get("frame_at") is None]
    if sent != list(photos) or (row.get("clip") or {}).get("sha256") != clip:
        raise Problem("event_id_reused")
    return row

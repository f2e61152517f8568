"""Take in what a device sends: check who sent it, keep the originals, and promise that they will be worked on."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from mongoengine.errors import NotUniqueError

from backend.plugin_api import (
    Actor,
    DeviceFacts,
    PlaceFacts,
    Problem,
    acting,
    atomically,
    audit,
    district_of,
    mark_dirty,
    publish,
    put_blob,
    read_photo,
    utcnow,
)
from plugins.evidence.captures.models import CAPTURE_FLOW, Capture

#: How far a device's clock may run ahead, and how late an observation may come.
AHEAD = timedelta(minutes=5)
LATE = timedelta(days=30)
MOST_PHOTOS = 9


def signature(key: str, metadata: bytes, photos: Sequence[bytes]) -> str:
    """Return what a device must send as `X-Signature`: hex HMAC-SHA256, under its key (hex), of the content's hashes.

    The signed text is the line `qingxu-capture-v1`, then the SHA-256 of the metadata and of each photo in order, in
    hex, each on a line of its own.
    """
    hashes = [hashlib.sha256(part).hexdigest() for part in (metadata, *photos)]
    return hmac.new(bytes.fromhex(key), "\n".join(["qingxu-capture-v1", *hashes]).encode(), "sha256").hexdigest()


def recognise(device: DeviceFacts | None, given: str, metadata: bytes, photos: Sequence[bytes]) -> DeviceFacts:
    """Return the device if it is registered, in use and signed this; all else gets one answer that betrays nothing."""
    # The work is the same for a device that does not exist.
    expected = signature(device.secret if device and device.secret else "00" * 32, metadata, photos)
    signed = hmac.compare_digest(expected, given.lower())
    if device is None or not device.secret or not device.active or not signed:
        raise Problem("device_not_recognised")
    return device


def take_in(
    device: DeviceFacts, place: PlaceFacts, observation: Mapping[str, Any], photos: Sequence[bytes], address: str
) -> dict[str, Any]:
    """Keep one observation and return its capture as stored; the same event sent again returns the capture it made.

    Raises Problem: bad photos, a time that cannot be, or an event id that stood for other photos.
    """
    received_at = utcnow()
    device_time = observation["device_time"]
    if device_time > received_at + AHEAD:
        raise Problem("device_time_in_future")
    if device_time < received_at - LATE:
        raise Problem("device_time_too_old")
    facts = [read_photo(photo, f"photos.{number}") for number, photo in enumerate(photos)]
    for region in observation["regions"]:
        if region["photo"] >= len(photos):
            raise Problem("invalid", fields={"metadata.regions": ["区域所指的照片不存在。"]})
    # Blobs are named by their content, so that keeping them before the record can leave nothing wrong behind.
    district = district_of(place.area)
    kept = [
        put_blob(photo, media_type=fact.media_type, space=district) for photo, fact in zip(photos, facts, strict=True)
    ]
    capture = Capture(
        area=place.area,
        source="device",
        sender=device.code,
        device=device.code,
        device_name=device.name,
        event_id=observation["event_id"],
        point=place.code,
        point_name=place.name,
        point_kind=place.kind,
        place=None if place.lon is None else {"type": "Point", "coordinates": [place.lon, place.lat]},
        violation=observation["violation"],
        device_time=device_time,
        received_at=received_at,
        clock_offset=(received_at - device_time).total_seconds(),
        source_address=address,
        regions=observation["regions"],
        photos=[
            {
                "sha256": blob.sha256,
                "sm3": blob.sm3,
                "media_type": fact.media_type,
                "size": blob.size,
                "width": fact.width,
                "height": fact.height,
            }
            for blob, fact in zip(kept, facts, strict=True)
        ],
    )
    actor = Actor(id=device.code, name=device.name, kind="device", address=address)
    CAPTURE_FLOW.begin(capture, actor=actor)

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
        publish("evidence.captured", {"capture": str(capture.id)}, area=capture.area)
        mark_dirty("evidence.captures", capture.area, capture.received_at)

    try:
        atomically(write)
    except NotUniqueError:
        return repeated(device.code, observation["event_id"], [blob.sha256 for blob in kept])
    return dict(capture.to_mongo())


def repeated(device: str, event_id: str, hashes: list[str]) -> dict[str, Any]:
    """Return the capture that this event made before; raises Problem when it had other photos."""
    row = Capture._get_collection().find_one({"sender": device, "event_id": event_id})
    if row is None or [photo["sha256"] for photo in row["photos"]] != hashes:
        raise Problem("event_id_reused")
    return row

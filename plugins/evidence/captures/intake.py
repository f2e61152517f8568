"""Take in what a device sends: check who sent it, keep the originals, and promise that they will be worked on."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from mongoengine.errors import NotUniqueError

from backend.plugin_api import Actor, DeviceFacts, PlaceFacts, Problem, utcnow
from plugins.evidence.captures.models import CAPTURE_FLOW, Capture, LegalRecord
from plugins.evidence.captures.originals import Originals, check_time, keep, repeated, sha256_of, write_down


def signature(key: str, metadata: bytes, photos: Sequence[bytes], clip: bytes | BinaryIO | None = None) -> str:
    """Return what a device must send as `X-Signature`: hex HMAC-SHA256, under its key (hex), of the content's hashes.

    The signed text is the line `qingxu-capture-v1`, then the SHA-256 of the metadata, of each photo in order and of the
    clip if there is one, in hex, each on a line of its own.
    """
    hashes = [sha256_of(part) for part in (metadata, *photos, *([clip] if clip is not None else []))]
    return hmac.new(bytes.fromhex(key), "\n".join(["qingxu-capture-v1", *hashes]).encode(), "sha256").hexdigest()


def recognise(device: DeviceFacts | None, given: str, metadata: bytes, originals: Originals) -> DeviceFacts:
    """Return the device if it is registered, in use and signed this; all else gets one answer that betrays nothing."""
    # The work is the same for a device that does not exist.
    key = device.secret if device and device.secret else "00" * 32
    signed = hmac.compare_digest(
        signature(key, metadata, originals.photos, originals.clip).encode(), given.lower().encode()
    )
    if device is None or not device.secret or not device.active or not signed:
        raise Problem("device_not_recognised")
    return device


def take_in(
    device: DeviceFacts, place: PlaceFacts, observation: Mapping[str, Any], originals: Originals, address: str
) -> dict[str, Any]:
    """Keep one observation and return its capture as stored; the same event sent again returns the capture it made.

    Raises Problem: bad originals, a time that cannot be, or an event id that stood for other originals.
    """
    received_at = utcnow()
    device_time = observation["device_time"]
    check_time(device_time, received_at)
    check_regions(observation["regions"], originals)
    photos, clip = keep(originals, place.area)
    capture = Capture(
        area=place.area,
        source="device",
        sender=device.code,
        device=device.code,
        device_name=device.name,
        legal=LegalRecord(**dataclasses.asdict(device.legal)),
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
        photos=photos,
        clip=clip,
    )
    actor = Actor(id=device.code, name=device.name, kind="device", address=address)
    CAPTURE_FLOW.begin(capture, actor=actor)
    try:
        write_down(capture, actor)
    except NotUniqueError:
        hashes, film = [photo.sha256 for photo in photos], clip.sha256 if clip else None
        earlier = repeated(device.code, observation["event_id"], hashes, film)
        if earlier is None:
            raise
        return earlier
    return dict(capture.to_mongo())


def check_regions(regions: Sequence[Mapping[str, Any]], originals: Originals) -> None:
    """Raise Problem for a region on a photo that was not sent, or that shows nothing of the event."""
    for region in regions:
        if region["photo"] >= len(originals.photos) or region["photo"] in originals.before:
            raise Problem("invalid", fields={"metadata.regions": ["区域所指的照片不存在，或是事前照片。"]})

"""What machines send: from a signed delivery to sightings at known places."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from backend.plugin_api import Actor, DeviceFacts, Problem, acting, district_of, put_blob, read_json, read_photo
from plugins.alerts.intake.places import point_at
from plugins.alerts.intake.reading import MOST_EVENTS, believed, read_events
from plugins.alerts.intake.reading import Seen as Told
from plugins.alerts.intake.seen import Seen, Taken
from plugins.alerts.intake.taking import take_in

#: What a device of a kind counts as; all others are sensors.
SOURCE_OF = {"camera": "camera", "smart_bin": "bin"}


def take_delivery(device: DeviceFacts, body: bytes, address: str, now: datetime) -> list[Taken]:
    """Take in all events of a signed body; raises Problem for a body without events, or with too many."""
    try:
        vendor, events = read_events(read_json(body))
    except ValueError as error:
        raise Problem("no_events") from error
    if len(events) > MOST_EVENTS:
        raise Problem("too_many_events")
    digest = hashlib.sha256(body).hexdigest()
    seen = [seen_of(device, vendor, each, digest, now) for each in events]
    with acting(Actor(id=device.code, name=device.name, kind="device", address=address)):
        return take_in(seen, raw=body.decode())


def seen_of(device: DeviceFacts, vendor: str, told: Told, digest: str, now: datetime) -> Seen:
    """Return what a device tells of, where it is. A point of another district, or that nobody knows, is not believed.

    Pictures are kept before the transaction: they are named by their content, so nothing wrong can stay behind.
    """
    district = district_of(device.area)
    place = point_at(told.point)
    if place is None or district_of(place.area) != district:
        place = point_at(device.point)
    at, doubted = believed(told.at, now)
    where: dict[str, Any] = {"area": device.area, "place": told.place}
    if place is not None:
        known = None if place.lon is None else (place.lon, place.lat)
        where = {
            "area": place.area,
            "point": place.code,
            "point_name": place.name,
            "organisation": place.organisation,
            "place": told.place or known,
        }
    return Seen(
        source=SOURCE_OF.get(device.kind, "sensor"),
        sender=device.code,
        event_id=told.event_id,
        vendor=vendor,
        code=told.code,
        at=at,
        clock_doubted=doubted,
        received_at=now,
        device=told.device or device.code,
        confidence=told.confidence,
        note=told.note,
        pictures=tuple(keep_pictures(told.pictures, district, at)),
        addresses=told.addresses,
        delivery=digest,
        **where,
    )


def keep_pictures(pictures: Sequence[bytes], district: str, at: datetime) -> list[dict[str, Any]]:
    """Keep those that are pictures and return what an alert holds of them; what is none is left in the raw body."""
    kept = []
    for content in pictures:
        try:
            facts = read_photo(content)
        except Problem:
            continue
        blob = put_blob(content, media_type=facts.media_type, space=district)
        kept.append({"sha256": blob.sha256, "media_type": facts.media_type, "at": at})
    return kept

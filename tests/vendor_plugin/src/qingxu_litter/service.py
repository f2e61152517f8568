"""The rules of the module."""

from __future__ import annotations

from datetime import timedelta

from bson import ObjectId

from backend.plugin_api import Event, atomically, mark_dirty, utcnow
from qingxu_litter.models import LitterSighting

METRIC = "litter.sightings"
KEPT = timedelta(days=180)


def note_sighting(event: Event) -> None:
    """Keep what an `evidence.extracted` event saw lying about; the same event again changes nothing."""
    pieces = int(event.payload.get("objects", 0))
    if pieces == 0:
        return
    labels = event.payload.get("labels") or ["unknown"]
    sighting = LitterSighting(
        id=ObjectId(event.id),
        area=event.area,
        capture=str(event.payload["capture"]),
        kind=str(labels[0]),
        pieces=pieces,
        seen_at=event.occurred_at,
    )

    def write() -> None:
        sighting.save()
        mark_dirty(METRIC, event.area, event.occurred_at)

    atomically(write)


def forget_old() -> None:
    """Delete what is older than half a year."""
    LitterSighting.objects(seen_at__lt=utcnow() - KEPT).delete()

"""What the module keeps."""

from __future__ import annotations

from mongoengine import DateTimeField, IntField, StringField

from backend.plugin_api import PlacedRecord


class LitterSighting(PlacedRecord):
    """One capture in which things lay about; `id` is that of the event, so that no event counts twice."""

    meta = {"collection": "litter_sightings", "indexes": [("area", "-seen_at"), "seen_at"]}

    capture = StringField(required=True)
    kind = StringField(required=True)
    pieces = IntField(required=True)
    seen_at = DateTimeField(required=True)

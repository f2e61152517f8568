"""Defines a document class of a taken name."""

from __future__ import annotations

from collections.abc import Sequence

from mongoengine import StringField

from backend.plugin_api import Record, hookimpl


class SoundReading(Record):
    """Hides the SoundReading of `sound` from MongoEngine."""

    meta = {"collection": "hijacks_documents_readings"}
    text = StringField()


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return the document."""
    return [SoundReading]

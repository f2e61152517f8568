"""The records and handlers of the plugin."""

from __future__ import annotations

from collections.abc import Sequence

from mongoengine import StringField

from backend.plugin_api import Event, EventHandler, Record, hookimpl


class Told(Record):
    """One event that was told, under its id."""

    meta = {"collection": "counting_events", "indexes": [{"fields": ["event"], "unique": True}]}

    event = StringField(required=True)
    name = StringField(required=True)
    capture = StringField(required=True)


def count(event: Event) -> None:
    """Note each event once, however often it is delivered."""
    Told.objects(event=event.id).update_one(
        upsert=True, set_on_insert__name=event.name, set_on_insert__capture=event.payload["capture"]
    )


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return what is stored."""
    return [Told]


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Listen to both ends of an extraction."""
    names = ("evidence.extracted", "evidence.extraction_failed")
    return [EventHandler(name=f"counting.{name[9:]}", event=name, handle=count, timeout_seconds=5) for name in names]

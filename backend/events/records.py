"""What an event is, who handles it, and how both are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
    StringField,
)

from backend.jobs import QUEUES

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

#: Done events are kept this long.
KEPT_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class EventKind:
    """A kind of event that a module publishes: `payload` says in words what is in it."""

    name: str
    title: str
    payload: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened: `name` is `noun.past_participle`, `area` the path where, `occurred_at` is UTC."""

    id: str
    name: str
    area: str
    occurred_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)


class Postponed(Exception):
    """Raised by a handler whose work cannot be done yet; it is called again after `seconds`, as often as it takes."""

    def __init__(self, reason: str, *, seconds: int) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, kw_only=True)
class EventHandler:
    """What a module does when `event` happened.

    It is called at least once, by one worker at a time; `event.id` tells a repetition, so the handler can see to it
    that it has one effect. Raises ValueError when the record cannot be right.
    """

    name: str
    event: str
    handle: Callable[[Event], None]
    queue: str = "default"
    timeout_seconds: int = 60

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            raise ValueError(f"Event handler {self.name}: there is no queue {self.queue}.")
        if self.timeout_seconds < 1:
            raise ValueError(f"Event handler {self.name}: timeout_seconds must be at least 1.")

    @property
    def plugin(self) -> str:
        """The module that the handler belongs to: the first part of its name."""
        return self.name.partition(".")[0]


class Delivery(EmbeddedDocument):
    """One handler's share of an event. `due_at` is from when it may be taken; when running, its lease's end."""

    handler = StringField(required=True)
    queue = StringField(required=True)
    state = StringField(required=True, choices=("waiting", "running", "done", "skipped", "dead"))
    attempts = IntField(required=True, default=0)
    due_at = DateTimeField()
    worker = StringField()
    error = StringField()
    ended_at = DateTimeField()


class StoredEvent(Document):
    """An event with its deliveries in one record: stored together with the change that it tells of.

    `open` stays true until each delivery is done or skipped, so the sweep's index holds unfinished events only.
    """

    meta = {
        "collection": "events",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["open", "deliveries.due_at"], "partialFilterExpression": {"open": True}},
            {"fields": ["done_at"], "expireAfterSeconds": KEPT_DAYS * 86400},
        ],
    }

    id = ObjectIdField(primary_key=True)
    name = StringField(required=True)
    area = StringField()
    occurred_at = DateTimeField(required=True)
    payload = DictField()
    open = BooleanField(required=True)
    deliveries = EmbeddedDocumentListField(Delivery)
    done_at = DateTimeField()

"""The bases of all stored records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bson import ObjectId
from mongoengine import DateTimeField, Document, IntField, ObjectIdField, StringField

from backend.storage.connection import is_secantus

#: The time that people here live in; the store keeps UTC.
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


def utcnow() -> datetime:
    """Return now in UTC, cut to the milliseconds that the store keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Record(Document):
    """A stored thing: the id exists from the start, `version` grows by one with each change (the ETag)."""

    meta: dict[str, Any] = {"abstract": True, "auto_create_index": False}

    id = ObjectIdField(primary_key=True, default=ObjectId)
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utcnow)
    updated_at = DateTimeField(required=True, default=utcnow)

    def __init__(self, *args: Any, **values: Any) -> None:
        # Encrypted fields bind the id in, so it has to be set before any of them.
        if "id" in values:
            values = {"id": values.pop("id"), **values}
        super().__init__(*args, **values)


class PlacedRecord(Record):
    """A record that lies in a place: `area` is the path of area codes, so a scope is one range on one index."""

    meta: dict[str, Any] = {"abstract": True, "auto_create_index": False}

    area = StringField(required=True, max_length=200)


def ensure_indexes(documents: Iterable[type[Document]]) -> None:
    """Create the declared indexes that are missing; to be run before data is loaded.

    SecantusDB finds what is near without reading a geo index, and would write some thirty keys for each point of one:
    three quarters of the cost of adding a record. There they are left out.
    """
    without_geo = is_secantus()
    for document in documents:
        if without_geo:
            specs = document._meta["index_specs"]
            document._meta["index_specs"] = [spec for spec in specs if "2dsphere" not in dict(spec["fields"]).values()]
        document.ensure_indexes()

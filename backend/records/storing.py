"""Turn checked values into what the store holds: one way in for single records and for imports of thousands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from bson import ObjectId

from backend.protection import BlindIndexField, EncryptedStringField, blind_index, encrypt_field
from backend.records.resource import Resource
from backend.storage import PlacedRecord, utcnow


def stored(document: type[PlacedRecord], record_id: ObjectId, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the storage form of `values`: private fields sealed and indexed, the place as a GeoJSON point."""
    row: dict[str, Any] = {}
    sealed, indexed = private_fields(document)  # type: ignore[arg-type]
    for name, value in values.items():
        if name in sealed:
            row[name] = encrypt_field(document, record_id, name, value) if value else None
        elif name in document._fields:
            row[name] = value
    for name, of in indexed:
        if of in values:
            row[name] = blind_index(document, of, values[of]) if values[of] else None
    if "longitude" in values and "latitude" in values and "place" in document._fields:
        row["place"] = point(values["longitude"], values["latitude"])
    return row


@cache
def private_fields(document: type[PlacedRecord]) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """Return the names of the encrypted fields, and each blind index with the field that it is of."""
    fields = document._fields.items()
    sealed = frozenset(name for name, each in fields if isinstance(each, EncryptedStringField))
    return sealed, tuple((name, each.of) for name, each in fields if isinstance(each, BlindIndexField))


def new_row(resource: Resource, values: Mapping[str, Any], now: datetime | None = None) -> dict[str, Any]:
    """Return a new record as the store holds it."""
    record_id, now = ObjectId(), now or utcnow()
    row = {"_id": record_id, "version": 1, "created_at": now, "updated_at": now, "active": True}
    return row | stored(resource.document, record_id, values)


def point(longitude: float | None, latitude: float | None) -> dict[str, Any] | None:
    """Return a GeoJSON point in WGS-84, or None when the place is not known."""
    if longitude is None or latitude is None:
        return None
    return {"type": "Point", "coordinates": [longitude, latitude]}

"""Give a district what it begins with; from then on it is the district's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from bson import ObjectId
from pymongo.errors import BulkWriteError

from backend.plugin_api import PlacedRecord, utcnow

DUPLICATE_KEY = 11000


def begin_with(document: type[PlacedRecord], district: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows that a district does not have; of several processes at once one writes each."""
    now, name = utcnow(), document._get_collection_name()
    own = {"version": 1, "created_at": now, "updated_at": now, "active": True, "area_code": district}
    stored = [{"_id": id_of(name, district, row["code"]), "area": district, **own, **row} for row in rows]
    try:
        document._get_collection().insert_many(stored, ordered=False)
    except BulkWriteError as error:
        if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise


def id_of(*names: str) -> ObjectId:
    """Return an id that is the same wherever it is made."""
    return ObjectId(sha256("\0".join(names).encode()).digest()[:12])

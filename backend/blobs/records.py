"""The records of blobs: one for each content of each space."""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection

from backend import storage
from backend.protection import Sealed

COLLECTION = "blobs"

#: A blob's wrapped key, for the rotation of keys.
WRAPPED_KEYS = Sealed(
    collection=COLLECTION,
    field="key",
    place=lambda record: binding(record["space"], record["sha256"]),
    needs=("space", "sha256"),
)


def records() -> Collection[dict[str, Any]]:
    """Return the collection."""
    return storage.database()[COLLECTION]


def uploads() -> Collection[dict[str, Any]]:
    """Return the records of uploads that are under way."""
    return storage.database()["uploads"]


def ensure_indexes() -> None:
    """Create the indexes: of what points to an object, of blobs nobody has looked at yet, of a person's uploads."""
    records().create_index("object")
    records().create_index([("unsettled", 1), ("_id", 1)])
    storage.database()["blob_faults"].create_index("found_at")
    uploads().create_index("parts.object")
    uploads().create_index([("owner", 1), ("expires_at", 1)])
    uploads().create_index("expires_at")


def key_name(space: str, sha256: str) -> str:
    """Return the `_id` of a blob's record; raises ValueError without a space."""
    if not space:
        raise ValueError("A blob belongs to a district.")
    return f"{space}/{sha256}"


def binding(space: str, sha256: str) -> bytes:
    """Name the one blob that a wrapped key is for, so that the records of two blobs cannot be exchanged."""
    return f"blob:{key_name(space, sha256)}".encode()

"""Which stored files captures and exhibits name: what a request that died left unnamed is taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from backend.plugin_api import BlobUser, district_of
from plugins.evidence.captures.models import Capture, Exhibit

#: What `put_blob` is told of whoever keeps a capture's files.
USER = "evidence.captures"


def named(space: str, hashes: Sequence[str]) -> Collection[str]:
    """Return those of the hashes that a photo, a clip or an exhibit of this district bears and is to keep."""
    asked = {"$in": list(hashes)}
    fields = {"area": 1, "photos.sha256": 1, "clip.sha256": 1}
    originals = {"$or": [{"photos.sha256": asked}, {"clip.sha256": asked}], "shredding_at": None}
    captures = Capture._get_collection().find(originals, fields)
    exhibits = Exhibit._get_collection().find({"sha256": asked, "shredding_at": None}, {"area": 1, "sha256": 1})
    rows = [row for found in (captures, exhibits) for row in found if district_of(row["area"]) == space]
    return {sha256 for row in rows for sha256 in _hashes_in(row)} & set(hashes)


def _hashes_in(row: dict[str, Any]) -> Iterator[str]:
    yield from (photo["sha256"] for photo in row.get("photos", ()))
    if row.get("clip"):
        yield row["clip"]["sha256"]
    if "sha256" in row:
        yield row["sha256"]


BLOB_USER = BlobUser(name=USER, referenced=named)

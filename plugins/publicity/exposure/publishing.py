"""The public list: what was handled, looked through by a person, with masked pictures alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from flask import Response

from backend.plugin_api import Problem, district_of, open_blob, read_page
from plugins.publicity.exposure.categories import Category, categories
from plugins.publicity.exposure.models import ACCEPTED, Exposure

NEWEST_FIRST = (("published_at", -1), ("_id", -1))
#: What is on the list: hidden ones are taken from it when they are hidden.
ON_THE_LIST: dict[str, Any] = {"published_at": {"$gt": datetime(2000, 1, 1, tzinfo=UTC)}, "hidden": {"$ne": True}}


def public_page(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of the public list."""
    known = categories()
    page = read_page(Exposure._get_collection(), ON_THE_LIST, sort=NEWEST_FIRST, **asked)
    return page.shown(lambda row: public_view(row, known))


def public_view(row: Mapping[str, Any], known: Mapping[str, Category]) -> dict[str, Any]:
    """Return an exposure as everybody may see it."""
    names = ("number", "point_name", "reported_on", "handled_at", "published_at", "stars")
    return {
        **{name: row.get(name) for name in names},
        "id": str(row["_id"]),
        "category_title": known[row["category"]].title,
        "text": row["published_text"],
        "result": row.get("result") or "",
        "supports": row.get("supports", 0),
        "photos": [n for n in row.get("published_photos", ()) if row["photos"][n].get("masked")],
    }


def public_photo(exposure: ObjectId, number: int) -> Response:
    """Send the masked copy of a photo on the public list; raises Problem `not_found` for any other."""
    row = Exposure._get_collection().find_one(
        {"_id": exposure, **ON_THE_LIST}, {"area": 1, "photos": 1, "published_photos": 1}
    )
    if row is None or number not in row.get("published_photos", ()):
        raise Problem("not_found")
    return _masked(row, number)


def similar_photo(exposure: ObjectId, number: int) -> Response:
    """Send the masked copy of a photo of an accepted, open exposure; raises Problem `not_found` for any other."""
    query = {"_id": exposure, "state": {"$in": list(ACCEPTED)}, "hidden": {"$ne": True}}
    row = Exposure._get_collection().find_one(query, {"area": 1, "photos": 1})
    if row is None:
        raise Problem("not_found")
    return _masked(row, number)


def streamed(sha256: str, area: str, media_type: str = "image/jpeg") -> Response:
    """Send a picture while it is decrypted; nothing of it stays in the browser."""
    content: Iterator[bytes] = open_blob(sha256, space=district_of(area))
    answer = Response(content, mimetype=media_type)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer


def _masked(row: Mapping[str, Any], number: int) -> Response:
    photos = row["photos"]
    if not 0 <= number < len(photos) or not photos[number].get("masked"):
        raise Problem("not_found")
    return streamed(photos[number]["masked"], row["area"])

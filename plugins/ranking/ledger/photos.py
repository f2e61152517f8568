"""Photos of manual entries and of appeals: encrypted blobs of the district."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flask import Response

from backend.plugin_api import BlobUser, Problem, district_of, get_blob, put_blob, read_photo
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.ledger.models import Charge, Picture

#: What `put_blob` is told of whoever keeps the photos.
USER = "ranking.photos"
MOST_PHOTOS = 9


def keep(photos: Sequence[bytes], area: str) -> list[Picture]:
    """Store photos and return what to keep of them; raises Problem `unreadable_image` before any is stored."""
    known = [(data, read_photo(data, "photos")) for data in photos]
    space = district_of(area)
    return [
        Picture(
            sha256=put_blob(data, media_type=facts.media_type, space=space, user=USER).sha256,
            media_type=facts.media_type,
            width=facts.width,
            height=facts.height,
        )
        for data, facts in known
    ]


def answer(photos: Sequence[Picture], number: int, area: str) -> Response:
    """Answer with one photo; raises Problem `not_found`."""
    if number >= len(photos):
        raise Problem("not_found")
    picture = photos[number]
    content = get_blob(picture.sha256, space=district_of(area))
    return Response(content, mimetype=picture.media_type, headers={"Cache-Control": "private, max-age=86400"})


def named(space: str, hashes: Sequence[str]) -> Collection[str]:
    """Return those of the hashes that a manual entry or an appeal of this district bears."""
    query = {"photos.sha256": {"$in": list(hashes)}, "area": {"$gte": space, "$lt": f"{space}0"}}
    rows = [row for model in (Charge, Appeal) for row in model._get_collection().find(query, {"photos.sha256": 1})]
    return {photo["sha256"] for row in rows for photo in row["photos"]} & set(hashes)


BLOB_USER = BlobUser(name=USER, referenced=named)

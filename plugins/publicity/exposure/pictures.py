"""Copies of photos for people to see: without metadata, with black boxes where moderators want them, without faces.

The original is never shown. What the public may see is the masked copy alone; as long as nobody can mask, there is
none.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId
from PIL import Image, ImageDraw, ImageOps

from backend.plugin_api import (
    Event,
    Postponed,
    current_settings,
    district_of,
    get_blob,
    mask_photo,
    put_blob,
    release_blobs,
    utcnow,
)
from plugins.publicity.exposure.models import USER, Exposure

#: Longest side of a copy in pixels, and its quality as JPEG.
LONGEST_SIDE, QUALITY = 1920, 85
#: How long a report's photos wait for somebody who can mask them, and how often that is looked for.
PATIENCE, AGAIN_SECONDS = timedelta(days=7), 600

Boxes = Sequence[Sequence[float]]


def make_copies(event: Event) -> None:
    """Make what is missing of an exposure's copies; run again it makes no second ones.

    Raises Postponed while nobody can mask: the copies for moderators are there by then.
    """
    row = _row(ObjectId(event.payload["exposure"]))
    if row is None:
        return
    space = district_of(row["area"])
    for number, photo in enumerate(row["photos"]):
        if not photo.get("copy"):
            original = get_blob(photo["sha256"], space=space)
            ref = put_blob(clean(original, photo.get("boxes", ())), media_type="image/jpeg", space=space, user=USER)
            _note(row["_id"], number, photo, {"copy": ref.sha256})
            photo["copy"] = ref.sha256
    unmasked = [number for number, photo in enumerate(row["photos"]) if not photo.get("masked")]
    done = [_mask(row["_id"], number, row["photos"][number], space) for number in unmasked]
    if not all(done) and utcnow() - event.occurred_at < PATIENCE:
        raise Postponed("No module can mask photos now.", seconds=AGAIN_SECONDS)


def clean(original: bytes, boxes: Boxes) -> bytes:
    """Return a photo as JPEG with its orientation applied, no metadata, and the boxes black."""
    with Image.open(io.BytesIO(original)) as opened:
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # A fresh picture holds pixels alone: no EXIF, no comments, no colour profile, no second picture behind the first.
    fresh = Image.new("RGB", picture.size)
    fresh.paste(picture)
    draw = ImageDraw.Draw(fresh)
    width, height = fresh.size
    for left, top, right, bottom in boxes:
        draw.rectangle((left * width, top * height, right * width, bottom * height), fill="black")
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def forget_copies(photo: Any) -> list[str]:
    """Take the copies away from a photo whose boxes changed; returns their hashes, for `release_blobs` afterwards."""
    gone = [each for each in (photo.copy, photo.masked) if each]
    photo.copy = photo.masked = photo.faces = None
    photo.made_by = {}
    photo.round += 1
    return gone


def release(event: Event) -> None:
    """Destroy copies that showed what a moderator has blackened since."""
    release_blobs(list(event.payload["gone"]), space=district_of(event.area))


def copy_seconds() -> int:
    """Return how long the copies of one exposure may take."""
    return current_settings().extraction_seconds


def _mask(exposure: ObjectId, number: int, photo: Mapping[str, Any], space: str) -> bool:
    masked = mask_photo(photo["copy"], space)
    if masked is None:
        return False
    # Pixels alone come out of this, too, whoever made the picture.
    ref = put_blob(clean(masked.content, ()), media_type="image/jpeg", space=space, user=USER)
    _note(exposure, number, photo, {"masked": ref.sha256, "faces": masked.faces, "made_by": dict(masked.made_by)})
    return True


def _note(exposure: ObjectId, number: int, photo: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    # A copy of an earlier round shows what has been blackened since: it is not noted.
    same_round = {"_id": exposure, f"photos.{number}.round": photo.get("round", 0)}
    changes = {f"photos.{number}.{name}": value for name, value in made.items()}
    Exposure._get_collection().update_one(same_round, {"$set": changes})


def _row(exposure: ObjectId) -> dict[str, Any] | None:
    return Exposure._get_collection().find_one({"_id": exposure}, {"area": 1, "photos": 1})

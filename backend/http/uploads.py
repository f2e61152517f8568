"""Photos as they come in: known by their content, never by their name, and refused before they cost memory."""

from __future__ import annotations

from backend import settings
from backend.blobs import BadPhoto, PhotoFacts, check_photo
from backend.http.problems import Problem


def read_photo(data: bytes, field: str = "file") -> PhotoFacts:
    """Return what an uploaded photo is; raises Problem `unreadable_image` or `image_too_large`, naming `field`."""
    try:
        return check_photo(data, settings.current().max_image_pixels)
    except BadPhoto as error:
        code = "image_too_large" if error.code == "photo_too_large" else "unreadable_image"
        raise Problem(code, fields={field: [error.detail]}) from error

"""Forms with photos and a clip: how large they may be, and what is taken out of them."""

from __future__ import annotations

from functools import wraps
from typing import Any, BinaryIO, cast

from flask import request
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend.plugin_api import current_settings
from plugins.evidence.captures.originals import MOST_PHOTOS, Originals


class MetadataForm(Schema):
    """The text part of a form."""

    metadata = fields.String(required=True, metadata={"description": "JSON，见 Observation 或 Report"})


class PhotosForm(Schema):
    """The photos of a report."""

    photos = fields.List(
        Upload(),
        load_default=list,
        validate=validate.Length(0, MOST_PHOTOS),
        metadata={"description": "照片，至多 9 张"},
    )


class OriginalsForm(PhotosForm):
    """The photos and the clip of a capture."""

    clip = Upload(load_default=None, metadata={"description": "视频，MP4，至长 60 秒"})


def with_clip(view: Any) -> Any:
    """Decorate a view whose form may hold a clip, which has a limit of its own; place it above `arguments`.

    The form's reader puts every larger part into a file without a name, so that no clip is ever whole in memory.
    """

    @wraps(view)
    def larger(*args: Any, **kwargs: Any) -> Any:
        chosen = current_settings()
        request.max_content_length = chosen.max_upload_bytes + chosen.max_clip_bytes
        return view(*args, **kwargs)

    return larger


def photos_of(files: dict[str, Any]) -> list[bytes]:
    """Return the photos of a form."""
    return [photo.read() for photo in files["photos"]]


def originals_of(files: dict[str, Any], before: list[int]) -> Originals:
    """Return what came in a form: the photos whole, the clip as the file in which it lies."""
    clip = files["clip"]
    return Originals(
        photos=photos_of(files),
        before=before,
        clip=None if clip is None else cast(BinaryIO, clip.stream),
    )

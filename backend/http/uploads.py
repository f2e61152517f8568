"""Pictures as they come in: known by their content, never by their name, and refused before they cost memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image
from werkzeug.datastructures import FileStorage

from backend import settings
from backend.http.problems import Problem

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
WRONG_KIND = "不是可用的图片，请上传 JPEG、PNG 或 WebP。"
BROKEN = "图片不完整或已损坏，请重新拍摄或选择。"


@dataclass(frozen=True)
class Picture:
    """A picture whose data were decoded once: the bytes as they came, and its size in pixels."""

    data: bytes
    media_type: str
    width: int
    height: int


def read_image(file: FileStorage | BinaryIO, field: str = "file") -> Picture:
    """Return the picture in an uploaded file.

    Raises Problem `unreadable_image` for other content or a broken file, and `image_too_large` beyond
    `max_image_pixels`, which is known from the file's head before anything is decoded.
    """
    data = file.read()
    try:
        with Image.open(io.BytesIO(data), formats=tuple(MEDIA_TYPES)) as image:
            width, height, kind = image.width, image.height, str(image.format)
            if width * height > settings.current().max_image_pixels:
                raise Problem("image_too_large", fields={field: [f"图片为 {width}×{height} 像素，请缩小后重试。"]})
            if kind == "PNG":
                image.verify()  # every chunk's checksum, without unpacking
            else:
                image.draft(
                    "L", (max(1, width // 8), max(1, height // 8))
                )  # reads to the end at a fraction of the cost
                image.load()
    except Image.DecompressionBombError as error:
        raise Problem("image_too_large", fields={field: ["图片的像素过多，请缩小后重试。"]}) from error
    except Image.UnidentifiedImageError as error:
        raise Problem("unreadable_image", fields={field: [WRONG_KIND]}) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise Problem("unreadable_image", fields={field: [BROKEN]}) from error
    return Picture(data, MEDIA_TYPES[kind], width, height)

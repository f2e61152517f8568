"""The look at a photo before it is taken in: from its header and its structure, without drawing it in full.

What passes may still hold spoilt pixels; nothing that passes can exhaust memory when it is decoded later.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from PIL import Image, UnidentifiedImageError

# MPO is what phones call a JPEG that carries a second, smaller picture behind the first.
from backend.storage import LOCAL_ZONE

MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}

# Real progressive JPEGs have about ten scans; each costs a pass over all pixels, so thousands are an attack.
MAX_JPEG_SCANS = 32

# Nothing can be seen on less, and no camera makes longer strips.
SHORTEST_SIDE, LONGEST_STRIP = 16, 10

ORIENTATION, EXIF_BLOCK, TAKEN_AT, TAKEN_AT_OFFSET = 0x0112, 0x8769, 0x9003, 0x9011


class BadPhoto(Exception):
    """The upload is no usable photo: `code` is stable, `detail` a Chinese sentence for the sender.

    Codes: photo_empty, photo_type, photo_animated, photo_too_large, photo_shape, photo_damaged.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class PhotoFacts:
    """What a photo says of itself: pixels as shown (orientation applied), media type, UTC time of the camera clock."""

    width: int
    height: int
    media_type: str
    exif_time: datetime | None


def check_photo(data: bytes, max_pixels: int) -> PhotoFacts:
    """Accept a still JPEG, PNG or WebP of at most `max_pixels`, whatever its name says; raises BadPhoto."""
    if not data:
        raise BadPhoto("photo_empty", "照片是空文件。")
    image = _opened(data, max_pixels)
    if image.width * image.height > max_pixels:
        raise _too_large(max_pixels)
    if min(image.size) < SHORTEST_SIDE or max(image.size) > LONGEST_STRIP * min(image.size):
        raise BadPhoto("photo_shape", f"照片边长至少 {SHORTEST_SIDE} 像素，长边不得超过短边的 {LONGEST_STRIP} 倍。")
    if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
        raise BadPhoto("photo_animated", "不接受动态图片，请上传普通照片。")
    exif = _exif(image)
    turned = exif.get(ORIENTATION) in (5, 6, 7, 8)
    facts = PhotoFacts(
        width=image.height if turned else image.width,
        height=image.width if turned else image.height,
        media_type=MEDIA_TYPES[str(image.format)],
        exif_time=_taken_at(exif),
    )
    if not _complete(image, data):
        raise BadPhoto("photo_damaged", "照片不完整或已损坏，请重新上传。")
    return facts


def _opened(data: bytes, max_pixels: int) -> Image.Image:
    """Read the header alone."""
    try:
        return Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own limits
        raise _too_large(max_pixels) from error
    except UnidentifiedImageError as error:
        raise BadPhoto("photo_type", "文件不是 JPEG、PNG 或 WebP 照片。") from error
    except Exception as error:  # Pillow's readers raise many kinds on a header that lies
        raise BadPhoto("photo_damaged", "照片不完整或已损坏，请重新上传。") from error


def _too_large(max_pixels: int) -> BadPhoto:
    return BadPhoto("photo_too_large", f"照片像素过多，最多允许 {max_pixels // 10_000} 万像素。")


def _complete(image: Image.Image, data: bytes) -> bool:
    """Say whether the file reaches its end, as cheaply as the format allows."""
    try:
        if image.format == "WEBP":
            return len(data) >= int.from_bytes(data[4:8], "little") + 8  # the length that the RIFF header promises
        if image.format == "PNG":
            image.verify()  # checksums of all chunks up to the end mark; unpacks nothing
            return True
        if data.count(b"\xff\xda") > MAX_JPEG_SCANS:
            return False
        # Reads the whole stream and draws one pixel for 64: a JPEG has no other sign of its end.
        image.draft("L", (1, 1))
        image.load()
        return True
    except Exception:  # as above: whatever the reader says, the photo is not whole
        return False


def _exif(image: Image.Image) -> Image.Exif:
    exif = Image.Exif()
    try:
        # Not image.getexif(): for a PNG without any that unpacks all pixels in search of it.
        exif.load(image.info.get("exif", b""))
    except Exception:  # spoilt EXIF does not spoil the photo
        return Image.Exif()
    return exif


def _taken_at(exif: Image.Exif) -> datetime | None:
    try:
        block = exif.get_ifd(EXIF_BLOCK)
        local = datetime.strptime(str(block[TAKEN_AT]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        return local.replace(tzinfo=_offset(str(block.get(TAKEN_AT_OFFSET, "")))).astimezone(UTC)
    except Exception:  # absent, or one of the many things that devices write there, such as 0000:00:00
        return None


def _offset(text: str) -> tzinfo:
    """Read an offset such as +08:00."""
    try:
        sign = {"+": 1, "-": -1}[text[:1]]
        return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))
    except (KeyError, ValueError):
        return LOCAL_ZONE  # cameras write the time of the place they hang in

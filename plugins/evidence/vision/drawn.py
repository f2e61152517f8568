"""What a person draws on a photo, cut out. With Pillow, so that no process loads OpenCV for it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from math import ceil, floor

import PIL
from PIL import Image, ImageOps

from plugins.evidence.vision.results import ExtractionFailed, Picture, UnreadablePhoto

QUALITY = 92
TOOL = f"pillow {PIL.__version__}"


def cut_region(photo: bytes, box_in_shares: Sequence[float]) -> Picture:
    """Cut out left, top, right, bottom, given in shares (0 to 1) of the upright photo, without any margin."""
    left, top, right, bottom = box_in_shares
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ExtractionFailed("框选区域不在照片范围内。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(photo), formats=("JPEG", "PNG", "WEBP"))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadablePhoto from error
    width, height = picture.size
    x0, y0 = min(floor(left * width), width - 1), min(floor(top * height), height - 1)
    box = (x0, y0, max(ceil(right * width), x0 + 1), max(ceil(bottom * height), y0 + 1))
    out = io.BytesIO()
    # A picture made of pixels alone: nothing that the photo carried beside them goes along.
    Image.frombytes("RGB", (box[2] - box[0], box[3] - box[1]), picture.crop(box).tobytes()).save(
        out, "JPEG", quality=QUALITY
    )
    return Picture("object", out.getvalue(), box, {"tool": TOOL, "margin": 0.0}, source="person")

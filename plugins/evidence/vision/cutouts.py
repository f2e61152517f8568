"""Pieces of a photo as JPEG, and the copy on which every face is masked. Encoding anew leaves all metadata behind."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor
from typing import cast

import cv2

from plugins.evidence.vision.faces import CERTAIN, FaceDetector, overlap
from plugins.evidence.vision.results import Box, Face, MaskingFailed, Pixels

#: How much of a face's width and height is kept around it, on each side.
FACE_MARGIN = 0.4
OBJECT_MARGIN = 0.05
CUTOUT_QUALITY, COPY_QUALITY = 92, 85
THUMBNAIL_SIDE = 640

#: The mask is a box this many times as wide and high as the face's: hair and ears tell who it is, too.
MASK_SIZE = 1.4
#: One flat colour: nothing of the face is left that could be computed back.
MASK_COLOUR = (128, 128, 128)
#: What a later look finds where the kept face is, overlapping it by so much, is that face. A look from further away
#: places it a little otherwise.
SAME_FACE = 0.5
#: How often faces that the look at the masked copy still shows are masked before it is given up.
REVIEWS = 3


def cut(photo: Pixels, box: Box, margin: float) -> tuple[Box, bytes]:
    """Cut a box with its margin (parts of the box's size) out of a BGR photo; returns the box cut and its JPEG."""
    height, width = photo.shape[:2]
    left, top, right, bottom = box
    aside, above = (right - left) * margin, (bottom - top) * margin
    # However thin the box is and wherever it lies, one pixel is cut.
    x0, y0 = min(max(floor(left - aside), 0), width - 1), min(max(floor(top - above), 0), height - 1)
    x1, y1 = min(max(ceil(right + aside), x0 + 1), width), min(max(ceil(bottom + above), y0 + 1), height)
    return (x0, y0, x1, y1), encode(photo[y0:y1, x0:x1], CUTOUT_QUALITY)


def masked(
    photo: Pixels, found: Iterable[Face], detector: FaceDetector, kept: Face | None = None
) -> tuple[Pixels, int]:
    """Return a copy of the photo with the faces but `kept` masked for good, and how many places were masked.

    The detector looks at the copy: a face that was hidden behind another one is masked too. Raises MaskingFailed when
    a face remains after all.
    """
    copy, count = photo.copy(), 0
    left = _others(found, kept)
    for _ in range(REVIEWS):
        if not left:
            break
        for face in left:
            cover(copy, face.box)
        count += len(left)
        left = _others(detector.find(copy, quick=True), kept)
    if any(face.score >= CERTAIN for face in left):
        raise MaskingFailed
    return copy, count


def _others(found: Iterable[Face], kept: Face | None) -> list[Face]:
    return [face for face in found if kept is None or overlap(face.box, kept.box) < SAME_FACE]


def thumbnail(picture: Pixels) -> bytes:
    """Return a picture as JPEG for lists and maps, of at most THUMBNAIL_SIDE pixels."""
    height, width = picture.shape[:2]
    # Whole steps are averaged many times faster than fractions; up to step - 1 pixels are lost at two edges.
    step = min(ceil(max(width, height) / THUMBNAIL_SIDE), width, height)
    small = width // step, height // step
    whole = picture[: small[1] * step, : small[0] * step]
    return encode(cast(Pixels, cv2.resize(whole, small, interpolation=cv2.INTER_AREA)), COPY_QUALITY)


def encode(picture: Pixels, quality: int) -> bytes:
    """Return a BGR picture as JPEG."""
    return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


def cover(picture: Pixels, box: Box) -> None:
    """Paint over a box and what is close around it, in place."""
    left, top, right, bottom = box
    wider, higher = (right - left) * (MASK_SIZE - 1) / 2, (bottom - top) * (MASK_SIZE - 1) / 2
    corner, opposite = (floor(left - wider), floor(top - higher)), (ceil(right + wider), ceil(bottom + higher))
    cv2.rectangle(picture, corner, opposite, MASK_COLOUR, thickness=cv2.FILLED)

"""A look at a clip before it is taken in: that it is a whole MP4. Nothing here decodes it, and nobody is shown it."""

from __future__ import annotations

import os
from typing import BinaryIO

from backend.plugin_api import Problem, current_settings

MEDIA_TYPE = "video/mp4"
MOST_BOXES = 10_000


def check_clip(clip: BinaryIO) -> None:
    """Raise Problem `clip_not_mp4` unless the file is made of whole boxes, with type, index and film among them.

    Source: ISO/IEC 14496-12, 4.2. Leaves the file at its beginning.
    """
    size = clip.seek(0, os.SEEK_END)
    if size > current_settings().max_clip_bytes:
        raise Problem("too_large")
    found = set()
    position = 0
    for number in range(MOST_BOXES):
        clip.seek(position)
        head = clip.read(16)
        length = int.from_bytes(head[:4])
        least = 8
        if length == 1:
            length, least = int.from_bytes(head[8:16]), 16
        elif length == 0:
            length = size - position
        kind = head[4:8]
        if len(head) < 8 or length < least or position + length > size or (number == 0) != (kind == b"ftyp"):
            raise Problem("clip_not_mp4")
        found.add(kind)
        position += length
        if position == size:
            break
    if not {b"ftyp", b"moov", b"mdat"} <= found or position != size:
        raise Problem("clip_not_mp4")
    clip.seek(0)

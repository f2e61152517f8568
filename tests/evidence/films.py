"""Short films of real photos, and ways to spoil them."""

from __future__ import annotations

import struct
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tests.vision import weights

SIZE = (640, 448)


@cache
def film(seconds: float = 2.0, rate: int = 5, size: tuple[int, int] = SIZE) -> bytes:
    """Return an MP4 of six people, who are there from the second half on."""
    people = cv2.imdecode(np.frombuffer(weights.six_people(), np.uint8), cv2.IMREAD_COLOR)
    people = cv2.resize(people, size, interpolation=cv2.INTER_AREA)
    nobody = np.full_like(people, 90)
    count = round(seconds * rate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, size)
        for number in range(count):
            writer.write(people if number >= count // 2 else nobody)
        writer.release()
        return path.read_bytes()


def without_pictures(content: bytes) -> bytes:
    """Return the film with noise where its pictures were; its header and index are sound."""
    start, length = box(content, b"mdat")
    noise = np.random.default_rng(1).integers(0, 256, length - 8, dtype=np.uint8).tobytes()
    return content[: start + 8] + noise + content[start + length :]


def without_index(content: bytes) -> bytes:
    """Return the film without its index."""
    start, length = box(content, b"moov")
    return content[:start] + content[start + length :]


def of_no_frames(content: bytes) -> bytes:
    """Return the film with an index that says it has no frames."""
    place = content.index(b"stsz") + 12
    return content[:place] + struct.pack(">I", 0) + content[place + 4 :]


def box(content: bytes, kind: bytes) -> tuple[int, int]:
    """Return where a box of the outermost level begins, and how long it is."""
    at = 0
    while at < len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        if name == kind:
            return at, length
        at += length
    raise LookupError(kind)

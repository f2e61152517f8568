"""What an MP4 clip says of itself, read from its boxes (ISO/IEC 14496-12) without decoding anything.

Everything read is bounded, whatever sizes the file claims: the index is read once and at most MOST_INDEX bytes long,
boxes are counted, and each must lie within the one that holds it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from plugins.evidence.vision.results import BadClip, ClipFacts

#: A clip of a minute has an index of some 50 kB.
MOST_INDEX = 8_000_000
#: Boxes beside each other; a clip in fragments has two for each second or so.
MOST_BOXES = 2000

#: The content of the boxes in a box, by kind.
Boxes = Mapping[bytes, Sequence[memoryview]]


class _Broken(Exception):
    """The file cannot be read on; the message is a Chinese sentence."""


def clip_facts(file: BinaryIO) -> ClipFacts:
    """Return length and picture size of an MP4 file that can be sought in; raises BadClip `unreadable_clip`.

    Where the file says different things of the same, the largest counts: no limit is passed by a small lie.
    """
    try:
        return _facts(_boxes(_index(file)), file.seek(0, os.SEEK_END))
    except _Broken as error:
        raise BadClip("unreadable_clip", str(error)) from error
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise BadClip("unreadable_clip", "视频索引损坏。") from error


def _index(file: BinaryIO) -> memoryview:
    """Return the content of `moov`, wherever in the file it lies."""
    size, at = file.seek(0, os.SEEK_END), 0
    index = None
    for number in range(MOST_BOXES):
        if at + 8 > size:
            break
        file.seek(at)
        kind, header, length = _head(memoryview(file.read(16)), size - at)
        if number == 0 and kind != b"ftyp":
            raise _Broken("文件不是 MP4 视频。")
        if length > size - at:
            raise _Broken("视频文件不完整。")
        if kind == b"moov" and index is None:
            if length > MOST_INDEX:
                raise _Broken("视频索引过大。")
            file.seek(at + header)
            index = memoryview(file.read(length - header))
        at += length
    else:
        raise _Broken("视频索引损坏。")
    if size < 8:
        raise _Broken("文件不是 MP4 视频。")
    if index is None:
        raise _Broken("视频没有索引，可能没有录完。")
    return index


def _head(start: memoryview, left: int) -> tuple[bytes, int, int]:
    """Return a box's kind, the length of its head, and its whole length; `left` is what remains of what holds it."""
    length, kind = struct.unpack_from(">I4s", start)
    if length == 1:
        (length,) = struct.unpack_from(">Q", start, 8)
        header = 16
    else:
        header, length = 8, length or left
    if length < header:
        raise _Broken("视频索引损坏。")
    return kind, header, length


def _boxes(content: memoryview) -> Boxes:
    found: dict[bytes, list[memoryview]] = {}
    at = 0
    for _ in range(MOST_BOXES):
        if at + 8 > len(content):
            return found
        kind, header, length = _head(content[at : at + 16], len(content) - at)
        if length > len(content) - at:
            break
        found.setdefault(kind, []).append(content[at + header : at + length])
        at += length
    raise _Broken("视频索引损坏。")


def _facts(movie: Boxes, file_size: int) -> ClipFacts:
    pictures = [track for track in map(_boxes, movie.get(b"trak", ())) if _handler(track) == b"vide"]
    if not pictures:
        raise _Broken("文件中没有视频画面。")
    scale, length = _clock(movie[b"mvhd"][0])
    seconds = [length / scale]
    # A clip in fragments keeps its frames' places with them, and at best its whole length here.
    extends = _boxes(movie[b"mvex"][0]) if b"mvex" in movie else None
    for told in extends.get(b"mehd", ()) if extends else ():
        seconds.append(struct.unpack_from(">Q" if told[0] else ">I", told, 4)[0] / scale)
    sizes = []
    for track in pictures:
        sizes += _sizes(track)
        seconds.append(_seconds(track))
        if not extends:
            _check_frames(track, file_size)
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if not width or not height or not max(seconds):
        raise _Broken("视频没有时长或画面尺寸。")
    return ClipFacts(round(max(seconds), 3), width, height)


def _handler(track: Boxes) -> bytes:
    return bytes(_boxes(track[b"mdia"][0])[b"hdlr"][0][8:12])


def _clock(head: memoryview) -> tuple[int, int]:
    """Return ticks per second and length in ticks, from an `mvhd` or `mdhd`."""
    scale, length = struct.unpack_from(">IQ", head, 20) if head[0] else struct.unpack_from(">II", head, 12)
    if not scale:
        raise _Broken("视频索引损坏。")
    unknown = 2**64 - 1 if head[0] else 2**32 - 1
    return scale, 0 if length == unknown else length


def _samples(track: Boxes) -> Boxes:
    return _boxes(_boxes(_boxes(track[b"mdia"][0])[b"minf"][0])[b"stbl"][0])


def _seconds(track: Boxes) -> float:
    """Return the length that the track claims, or that its frames add up to."""
    scale, length = _clock(_boxes(track[b"mdia"][0])[b"mdhd"][0])
    spans = _table(_samples(track)[b"stts"][0], ">u4", 2).astype(np.float64)
    return max(length, float((spans[:, 0] * spans[:, 1]).sum())) / scale


def _sizes(track: Boxes) -> list[tuple[int, int]]:
    """Return the sizes that the track claims: as shown, and as coded, turned upright."""
    head = track[b"tkhd"][0]
    matrix_at = 52 if head[0] else 40
    turned = struct.unpack_from(">i", head, matrix_at)[0] == 0 and struct.unpack_from(">i", head, matrix_at + 4)[0] != 0
    sizes = [tuple(each >> 16 for each in struct.unpack_from(">II", head, matrix_at + 36))]
    entries = _samples(track)[b"stsd"][0]
    sizes += [struct.unpack_from(">HH", each, 24) for each in chain(*_boxes(entries[8:]).values())]
    return [(height, width) if turned else (width, height) for width, height in sizes]


def _check_frames(track: Boxes, file_size: int) -> None:
    """Look whether there are frames, and where the index says that they are; raises _Broken."""
    samples = _samples(track)
    (frames,) = struct.unpack_from(">I", samples[b"stsz"][0] if b"stsz" in samples else samples[b"stz2"][0], 8)
    if not frames:
        raise _Broken("视频中没有一帧画面。")
    places = _table(samples[b"stco"][0], ">u4") if b"stco" in samples else _table(samples[b"co64"][0], ">u8")
    if not places.size or int(places.max()) >= file_size:
        raise _Broken("视频索引损坏。")


def _table(content: memoryview, kind: str, columns: int = 1) -> NDArray[np.unsignedinteger]:
    """Return a table's rows, as many as its count says; raises ValueError when there are fewer."""
    (rows,) = struct.unpack_from(">I", content, 4)
    return np.frombuffer(content, kind, rows * columns, offset=8).reshape(-1, columns)

"""What a clip's header says, and every way in which it may lie."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plugins.evidence.vision import BadClip, ClipFacts, clip_facts
from tests.vision import clips, weights


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return clips.pan(tmp_path_factory.mktemp("clips") / "clip.mp4", 2, "320x240").read_bytes()


def facts(content: bytes) -> ClipFacts:
    return clip_facts(io.BytesIO(content))


def refused(content: bytes) -> str:
    with pytest.raises(BadClip) as refusal:
        facts(content)
    assert refusal.value.code == "unreadable_clip"
    return str(refusal.value)


def changed(clip: bytes, kind: bytes, offset: int, content: bytes) -> bytes:
    """Overwrite bytes in the content of the first box of that kind in the index."""
    at = clip.index(kind, clip.index(b"moov")) + 4 + offset
    return clip[:at] + content + clip[at + len(content) :]


def test_length_and_size_are_read(clip: bytes) -> None:
    assert facts(clip) == ClipFacts(2.0, 320, 240)


def test_the_index_may_stand_first_and_the_film_be_turned_or_in_fragments(clip: bytes, tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    source.write_bytes(clip)
    copy = ("-i", str(source), "-c", "copy")
    first = clips.made(tmp_path / "first.mp4", *copy, "-movflags", "+faststart").read_bytes()
    assert first.index(b"moov") < first.index(b"mdat")
    assert facts(first) == ClipFacts(2.0, 320, 240)
    turned = clips.made(tmp_path / "turned.mp4", "-display_rotation", "90", *copy).read_bytes()
    assert facts(turned) == ClipFacts(2.0, 240, 320)
    parts = ("-movflags", "+frag_keyframe+empty_moov+delay_moov")
    pieces = clips.made(tmp_path / "pieces.mp4", *copy, *parts).read_bytes()
    assert b"moof" in pieces
    try:
        assert facts(pieces).width == 320
    except BadClip as error:  # a live stream's fragments may not say how long they are together
        assert "时长" in str(error)


def test_boxes_may_be_of_64_bits_and_the_last_one_open(clip: bytes) -> None:
    at = clip.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", clip, at)
    if size == 1:
        pytest.skip("it is so already")
    head, film, rest = clip[:at], clip[at + 8 : at + size], clip[at + size :]
    large = struct.pack(">I4sQ", 1, b"mdat", len(film) + 16) + film
    assert facts(head + large + rest) == ClipFacts(2.0, 320, 240)
    assert facts(head + rest + struct.pack(">I4s", 0, b"mdat") + film) == ClipFacts(2.0, 320, 240)


def test_what_is_no_clip_is_named(clip: bytes) -> None:
    for other in (b"", b"abc", weights.six_people(), b"RIFF" + bytes(200), b"\x1aE\xdf\xa3" + bytes(500), bytes(64)):
        assert "不是 MP4" in refused(other)
    assert "没有索引" in refused(clip[: clip.index(b"mdat") - 4])
    assert "不完整" in refused(clip[: clip.index(b"mdat") + 200])
    assert "不完整" in refused(clip[:-20])


def test_a_clip_without_picture_or_frames_is_named(clip: bytes, tmp_path: Path) -> None:
    sound = clips.made(tmp_path / "sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")
    assert "没有视频画面" in refused(sound.read_bytes())
    assert "没有一帧" in refused(changed(clip, b"stsz", 8, bytes(4)))


def test_lies_are_seen_through(clip: bytes) -> None:
    # The larger of two sizes and lengths counts.
    assert facts(changed(clip, b"avc1", 24, struct.pack(">HH", 7680, 4320))) == ClipFacts(2.0, 7680, 4320)
    assert facts(changed(clip, b"tkhd", 76, struct.pack(">II", 8192 << 16, 4608 << 16))) == ClipFacts(2.0, 8192, 4608)
    assert facts(changed(clip, b"mvhd", 16, struct.pack(">I", 1))).seconds == 2.0
    assert facts(changed(clip, b"mvhd", 16, struct.pack(">I", 10**9))).seconds == 10**6
    assert facts(changed(clip, b"stts", 12, struct.pack(">I", 10**9))).seconds > 10**5
    # Tables that claim more than there is, places behind the end, clocks that stand.
    assert "索引损坏" in refused(changed(clip, b"stts", 4, struct.pack(">I", 2**32 - 1)))
    assert "索引损坏" in refused(changed(clip, b"stco", 4, struct.pack(">I", 2**32 - 1)))
    assert "索引损坏" in refused(changed(clip, b"stco", 8, struct.pack(">I", 2**31)))
    assert "索引损坏" in refused(changed(clip, b"mvhd", 12, bytes(4)))
    assert "索引损坏" in refused(changed(clip, b"trak", -8, struct.pack(">I", 2**31)))
    assert "索引损坏" in refused(changed(clip, b"mdia", -8, struct.pack(">I", 3)))


def test_what_would_cost_much_is_refused_at_once(clip: bytes) -> None:
    ftyp = clips.boxed(b"ftyp", b"isom", bytes(4))
    assert "索引过大" in refused(ftyp + clips.boxed(b"moov", bytes(9_000_000)))
    assert "索引损坏" in refused(ftyp + clips.boxed(b"free") * 3000 + clip)
    assert "索引损坏" in refused(ftyp + clips.boxed(b"moov", clips.boxed(b"free") * 3000))
    deep = b""
    for _ in range(5000):
        deep = clips.boxed(b"trak", deep)
    refused(ftyp + clips.boxed(b"moov", deep))
    refused(ftyp + struct.pack(">I4sQ", 1, b"moov", 2**63))


@hypothesis_settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_bytes_that_are_flipped_never_do_more_than_be_refused(clip: bytes, data: st.DataObject) -> None:
    index = clip.index(b"moov") - 4
    broken = bytearray(clip)
    for at in data.draw(st.lists(st.integers(index, len(clip) - 1) | st.integers(0, 63), min_size=1, max_size=8)):
        broken[at] = data.draw(st.integers(0, 255))
    try:
        read = facts(bytes(broken))
    except BadClip as refusal:
        assert refusal.code == "unreadable_clip" and str(refusal).endswith("。")
    else:
        assert read.seconds > 0 and read.width > 0 and read.height > 0


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_behind_a_right_start_are_answered(content: bytes) -> None:
    try:
        facts(clips.boxed(b"ftyp", b"isom", bytes(4)) + content)
    except BadClip as refusal:
        assert str(refusal).endswith("。")

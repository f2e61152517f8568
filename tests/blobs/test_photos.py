"""What is no usable photo is refused by name, cheaply; what passes is described rightly."""

from __future__ import annotations

import io
import resource
import struct
import zlib
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from backend.blobs import BadPhoto, check_photo

LIMIT = 50_000_000
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def real_photo() -> bytes:
    return Path(str(distribution("insightface").locate_file("insightface/data/images/t1.jpg"))).read_bytes()


def photo(kind: str, size: tuple[int, int] = (200, 100), **options: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind, **options)
    return file.getvalue()


def refused(data: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(BadPhoto) as caught:
        check_photo(data, limit)
    assert any("一" <= letter <= "鿿" for letter in caught.value.detail)
    return caught.value.code


def test_a_real_photo_passes() -> None:
    facts = check_photo(real_photo(), LIMIT)
    assert (facts.width, facts.height, facts.media_type, facts.exif_time) == (1280, 886, "image/jpeg", None)


@pytest.mark.parametrize("kind", FORMATS)
def test_still_pictures_of_three_kinds_pass(kind: str) -> None:
    facts = check_photo(photo(kind), LIMIT)
    assert (facts.width, facts.height, facts.media_type) == (200, 100, FORMATS[kind])


def test_a_progressive_jpeg_and_one_with_a_second_picture_pass() -> None:
    assert check_photo(photo("JPEG", progressive=True), LIMIT).media_type == "image/jpeg"
    both = io.BytesIO()
    Image.new("RGB", (80, 60)).save(both, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30))])
    facts = check_photo(both.getvalue(), LIMIT)
    assert (facts.width, facts.height, facts.media_type) == (80, 60, "image/jpeg")


def test_nothing_and_other_things_are_refused() -> None:
    assert refused(b"") == "photo_empty"
    assert refused(b"<!DOCTYPE html><html><script>alert(1)</script></html>") == "photo_type"
    assert refused(b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>") in ("photo_type", "photo_damaged")
    assert refused(photo("GIF")) == "photo_type"
    assert refused(photo("BMP")) == "photo_type"
    assert refused(b"%PDF-1.7 ...") == "photo_type"
    assert refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "photo_type"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_moving_pictures_are_refused(kind: str) -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    assert refused(file.getvalue()) == "photo_animated"


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def test_bombs_are_refused_by_their_header_alone() -> None:
    tall_jpeg = bytearray(photo("JPEG"))
    frame = tall_jpeg.index(b"\xff\xc0")
    tall_jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    wide_webp = bytearray(photo("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"))
    canvas = wide_webp.index(b"VP8X") + 12
    wide_webp[canvas : canvas + 6] = (16_382).to_bytes(3, "little") * 2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(png(60_000, 60_000, bytes(1000))) == "photo_too_large"
    assert refused(bytes(tall_jpeg)) == "photo_too_large"
    assert refused(bytes(wide_webp)) in ("photo_too_large", "photo_damaged")
    assert refused(png(7_100, 7_100, bytes(1000))) == "photo_too_large"  # under Pillow's own limit, over ours
    assert refused(photo("PNG"), limit=19_999) == "photo_too_large"
    check_photo(png(7_000, 7_000, bytes(7_000 * 21_001)), LIMIT)  # what is allowed is not unpacked either
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000  # kB; the pixels above took 147,000


@pytest.mark.parametrize("size", [(15, 40), (40, 15), (1, 1), (16, 161), (1610, 161 - 1)])
def test_specks_and_strips_are_refused(size: tuple[int, int]) -> None:
    assert refused(photo("PNG", size)) == "photo_shape"


def test_a_jpeg_with_scans_without_end_is_refused() -> None:
    data = photo("JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    assert refused(data[:start] + data[start:-2] * 50 + data[-2:]) == "photo_damaged"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_photos_cut_short_are_refused(kind: str, part: float) -> None:
    data = photo(kind)
    assert refused(data[: int(len(data) * part)]) == "photo_damaged"


def test_a_real_jpeg_without_its_end_is_refused() -> None:
    for missing in (2, 100, 60_000):
        assert refused(real_photo()[:-missing]) == "photo_damaged"


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(FORMATS)),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    keep=st.floats(0, 1),
)
def test_no_spoilt_bytes_cause_anything_but_a_named_refusal(
    kind: str, places: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(SMALL[kind])
    for where, value in places:
        data[int(where * len(data))] = value
    try:
        facts = check_photo(bytes(data[: int(keep * len(data))]), 1_000_000)
    except BadPhoto as error:
        assert error.code.startswith("photo_")
    else:
        assert 0 < facts.width * facts.height <= 1_000_000


SMALL = {kind: photo(kind, (24, 16)) for kind in FORMATS}


def exif(orientation: int, taken: str = "2024:05:06 07:08:09", offset: str | None = None) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    block = tags.get_ifd(0x8769)
    block[0x9003] = taken
    if offset:
        block[0x9011] = offset
    return tags.tobytes()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_that_of_the_upright_photo(kind: str, orientation: int) -> None:
    facts = check_photo(photo(kind, exif=exif(orientation)), LIMIT)
    assert (facts.width, facts.height) == ((100, 200) if orientation >= 5 else (200, 100))


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2024:05:06 07:08:09", None, datetime(2024, 5, 5, 23, 8, 9, tzinfo=UTC)),
        ("2024:05:06 07:08:09", "+09:00", datetime(2024, 5, 5, 22, 8, 9, tzinfo=UTC)),
        ("2024:05:06 07:08:09", "-03:30", datetime(2024, 5, 6, 10, 38, 9, tzinfo=UTC)),
        ("2024:05:06 07:08:09", "here", datetime(2024, 5, 5, 23, 8, 9, tzinfo=UTC)),
        ("0000:00:00 00:00:00", None, None),
        ("2024:13:41 07:08:09", None, None),
        ("yesterday", None, None),
        ("0001:01:01 00:00:00", None, None),
    ],
)
def test_camera_time_is_told_in_utc_or_not_at_all(taken: str, offset: str | None, expected: datetime | None) -> None:
    assert check_photo(photo("JPEG", exif=exif(1, taken, offset)), LIMIT).exif_time == expected

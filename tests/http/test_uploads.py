"""A picture is what its bytes are, and costs no more than it may."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from backend.http import Problem, read_photo

pytestmark = pytest.mark.usefixtures("store")


def picture(kind: str, size: tuple[int, int] = (640, 480)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, kind)
    return file.getvalue()


def huge_png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_good_pictures(kind):
    read = read_photo(picture(kind))
    assert (read.media_type, read.width, read.height) == (f"image/{kind.lower()}", 640, 480)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_cut_pictures(kind, share):
    whole = picture(kind)
    with pytest.raises(Problem) as raised:
        read_photo(whole[: int(len(whole) * share)])
    assert raised.value.kind.code == "unreadable_image"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html><script>alert(1)</script></html>", "unreadable_image"),
        (b"", "unreadable_image"),
        (b"\x89PNG\r\n\x1a\n<html>", "unreadable_image"),
        (b"GIF89a" + bytes(50), "unreadable_image"),
        (huge_png(), "image_too_large"),
        (picture("PNG", (8000, 6300)), "image_too_large"),
    ],
    ids=["html", "empty", "png head", "gif", "60000x60000", "beyond the setting"],
)
def test_refused(data, code):
    with pytest.raises(Problem) as raised:
        read_photo(data, "photo")
    assert raised.value.kind.code == code and list(raised.value.fields) == ["photo"]


def test_a_flipped_byte_in_a_png():
    data = bytearray(picture("PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(Problem):
        read_photo(bytes(data))


def test_over_http(editor):
    url = "/api/v1/things/photos"
    answer = editor.post(url, data={"file": (io.BytesIO(b"<html>"), "photo.png", "image/png")})
    assert (answer.status_code, answer.json["code"]) == (422, "unreadable_image")
    assert editor.post(url, data={"other": "x"}, content_type="multipart/form-data").json["fields"] == {
        "file": ["必填。"]
    }
    many = {"file": (io.BytesIO(picture("JPEG")), "a"), **{f"x{number}": "1" for number in range(80)}}
    assert editor.post(url, data=many, content_type="multipart/form-data").status_code == 413
    large = {"file": (io.BytesIO(bytes(33_000_000)), "a")}
    assert editor.post(url, data=large, content_type="multipart/form-data").json["code"] == "too_large"

"""From a photo's bytes to faces, objects, cut-outs and a copy on which nobody can be recognised."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from plugins.evidence.vision import Extraction, Models, Picture, Region, UnreadablePhoto, extract
from tests.vision import weights

#: Where the six people of the photo are, found by eye: the middle of each face.
SIX = [(796, 411), (518, 340), (112, 330), (958, 132), (1178, 337), (321, 207)]


def decoded(picture: Picture | bytes) -> NDArray[np.uint8]:
    content = picture if isinstance(picture, bytes) else picture.content
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def encoded(picture: NDArray[np.uint8], kind: str = ".jpg") -> bytes:
    return cv2.imencode(kind, picture)[1].tobytes()


def of_kind(extraction: Extraction, kind: str) -> list[Picture]:
    return [picture for picture in extraction.pictures if picture.kind == kind]


def masked_copy(extraction: Extraction) -> NDArray[np.uint8]:
    (picture,) = of_kind(extraction, "masked_copy")
    return decoded(picture)


def faces_on(picture: NDArray[np.uint8], models: Models) -> int:
    return sum(face.score >= 0.5 for face in models.faces.find(picture))


@pytest.fixture(scope="module")
def six(loaded: Models) -> Extraction:
    return extract(weights.six_people(), [], loaded)


def test_all_six_people_are_found(six: Extraction) -> None:
    assert (six.width, six.height) == (1280, 886)
    assert len(six.faces) == len(of_kind(six, "face")) == 6
    for x, y in SIX:
        (face,) = [face for face in six.faces if face.box[0] < x < face.box[2] and face.box[1] < y < face.box[3]]
        assert face.score > 0.7
        assert 110 < face.height < 160
        assert len(face.points) == 5
        assert all(face.box[0] < px < face.box[2] and face.box[1] < py < face.box[3] for px, py in face.points)
        left_eye, right_eye, nose, *mouth = face.points
        assert left_eye[0] < right_eye[0]
        assert left_eye[1] < nose[1] < min(corner[1] for corner in mouth)


def test_each_face_is_cut_out_with_a_margin(six: Extraction, loaded: Models) -> None:
    whole = decoded(weights.six_people())
    for face, picture in zip(six.faces, of_kind(six, "face"), strict=True):
        left, top, right, bottom = (int(edge) for edge in picture.box)
        assert left < face.box[0] and top < face.box[1] and right > face.box[2] and bottom > face.box[3]
        cut = decoded(picture)
        assert cut.shape == (bottom - top, right - left, 3)
        assert np.abs(cut.astype(int) - whole[top:bottom, left:right]).mean() < 6
        assert faces_on(cut, loaded) >= 1
        assert picture.comparable is True
        assert picture.made_by["model"] == "scrfd_500m_bnkps.onnx"
        assert len(str(picture.made_by["model_sha256"])) == 64


def test_the_masked_copy_shows_no_face(six: Extraction, loaded: Models) -> None:
    copy = masked_copy(six)
    assert copy.shape == (886, 1280, 3)
    assert faces_on(copy, loaded) == 0
    assert faces_on(cv2.resize(copy, None, fx=2, fy=2), loaded) == 0
    assert six.masked == 6


def test_nothing_of_a_face_is_left_under_its_mask(six: Extraction) -> None:
    copy = masked_copy(six)
    for face in six.faces:
        left, top, right, bottom = (round(edge) for edge in face.box)
        assert np.ptp(copy[top:bottom, left:right].reshape(-1, 3), axis=0).max() < 20  # what JPEG makes of one colour


def test_the_rest_of_the_masked_copy_is_the_photo(six: Extraction) -> None:
    table = slice(700, 886)
    assert np.abs(masked_copy(six)[table].astype(int) - decoded(weights.six_people())[table]).mean() < 6


def test_the_thumbnail_is_small_and_masked(six: Extraction, loaded: Models) -> None:
    (picture,) = of_kind(six, "masked_thumbnail")
    assert decoded(picture).shape == (443, 640, 3)
    assert faces_on(decoded(picture), loaded) == 0


def test_objects_are_those_of_the_model(six: Extraction) -> None:
    labels = Counter(each.label for each in six.objects)
    assert labels["person"] == 6
    assert labels["cup"] >= 3
    assert all(each.source == "model" and each.score and each.score >= 0.35 for each in six.objects)
    assert [picture.label for picture in of_kind(six, "object")] == [each.label for each in six.objects]
    assert six.detector is not None
    assert six.detector.name == "yolo11n.onnx"


def test_the_same_photo_gives_the_same_bytes(six: Extraction, loaded: Models) -> None:
    assert extract(weights.six_people(), [], loaded) == six


def test_other_formats_and_one_person(loaded: Models) -> None:
    png = extract(weights.astronaut(), [], loaded)
    webp = io.BytesIO()
    Image.open(io.BytesIO(weights.astronaut())).save(webp, "WEBP", quality=95)
    for extraction in (png, extract(webp.getvalue(), [], loaded)):
        (face,) = extraction.faces
        assert face.box[0] < 225 < face.box[2] and face.box[1] < 115 < face.box[3]
        assert "person" in {each.label for each in extraction.objects}
        assert faces_on(masked_copy(extraction), loaded) == 0


def test_a_photo_without_people(faces_only: Models) -> None:
    extraction = extract(weights.coffee(), [], faces_only)
    assert (extraction.faces, extraction.masked) == ((), 0)
    assert [picture.kind for picture in extraction.pictures] == ["masked_copy", "masked_thumbnail"]
    assert np.abs(masked_copy(extraction).astype(int) - decoded(weights.coffee())).mean() < 6


def test_without_an_object_model_nothing_is_claimed(faces_only: Models) -> None:
    extraction = extract(weights.six_people(), [], faces_only)
    assert extraction.detector is None
    assert extraction.objects == ()
    assert len(extraction.faces) == 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_put_upright(orientation: int, faces_only: Models, six: Extraction) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.open(io.BytesIO(weights.six_people()))
    turned = upright.transpose(undo[orientation]) if orientation > 1 else upright
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags.get_ifd(0x8825)[2] = (30.0, 15.0, 1.0)  # a place that must not travel on
    file = io.BytesIO()
    turned.save(file, "JPEG", quality=95, exif=tags)
    extraction = extract(file.getvalue(), [], faces_only)
    assert (extraction.width, extraction.height) == (1280, 886)
    assert len(extraction.faces) == 6
    for x, y in SIX:
        assert any(face.box[0] < x < face.box[2] and face.box[1] < y < face.box[3] for face in extraction.faces)
    for picture in extraction.pictures:
        made = Image.open(io.BytesIO(picture.content))
        assert made.format == "JPEG"
        assert not made.getexif()
        assert set(made.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert np.abs(masked_copy(extraction).astype(int) - masked_copy(six)).mean() < 6


def test_small_faces_of_a_wide_photo_are_found_and_masked(faces_only: Models) -> None:
    yard = np.full((2160, 3840, 3), 90, np.uint8)
    people = cv2.resize(decoded(weights.six_people()), None, fx=0.36, fy=0.36, interpolation=cv2.INTER_AREA)
    yard[1500 : 1500 + people.shape[0], 2900 : 2900 + people.shape[1]] = people
    extraction = extract(encoded(yard), [], faces_only)
    assert len(extraction.faces) == 6
    assert all(40 <= face.height < 60 for face in extraction.faces)
    assert all(picture.comparable for picture in of_kind(extraction, "face"))
    near = masked_copy(extraction)[1450:1900, 2850:3450]
    assert faces_on(cv2.resize(near, None, fx=2, fy=2), faces_only) == 0


def test_faces_with_too_little_detail_are_marked(faces_only: Models) -> None:
    small = cv2.resize(decoded(weights.six_people()), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    extraction = extract(encoded(small), [], faces_only)
    assert len(extraction.faces) == 6
    assert not any(picture.comparable for picture in of_kind(extraction, "face"))


def test_a_face_that_fills_the_photo_is_masked(faces_only: Models) -> None:
    close = cv2.resize(decoded(weights.astronaut())[30:190, 150:300], None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    extraction = extract(encoded(close), [], faces_only)
    assert len(extraction.faces) == 1
    assert faces_on(masked_copy(extraction), faces_only) == 0


def test_faces_that_overlap_are_all_masked(faces_only: Models) -> None:
    crowd = decoded(weights.astronaut()).copy()
    face = crowd[40:190, 160:300].copy()
    for across, down in ((60, 10), (120, 25), (30, 110), (-40, 20)):
        crowd[40 + down : 190 + down, 160 + across : 300 + across] = face
    extraction = extract(encoded(crowd), [], faces_only)
    assert extraction.masked >= len(extraction.faces) >= 3
    copy = masked_copy(extraction)
    assert faces_on(copy, faces_only) == 0
    assert faces_on(cv2.resize(copy, None, fx=2, fy=2), faces_only) == 0


def test_regions_of_the_platform_pass_through_and_are_cut_out(faces_only: Models) -> None:
    photo = np.full((300, 400, 3), 200, np.uint8)
    photo[60:120, 100:200] = (20, 20, 220)
    regions: list[Region] = [
        {"label": "暴露垃圾", "box": (0.25, 0.2, 0.5, 0.4), "score": 0.8},
        {"label": "满溢", "points": [(0.3, 0.25), (0.45, 0.25), (0.4, 0.38)]},
    ]
    extraction = extract(encoded(photo), regions, faces_only)
    box, polygon = extraction.objects
    assert (box.label, box.source, box.score, box.box) == ("暴露垃圾", "platform", 0.8, (100, 60, 200, 120))
    assert (polygon.label, polygon.source, polygon.score) == ("满溢", "platform", None)
    assert polygon.box == pytest.approx((120, 75, 180, 114))
    first, second = of_kind(extraction, "object")
    assert first.made_by["tool"] == "platform"
    assert decoded(first)[10:-10, 10:-10].reshape(-1, 3).mean(axis=0) == pytest.approx((20, 20, 220), abs=6)
    assert second.box == (117, 73, 183, 116)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (10, 100), (1000, 100), (16, 16), (33, 2000 // 8)])
def test_odd_sizes_are_worked_on(size: tuple[int, int], loaded: Models) -> None:
    extraction = extract(encoded(np.full((size[1], size[0], 3), 70, np.uint8), ".png"), [], loaded)
    assert (extraction.width, extraction.height) == size
    assert masked_copy(extraction).shape[:2] == (size[1], size[0])


def test_strips_are_refused(faces_only: Models) -> None:
    with pytest.raises(UnreadablePhoto):
        extract(encoded(np.zeros((3, 2000, 3), np.uint8), ".png"), [], faces_only)


def test_a_crowd_is_masked_down_to_faces_of_few_pixels(faces_only: Models) -> None:
    extraction = extract(weights.crowd(), [], faces_only)
    assert len(extraction.faces) > 80
    nearer = cv2.resize(masked_copy(extraction), None, fx=2, fy=2)
    certain = [face for face in faces_only.faces.find(nearer) if face.score >= 0.5]
    assert all(face.height / 2 < 20 for face in certain)
    assert len(certain) <= 2


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\xff\xd8\xff\xe0", weights.six_people()[:300]])
def test_what_is_no_photo_is_named(content: bytes, faces_only: Models) -> None:
    with pytest.raises(UnreadablePhoto, match="无法解码"):
        extract(content, [], faces_only)


edge = st.floats(-50, 150)


@hypothesis_settings(max_examples=100, deadline=None)
@given(across=st.tuples(edge, edge), down=st.tuples(edge, edge), margin=st.floats(0, 2))
def test_any_box_gives_a_piece_of_the_photo(
    across: tuple[float, float], down: tuple[float, float], margin: float
) -> None:
    from plugins.evidence.vision.cutouts import cut

    photo = np.zeros((60, 90, 3), np.uint8)
    (x0, y0, x1, y1), jpeg = cut(photo, (min(across), min(down), max(across), max(down)), margin)
    assert 0 <= x0 < x1 <= 90 and 0 <= y0 < y1 <= 60
    assert decoded(jpeg).shape == (y1 - y0, x1 - x0, 3)


ALONE = """
import socket, sys
def refused(*_, **__): raise AssertionError("the network was asked")
socket.socket.connect = refused
from plugins.evidence.vision import extract, load_models
from tests.vision import weights
heavy = {"cv2", "onnxruntime", "insightface"} & set(sys.modules)
assert not heavy, heavy
models = load_models(sys.argv[1], str(weights.yolo()), "")
assert load_models(sys.argv[1], str(weights.yolo()), "") is models
assert len(extract(weights.six_people(), [], models).faces) == 6
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("Threads")))
"""


def test_a_worker_uses_one_thread_and_no_network_and_others_load_nothing(face_folder: Path) -> None:
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(face_folder)], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"

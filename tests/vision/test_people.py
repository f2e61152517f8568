"""The copy that shows one person alone, what a person draws, and templates."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from insightface.app import FaceAnalysis
from PIL import Image

from plugins.evidence.vision import (
    ExtractionFailed,
    ModelMissing,
    Models,
    NoFaceThere,
    UnreadablePhoto,
    cut_region,
    extract,
    load_models,
    subject_copy,
    template,
)
from plugins.evidence.vision.recogniser import load_recogniser
from plugins.evidence.vision.results import Face
from tests.vision import weights
from tests.vision.scenes import decoded, encoded


def with_metadata(photo: bytes) -> bytes:
    """Return a JPEG that carries a script in every place that a text fits in."""
    script = "<script>alert('x')</script>"
    tags = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0131, 0x013B, 0x8298):
        tags[tag] = script
    tags.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + script.encode()
    file = io.BytesIO()
    Image.open(io.BytesIO(photo)).convert("RGB").save(
        file, "JPEG", exif=tags, comment=script.encode(), icc_profile=script.encode() * 10, quality=95
    )
    assert file.getvalue().count(b"<script>") >= 7
    return file.getvalue()


def bare(content: bytes) -> bool:
    """Whether a JPEG has nothing but what shows the picture."""
    made = Image.open(io.BytesIO(content))
    return (
        made.format == "JPEG"
        and not made.getexif()
        and set(made.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        and b"script" not in content
    )


def test_nothing_that_the_file_carried_goes_along(faces_only: Models) -> None:
    photo = with_metadata(weights.six_people())
    extraction = extract(photo, [{"label": "袋", "box": (0.1, 0.1, 0.4, 0.4)}], faces_only)
    made = [*extraction.pictures, subject_copy(photo, extraction.faces[0].box, faces_only)]
    made.append(cut_region(photo, (0.2, 0.2, 0.5, 0.9)))
    assert len(made) == 11
    assert all(bare(each.content) for each in made)


@pytest.mark.parametrize("number", range(6))
def test_one_face_is_shown_and_the_others_are_masked(number: int, faces_only: Models) -> None:
    photo = weights.six_people()
    extraction = extract(photo, [], faces_only)
    cut = [each for each in extraction.pictures if each.kind == "face"][number]
    copy = subject_copy(photo, cut.box, faces_only)  # the box of the cut-out: with its margin
    assert copy.kind == "subject_copy" and copy.box == (0, 0, 1280, 886)
    assert copy == subject_copy(photo, extraction.faces[number].box, faces_only)
    seen = [face for face in faces_only.faces.find(decoded(copy.content)) if face.score >= 0.5]
    (left, top, right, bottom), face = extraction.faces[number].box, seen[0]
    assert len(seen) == 1
    assert left < (face.box[0] + face.box[2]) / 2 < right and top < (face.box[1] + face.box[3]) / 2 < bottom


@pytest.mark.parametrize("keep", [(0, 700, 200, 886), (0, 0, 1280, 886), (700, 300, 760, 380), (10, 10, 10, 10)])
def test_a_box_that_means_no_face_shows_nobody(keep: tuple[float, float, float, float], faces_only: Models) -> None:
    copy = decoded(subject_copy(weights.six_people(), keep, faces_only).content)
    assert not [face for face in faces_only.faces.find(copy) if face.score >= 0.5]


def test_a_face_behind_the_person_is_masked_too(faces_only: Models) -> None:
    photo = decoded(weights.astronaut()).copy()
    head = photo[40:190, 160:300].copy()
    photo[50:200, 290:430] = head  # close behind the shoulder
    faces = sorted(extract(encoded(photo), [], faces_only).faces, key=lambda face: face.box[0])
    copy = decoded(subject_copy(encoded(photo), faces[0].box, faces_only).content)
    (left,) = (face for face in faces_only.faces.find(copy) if face.score >= 0.5)
    assert left.box[0] < 225 < left.box[2]


def test_what_a_person_draws_is_cut_out_as_drawn() -> None:
    picture = cut_region(weights.coffee(), (0.25, 0.1, 0.75, 0.6))
    assert (picture.kind, picture.source, picture.label, picture.score) == ("object", "person", None, None)
    assert picture.box == (150, 40, 450, 240)
    assert np.abs(decoded(picture.content).astype(int) - decoded(weights.coffee())[40:240, 150:450]).mean() < 6


def test_what_is_drawn_lies_on_the_upright_photo() -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    file = io.BytesIO()
    Image.open(io.BytesIO(weights.coffee())).transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=tags)
    picture = cut_region(file.getvalue(), (0.25, 0.1, 0.75, 0.6))
    assert np.abs(decoded(picture.content).astype(int) - decoded(weights.coffee())[40:240, 150:450]).mean() < 8


@pytest.mark.parametrize(
    "box", [(0.5, 0.1, 0.5, 0.6), (-0.1, 0, 1, 1), (0, 0, 1, 1.01), (float("nan"), 0, 1, 1), (0.9, 0.9, 0.1, 0.1)]
)
def test_a_box_beside_the_photo_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ExtractionFailed, match="框选区域"):
        cut_region(weights.coffee(), box)


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(50), weights.six_people()[:3000]])
def test_what_is_no_photo_cannot_be_drawn_on(content: bytes) -> None:
    with pytest.raises(UnreadablePhoto):
        cut_region(content, (0, 0, 1, 1))


def test_templates_tell_people_apart(faces_only: Models) -> None:
    photo = weights.six_people()
    faces = extract(photo, [], faces_only).faces
    vectors = np.array([template(photo, face.box, faces_only).vector for face in faces])
    assert vectors.dtype == np.float32 and vectors.shape == (6, 512)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alike = vectors @ vectors.T
    assert alike[~np.eye(6, dtype=bool)].max() < 0.3
    mirrored = np.ascontiguousarray(decoded(photo)[:, ::-1])
    for face, vector in zip(faces, vectors, strict=True):
        box = (1280 - face.box[2], face.box[1], 1280 - face.box[0], face.box[3])
        assert template(encoded(mirrored, 95), box, faces_only).vector @ vector > 0.8


def test_templates_are_those_of_insightface(faces_only: Models, face_folder: Path) -> None:
    analysis = FaceAnalysis(name=str(face_folder), allowed_modules=["detection", "recognition"])
    analysis.prepare(ctx_id=-1, det_size=(640, 640))
    photo = weights.astronaut()
    (theirs,) = analysis.get(decoded(photo))
    face = Face(tuple(theirs.bbox), 1.0, tuple(map(tuple, theirs.kps)))
    ours = load_recogniser(face_folder)
    assert ours.template(decoded(photo), face) @ theirs.normed_embedding > 0.999
    assert template(photo, face.box, faces_only).model_sha256 == ours.file.sha256


def test_without_a_face_there_is_no_template(faces_only: Models) -> None:
    with pytest.raises(NoFaceThere, match="没有找到人脸"):
        template(weights.six_people(), (0, 700, 200, 886), faces_only)


def test_without_a_recogniser_only_templates_are_missing(face_folder: Path, tmp_path: Path) -> None:
    shutil.copy(face_folder / "scrfd_500m_bnkps.onnx", tmp_path)
    models = load_models(str(tmp_path))
    photo = weights.astronaut()
    (face,) = extract(photo, [], models).faces
    with pytest.raises(ModelMissing, match="没有人脸识别模型"):
        template(photo, face.box, models)


IDLE = """
import sys
from plugins.evidence.vision import cut_region, clip_facts, extract, load_models
from tests.vision import weights
cut_region(weights.coffee(), (0, 0, 0.5, 0.5))
assert not {"cv2", "onnxruntime", "insightface"} & set(sys.modules), "a drawn region needs no OpenCV"
models = load_models(sys.argv[1])
extract(weights.six_people(), [], models)
from plugins.evidence.vision.recogniser import load_recogniser
assert load_recogniser.cache_info().currsize == 0, "the recogniser was loaded"
"""


def test_while_nobody_compares_no_recogniser_is_loaded(face_folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", IDLE, str(face_folder)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr

"""How good a face is for comparison, on real photos blurred, shrunk, turned and cut off."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugins.evidence.vision import Models, Picture, extract
from plugins.evidence.vision.quality import HEAD, pose
from plugins.evidence.vision.results import Face
from tests.vision import weights
from tests.vision.scenes import Pixels, decoded, encoded


def cut_faces(photo: Pixels, models: Models) -> list[Picture]:
    return [each for each in extract(encoded(photo, 95), [], models).pictures if each.kind == "face"]


def the_face(photo: Pixels, models: Models) -> Picture:
    """Return the largest face."""
    return max(cut_faces(photo, models), key=lambda each: each.box[3] - each.box[1])


def said(picture: Picture) -> dict[str, float]:
    assert picture.quality is not None
    return dict(picture.quality)


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Return the rotation of a head; each angle about its axis: roll after yaw after pitch."""
    y, p, r = np.radians([-yaw, pitch, roll])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return about_z @ about_y @ about_x


def turned(photo: Pixels, face: Face, yaw: float) -> Pixels:
    """Turn a face that looks ahead: its pixels lie on a head with a nose, which is turned and seen again."""
    unit = np.hypot(*np.subtract(face.points[1], face.points[0])) / 35.2
    height, width = photo.shape[:2]
    fine = cv2.resize(photo, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    down, across = np.mgrid[0 : height * 2, 0 : width * 2] / 2
    u, v = (across - face.points[2][0]) / unit, (down - face.points[2][1]) / unit
    round_head = np.clip(1 - (u / 46) ** 2 - ((v + 2) / 66) ** 2, 0, None)
    out = 42 * np.sqrt(round_head) + 10 * np.exp(-((u / 7) ** 2 + ((v + 1) / 9) ** 2)) - 31
    angle = np.radians(yaw)
    x = np.round((u * np.cos(angle) + out * np.sin(angle)) * unit + face.points[2][0]).astype(int)
    depth = out * np.cos(angle) - u * np.sin(angle)
    seen = (round_head > 0) & (x >= 0) & (x < width)
    order = np.argsort(depth[seen], kind="stable")
    done = cv2.GaussianBlur(photo, (0, 0), 15)
    done[down[seen].astype(int)[order], x[seen][order]] = fine[seen][order]
    return done


def test_each_face_says_how_good_it_is(faces_only: Models) -> None:
    faces = cut_faces(decoded(weights.six_people()), faces_only)
    assert len(faces) == 6
    for picture in faces:
        quality = said(picture)
        assert set(quality) == {"height", "sharpness", "yaw", "pitch", "roll", "score"}
        assert (
            110 < quality["height"] < 160 and quality["sharpness"] > 40 and quality["score"] == round(picture.score, 3)
        )
        assert picture.comparable is True
    # The woman on the left bends her head to the left, the man beside her to the right: seen, not computed.
    by_place = sorted(faces, key=lambda each: each.box[0])
    assert said(by_place[0])["roll"] < -15
    assert said(by_place[2])["roll"] > 8


@pytest.mark.parametrize("blur", [0.0, 0.01, 0.02, 0.03, 0.05])
def test_a_blurred_face_is_marked(blur: float, faces_only: Models) -> None:
    photo = decoded(weights.one_player())
    soft = cv2.GaussianBlur(photo, (0, 0), blur * 140) if blur else photo
    face = the_face(soft, faces_only)
    assert face.comparable is (blur < 0.015)


def test_sharpness_is_the_same_near_and_far_bright_and_dim(faces_only: Models) -> None:
    photo = decoded(weights.one_player())
    sharp = said(the_face(photo, faces_only))["sharpness"]
    dim = np.round(photo * 0.4 + 20).astype(np.uint8)
    assert said(the_face(dim, faces_only))["sharpness"] == pytest.approx(sharp, rel=0.4)
    # Enlarged, it is the same face; enlarged after it was shrunk, it has lost what it had.
    larger = cv2.resize(photo, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC)
    assert said(the_face(larger, faces_only))["sharpness"] == pytest.approx(sharp, rel=0.4)
    lost = cv2.resize(cv2.resize(photo, None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA), photo.shape[1::-1])
    assert said(the_face(lost, faces_only))["sharpness"] < sharp / 5


@pytest.mark.parametrize(("height", "able"), [(80, True), (50, True), (30, False)])
def test_a_face_with_too_few_pixels_is_marked(height: int, able: bool, faces_only: Models) -> None:
    photo = decoded(weights.one_player())
    shrink = height / 140
    place = np.full((400, 400, 3), 120, np.uint8)
    small = cv2.resize(photo, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    place[100 : 100 + small.shape[0], 100 : 100 + small.shape[1]] = small
    face = the_face(place, faces_only)
    assert said(face)["height"] == pytest.approx(height, rel=0.15)
    assert face.comparable is able


def test_a_face_that_turns_away_ends_as_a_profile(faces_only: Models) -> None:
    photo = decoded(weights.one_player())
    (face,) = (each for each in faces_only.faces.find(photo) if each.score >= 0.5)
    seen = {angle: the_face(turned(photo, face, angle), faces_only) for angle in (-75, -30, 0, 30, 75)}
    yaws = [said(seen[angle])["yaw"] for angle in sorted(seen)]
    assert yaws == sorted(yaws)
    assert yaws[0] < -60 and abs(yaws[2]) < 15 and yaws[4] > 60
    assert [seen[angle].comparable for angle in sorted(seen)] == [False, True, True, True, False]


@pytest.mark.parametrize("roll", [-35, -15, 20, 40])
def test_a_photo_turned_in_its_plane_turns_the_roll_alone(roll: int, faces_only: Models) -> None:
    photo = decoded(weights.astronaut())
    straight = said(the_face(photo, faces_only))
    move = cv2.getRotationMatrix2D((225.0, 120.0), -roll, 1)
    leaning = said(the_face(cv2.warpAffine(photo, move, photo.shape[1::-1]), faces_only))
    assert leaning["roll"] - straight["roll"] == pytest.approx(roll, abs=12)
    assert leaning["yaw"] == pytest.approx(straight["yaw"], abs=10)
    assert leaning["pitch"] == pytest.approx(straight["pitch"], abs=20)


def test_in_a_mirror_the_head_turns_the_other_way(faces_only: Models) -> None:
    photo = decoded(weights.three_players())
    one, other = (the_face(each, faces_only) for each in (photo, np.ascontiguousarray(photo[:, ::-1])))
    assert said(one)["yaw"] > 40
    assert said(other)["yaw"] == pytest.approx(-said(one)["yaw"], abs=12)


angle = st.floats(-60, 60)


@hypothesis_settings(max_examples=200, deadline=None)
@given(yaw=angle, pitch=angle, roll=st.floats(-179, 179), scale=st.floats(0.2, 20), shift=st.floats(-500, 5000))
def test_the_pose_of_the_model_head_is_found(yaw: float, pitch: float, roll: float, scale: float, shift: float) -> None:
    points = (HEAD @ rotation(yaw, pitch, roll).T)[:, :2] * scale + shift
    assert pose(points) == pytest.approx((yaw, pitch, roll), abs=0.01)


@hypothesis_settings(max_examples=200, deadline=None)
@given(points=st.lists(st.tuples(st.floats(-100, 4000), st.floats(-100, 4000)), min_size=5, max_size=5))
def test_any_five_points_have_a_pose(points: list[tuple[float, float]]) -> None:
    yaw, pitch, roll = pose(np.array(points))
    assert abs(yaw) <= 90 and abs(pitch) <= 180 and abs(roll) <= 180


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_face_at_the_border_is_cut_and_measured(side: str, faces_only: Models) -> None:
    photo = decoded(weights.one_player())  # the face spans 70..177 across and 72..212 down
    part = {"left": photo[:, 95:], "top": photo[100:], "right": photo[:, :150], "bottom": photo[:185]}[side]
    face = the_face(np.ascontiguousarray(part), faces_only)
    left, top, right, bottom = face.box
    assert left >= 0 and top >= 0 and right <= part.shape[1] and bottom <= part.shape[0]
    assert {"left": left == 0, "top": top == 0, "right": right == part.shape[1], "bottom": bottom == part.shape[0]}[
        side
    ]
    assert np.isfinite(list(said(face).values())).all()


def test_fifty_faces_and_none(faces_only: Models) -> None:
    six = cv2.resize(decoded(weights.six_people()), (640, 443), interpolation=cv2.INTER_AREA)
    many = np.vstack([np.hstack([six] * 3)] * 3)
    extraction = extract(encoded(many), [], faces_only)
    assert len(extraction.faces) == 54
    assert extraction.masked >= 54
    faces = [each for each in extraction.pictures if each.kind == "face"]
    assert len(faces) == 54 and sum(each.comparable is True for each in faces) > 40
    assert cut_faces(decoded(weights.coffee()), faces_only) == []

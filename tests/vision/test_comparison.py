"""What lies there now and did not before: real photos with things put down, in other light, shaken, with people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plugins.evidence.vision import Models, extract
from plugins.evidence.vision.comparison import LEAST_AREA, LEAST_SCORE, compare
from tests.vision import scenes, weights
from tests.vision.scenes import Pixels, decoded, encoded

PLACES = ("garage", "meadow", "table", "room", "night")
#: A thing, where it is put (left, top), and how high it is, in pixels of a photo 960 pixels wide.
PUT = [
    ("garage", "cup", 700, 480, 120),
    ("garage", "tank", 120, 500, 90),
    ("meadow", "cup", 650, 470, 110),
    ("meadow", "cat", 100, 440, 130),
    ("table", "cat", 20, 380, 150),
    ("room", "cup", 800, 520, 110),
    ("night", "cat", 300, 300, 120),
    ("night", "cup", 500, 100, 140),
]

light = st.fixed_dictionaries(
    {
        "gamma": st.floats(0.6, 1.6),
        "gain": st.floats(0.6, 1.4),
        "white": st.tuples(st.floats(0.88, 1.12), st.floats(0.88, 1.12)),
        "slope": st.floats(-0.3, 0.3),
    }
)
shake = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


def seen(place: Pixels, lit: dict[str, object], moved: tuple[float, float], noise: float = 2.0) -> Pixels:
    """Return the place as the camera sees it another time, through JPEG."""
    changed = scenes.noisy(scenes.shaken(scenes.lit(place, **lit), *moved), noise)  # type: ignore[arg-type]
    return decoded(encoded(changed, 80))


@pytest.mark.parametrize(("place", "thing", "left", "top", "height"), PUT)
def test_a_thing_put_down_is_found(place: str, thing: str, left: int, top: int, height: int) -> None:
    before = scenes.places()[place]
    after, box = scenes.put(before, thing, left, top, height)
    other = {"gamma": 1.2, "gain": 0.85, "white": (1.06, 0.95), "slope": 0.15}
    for again in (after, seen(after, other, (3, -2))):
        (found,) = compare(before, again).found
        assert scenes.overlap(found.box, box) > 0.6
        assert (found.label, found.source) == (None, "comparison")
        assert found.score is not None and LEAST_SCORE <= found.score <= 1


@pytest.mark.parametrize("place", PLACES)
@hypothesis_settings(max_examples=3, deadline=None)
@given(lit=light, moved=shake, noise=st.floats(0, 4), quality=st.integers(60, 95))
def test_light_and_shake_alone_are_nothing_new(
    place: str, lit: dict[str, object], moved: tuple[float, float], noise: float, quality: int
) -> None:
    before = scenes.places()[place]
    after = seen(before, lit, moved, noise)
    assert compare(decoded(encoded(before, quality)), after).found == []


def test_things_are_found_in_other_light() -> None:
    random = np.random.default_rng(7)
    found = []
    for place, thing, left, top, height in PUT * 4:
        before = scenes.places()[place]
        after, box = scenes.put(before, thing, left, top, height)
        light = {
            "gamma": random.uniform(0.75, 1.35),
            "gain": random.uniform(0.75, 1.2),
            "white": tuple(random.uniform(0.88, 1.12, 2)),
            "slope": random.uniform(-0.3, 0.3),
        }
        claimed = compare(before, seen(after, light, tuple(random.uniform(-3, 3, 2)))).found
        assert len(claimed) <= 1  # never anything else
        found.append(bool(claimed) and scenes.overlap(claimed[0].box, box) > 0.5)
    assert sum(found) / len(found) >= 0.9, [which for which, each in zip(PUT * 4, found, strict=True) if not each]


@pytest.mark.parametrize("place", ["garage", "meadow", "table"])
@pytest.mark.parametrize("darkness", [0.45, 0.6, 0.8])
@pytest.mark.parametrize("soft", [1.0, 4.0])
def test_a_shadow_is_nothing_new(place: str, darkness: float, soft: float) -> None:
    before = scenes.places()[place]
    shaded = scenes.shaded(before, [(100, 300), (500, 330), (620, 620), (60, 560)], darkness, soft)
    assert compare(before, seen(shaded, {}, (1, 1))).found == []
    assert compare(seen(shaded, {}, (1, 1)), before).found == []  # nor is sun where a shadow was


def test_a_thing_in_a_shadow_that_was_there_before_is_found() -> None:
    corners = [(600, 400), (959, 400), (959, 639), (560, 639)]
    before = scenes.places()["garage"]
    after, box = scenes.put(before, "cup", 700, 480, 120)
    (found,) = compare(scenes.shaded(before, corners, 0.6), scenes.shaded(after, corners, 0.5)).found
    assert scenes.overlap(found.box, box) > 0.5


@pytest.mark.parametrize(("place", "thing", "left", "top", "height"), PUT)
def test_what_was_taken_away_is_nothing_new(place: str, thing: str, left: int, top: int, height: int) -> None:
    after = scenes.places()[place]
    before, _ = scenes.put(after, thing, left, top, height)
    assert compare(before, after).found == []


def test_several_things_are_found_each() -> None:
    before = scenes.places()["garage"]
    after, one = scenes.put(before, "cup", 700, 480, 110)
    after, other = scenes.put(after, "cat", 100, 480, 120)
    found = compare(before, after).found
    assert len(found) == 2
    assert all(max(scenes.overlap(each.box, box) for each in found) > 0.6 for box in (one, other))
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)  # type: ignore[type-var]


def test_frames_that_cannot_be_compared_are_told() -> None:
    garage, meadow = scenes.places()["garage"], scenes.places()["meadow"]
    size = compare(garage[:, :900], garage)
    assert size.found == [] and "尺寸不同" in size.note
    other = compare(np.ascontiguousarray(meadow[:600]), np.ascontiguousarray(garage[:600]))
    assert other.found == [] and "不是同一机位" in other.note
    moved = compare(garage, scenes.shaken(garage, 90, 0))
    assert moved.found == [] and "不是同一机位" in moved.note
    tiny = compare(garage[:20, :20], garage[:20, :20])
    assert tiny.found == [] and "太小" in tiny.note


def test_dirt_is_too_small_to_be_claimed() -> None:
    before = scenes.places()["garage"]
    after, (left, top, right, bottom) = scenes.put(before, "cup", 700, 500, 20)
    assert (right - left) * (bottom - top) < LEAST_AREA * 960 * 640 * 1.1
    assert compare(before, after).found == []


@hypothesis_settings(max_examples=30, deadline=None)
@given(width=st.integers(1, 400), height=st.integers(1, 400), seed=st.integers(0, 99), flat=st.booleans())
def test_any_two_pictures_can_be_compared(width: int, height: int, seed: int, flat: bool) -> None:
    random = np.random.default_rng(seed)
    one, other = (
        np.full((height, width, 3), random.integers(256), np.uint8)
        if flat
        else random.integers(0, 256, (height, width, 3), np.uint8)
        for _ in range(2)
    )
    compared = compare(one, other)
    for each in compared.found:
        left, top, right, bottom = each.box
        assert 0 <= left < right <= width + 1 and 0 <= top < bottom <= height + 1
    if flat:
        assert compared.found == []


def person_and_cup() -> tuple[bytes, bytes, tuple[int, int, int, int]]:
    """Return the garage before, and with a woman who stands there and a cup that somebody left."""
    before = scenes.places()["garage"]
    after, box = scenes.put(before, "cup", 60, 470, 120)
    woman = decoded(weights.astronaut())[20:480, 90:400]
    after[100:560, 600:910] = woman
    return encoded(before), encoded(after), box


def test_a_person_who_came_is_left_out(loaded: Models, faces_only: Models) -> None:
    before, after, cup = person_and_cup()
    woman = (600, 100, 910, 560)
    claimed = compare(decoded(before), decoded(after)).found
    assert any(scenes.overlap(each.box, woman) > 0.3 for each in claimed)  # on its own the comparison knows no people
    for models in (loaded, faces_only):
        found = [each for each in extract(after, [], models, before=before).objects if each.source == "comparison"]
        assert any(scenes.overlap(each.box, cup) > 0.6 for each in found)
        assert not any(scenes.overlap(each.box, woman) > 0.1 for each in found)


def test_the_platform_is_believed_first_then_the_comparison_then_the_model(loaded: Models) -> None:
    before, after, cup = person_and_cup()
    told = extract(after, [{"label": "暴露垃圾", "box": (0.1, 0.7, 0.3, 0.9)}], loaded, before=before)
    assert [each.source for each in told.objects] == ["platform"]
    assert told.detector is None
    compared = extract(after, [], loaded, before=before)
    assert {each.source for each in compared.objects} == {"comparison"}
    (picture,) = (each for each in compared.pictures if each.kind == "object" and scenes.overlap(each.box, cup) > 0.5)
    assert (picture.label, picture.source) == (None, "comparison")
    assert "comparison" in str(picture.made_by["tool"]) and "model" not in picture.made_by
    same = extract(before, [], loaded, before=before)
    assert {each.source for each in same.objects} == {"model"}
    assert same.detector is not None


def test_what_nothing_found_stays_empty_and_says_why(faces_only: Models) -> None:
    before, after, _ = person_and_cup()
    nothing = extract(before, [], faces_only, before=before)
    assert (nothing.objects, nothing.notes) == ((), ())
    other = extract(after, [], faces_only, before=weights.coffee())
    assert other.objects == ()
    (note,) = other.notes
    assert "尺寸不同" in note

"""Killed after any single thing that it does, a process or the store loses no capture and nothing stands twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.faults.camera import new_clip
from tests.faults.ground import Ground
from tests.faults.killing import Point

#: Points without which the tests would not mean what they say.
INTAKE = {"file rename", "store insert blobs", "store insert evidence_captures", "store commitTransaction 1"}
EXTRACTION = {"store findAndModify events", "store insert evidence_exhibits", "redis LPOP", "redis pipeline"}
#: The end of a transaction and that of a delivery: behind each of them another state is left.
ENDS = ("store commitTransaction 1", "store update events")


def chosen(passed: Sequence[str], kind: str = "") -> list[Point]:
    """Return the first point of each name, and every end: at the others a kill leaves what it leaves at these."""
    counts: Counter[str] = Counter()
    points: list[Point] = []
    for name in passed:
        counts[name] += 1
        if name.startswith(kind) and (counts[name] == 1 or name in ENDS):
            points.append((name, counts[name]))
    return points


def test_a_request_killed_at_any_point_makes_one_capture_when_it_is_sent_again(quiet: Ground) -> None:
    struck: list[str] = []
    _, whole = quiet.killable.serve(quiet.camera.observe())
    for point in chosen(whole["passed"]):
        observation = quiet.camera.observe()
        first, ended = quiet.killable.serve(observation, point)
        if "struck" not in ended:  # what is done once only, for the first capture of all
            assert first.status == 202, (point, first)
            continue
        assert ended["code"] == -9
        struck.append(ended["struck"])
        quiet.let_time_pass()
        again, _ = quiet.killable.serve(observation)
        assert again.status == 202, (struck[-1], again)
        if first.status == 202:
            assert again.body["id"] == first.body["id"]
    assert set(struck) >= INTAKE, struck
    quiet.killable.recover()
    assert quiet.killable.broken_promises() == []


def test_a_worker_killed_at_any_point_leaves_an_extraction_that_is_done_once(quiet: Ground) -> None:
    struck: list[str] = []
    taken_in(quiet)
    for point in chosen(quiet.killable.work()["passed"]):
        taken_in(quiet)
        ended = quiet.killable.work(point)
        if "struck" in ended:
            assert ended["code"] == -9
            struck.append(ended["struck"])
            quiet.killable.recover()
    assert set(struck) >= EXTRACTION, struck
    assert quiet.waiting() == 0
    assert quiet.killable.broken_promises() == []


def test_a_clip_killed_on_its_way_is_one_capture_with_its_frames_once(quiet: Ground) -> None:
    # Where a clip goes other ways than a photo: it is kept beside the photo, and its frames before their exhibits.
    for point in (("file rename", 2), ("store insert blobs", 2), ("store commitTransaction 1", 1)):
        observation = quiet.camera.observe(clip=new_clip())
        _, ended = quiet.killable.serve(observation, point)
        assert ended.get("struck") == point[0], ended
        quiet.let_time_pass()
        again, _ = quiet.killable.serve(observation)
        assert again.status == 202, again
    quiet.killable.recover()
    for point in (("store insert blobs", 3), ("store insert evidence_exhibits", 1), ("store commitTransaction 1", 1)):
        taken_in(quiet, new_clip())
        assert quiet.killable.work(point).get("struck") == point[0]
        quiet.killable.recover()
    assert quiet.killable.broken_promises() == []


def test_a_store_killed_at_any_point_of_a_request_costs_the_camera_a_repetition_at_most(quiet: Ground) -> None:
    struck: list[str] = []
    _, whole = quiet.killable.serve(quiet.camera.observe())
    for point in chosen(whole["passed"], "store"):
        observation = quiet.camera.observe()
        first, ended = quiet.killable.without_store(point, observation)
        assert first and first.status in (202, 503), (point, first)
        if "struck" not in ended:
            continue
        struck.append(ended["struck"])
        again, _ = quiet.killable.serve(observation)
        assert again.status == 202, (struck[-1], again)
        if first.status == 202:
            assert again.body["id"] == first.body["id"]
    assert "store commitTransaction 1" in struck
    quiet.killable.recover()
    assert quiet.killable.broken_promises() == []


def test_a_store_killed_at_any_point_of_an_extraction_delays_it_at_most(quiet: Ground) -> None:
    struck: list[str] = []
    taken_in(quiet)
    for point in chosen(quiet.killable.work()["passed"], "store"):
        taken_in(quiet)
        _, ended = quiet.killable.without_store(point)
        if "struck" in ended:
            struck.append(ended["struck"])
            quiet.killable.recover()
    # The exhibits, their places in the ledger's chain, the case and its places: each is a transaction of its own.
    assert struck.count("store commitTransaction 1") > 1, struck
    quiet.killable.recover()
    assert quiet.waiting() == 0
    assert quiet.killable.broken_promises() == []


def taken_in(ground: Ground, clip: bytes | None = None) -> None:
    """Let a camera's observation be taken in."""
    answer, _ = ground.killable.serve(ground.camera.observe(clip=clip))
    assert answer.status == 202, answer

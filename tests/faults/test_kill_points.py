"""Killed after any single thing that it does, a process or the store loses no capture and nothing stands twice."""

from __future__ import annotations

from tests.faults.ground import Ground

#: Points without which the numbers below would not mean what they say.
INTAKE = {"file rename", "store insert blobs", "store insert evidence_captures", "store commitTransaction 1"}
EXTRACTION = {"store findAndModify events", "store insert evidence_exhibits", "redis LPOP", "redis pipeline"}


def test_a_request_killed_at_any_point_makes_one_capture_when_it_is_sent_again(quiet: Ground) -> None:
    struck: list[str] = []
    while True:
        observation = quiet.camera.observe()
        first, ended = quiet.killable.serve(observation, point=len(struck) + 1)
        if "struck" not in ended:
            assert first.status == 202, first
            break
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
    while True:
        answer, _ = quiet.killable.serve(quiet.camera.observe())
        assert answer.status == 202, answer
        ended = quiet.killable.work(point=len(struck) + 1)
        if "struck" not in ended:
            break
        assert ended["code"] == -9
        struck.append(ended["struck"])
        quiet.killable.recover()
    assert set(struck) >= EXTRACTION, struck
    assert quiet.waiting() == 0
    assert quiet.killable.broken_promises() == []


def test_a_store_killed_at_any_point_of_a_request_costs_the_camera_a_repetition_at_most(quiet: Ground) -> None:
    struck: list[str] = []
    while True:
        observation = quiet.camera.observe()
        first, ended = quiet.killable.without_store(len(struck) + 1, observation)
        assert first and first.status in (202, 503), (struck[-1:], first)
        if "struck" not in ended:
            break
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
    while True:
        answer, _ = quiet.killable.serve(quiet.camera.observe())
        assert answer.status == 202, answer
        _, ended = quiet.killable.without_store(len(struck) + 1)
        if "struck" not in ended:
            break
        struck.append(ended["struck"])
        quiet.killable.recover()
    # The exhibits, their places in the ledger's chain, the case and its places: each is a transaction of its own.
    assert struck.count("store commitTransaction 1") > 1, struck
    assert quiet.waiting() == 0
    assert quiet.killable.broken_promises() == []

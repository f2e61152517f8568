"""A phone's queue over a network that loses answers, and a platform that is killed: nothing is lost, nothing twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.settings import Settings
from backend.storage import database, utcnow
from tests.patrol.conftest import Ground, told


@pytest.fixture
def killed(ground: Ground, store: Settings) -> Iterator[Callable[[int, list[dict[str, Any]]], str]]:
    """Return a function that takes a batch in, in a process of its own that dies at the given point."""
    words = [store.mongodb_url, store.redis_url, store.mongodb_database, str(store.data_dir), store.master_key]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.patrol.killed_sending", *words],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(point: int, entries: list[dict[str, Any]]) -> str:
            body = {"sent_at": utcnow().isoformat(), "entries": entries}
            process.stdin.write(json.dumps([point, str(ground.supervisor.user.id), body]) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield run
        process.stdin.close()


def day(ground: Ground) -> list[dict[str, Any]]:
    """Return the queue of a whole round: two check-ins, a report between them, the end."""
    answers = [{"item": "T07", "ok": False, "note": "无人"}]
    return [
        ground.entry(ago=600, stay=60, answers=answers),
        ground.entry("report", ago=500, event="E09"),
        ground.entry(point="T2", ago=300, stay=60),
        ground.entry("finish", ago=100),
    ]


def assert_all_is_there_once(ground: Ground) -> None:
    """Fail unless the round is as one sending without any trouble makes it."""
    report = ground.report()
    counted = {name: report[name] for name in ("state", "done", "findings", "reports", "flagged", "refused")}
    assert counted == {"state": "finished", "done": 2, "findings": 1, "reports": 1, "flagged": 0, "refused": 0}
    assert [each["outcome"] for each in report["check_ins"]] == ["taken", "taken"]
    [alert] = ground.community.get("/api/v1/alerts")["items"]
    assert alert["count"] == 1
    assert [len(told(f"patrol.{name}")) for name in ("checked_in", "finding", "round_finished")] == [2, 1, 1]
    of_round = {"subject": "alerts.patrol_round"}
    actions = [row["action"].rpartition(".")[2] for row in database()["audit_entries"].find(of_round)]
    assert sorted(actions) == ["check_in", "check_in", "finish", "report"]


def test_killed_in_the_middle_of_a_batch_and_sent_again(
    ground: Ground, killed: Callable[[int, list[dict[str, Any]]], str]
) -> None:
    entries = day(ground)
    # Before anything; after the first check-in; between the alert and its note at the round; after that.
    for point, written in ((1, (0, 0)), (2, (1, 0)), (3, (1, 0)), (4, (1, 1))):
        assert killed(point, entries) == "killed"
        report = ground.report()
        assert (report["done"], report["reports"]) == written
    assert killed(99, entries) == "done 0"
    assert_all_is_there_once(ground)
    assert [each["repeated"] for each in ground.sent(*entries)] == [True] * 4
    assert_all_is_there_once(ground)


@pytest.mark.parametrize("seed", range(2))
def test_answers_that_are_lost_and_parts_that_are_sent_again_change_nothing(ground: Ground, seed: int) -> None:
    chance = random.Random(seed)
    entries, at = day(ground), 0
    while at < len(entries):
        part = entries[at : at + chance.randint(1, 4)]
        for _ in range(chance.randint(1, 3)):  # the answer was lost: the phone sends the same again
            results = ground.sent(*part)
        assert [each["outcome"] for each in results] == ["taken"] * len(part)
        at = max(0, at + chance.randint(1, len(part)) - chance.randint(0, 1))
        at += at == 0
    ground.sent(*entries)
    assert_all_is_there_once(ground)


def test_the_same_entry_twice_in_one_batch_is_one(ground: Ground) -> None:
    entries = day(ground)
    results = ground.sent(*(each for entry in entries for each in (entry, entry)))
    assert [each["repeated"] for each in results] == [False, True] * 4
    assert_all_is_there_once(ground)

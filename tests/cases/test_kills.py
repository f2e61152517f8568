"""Whatever kills a worker while it bundles: no capture is lost, none lies in two cases, no number is left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.settings import Settings
from backend.storage import client, database
from plugins.evidence.cases.bundling import bundle_capture
from tests.cases.conftest import Ground, cases, extracted, noted, told


@pytest.fixture
def killed(store: Settings) -> Iterator[Callable[[int, str], str]]:
    """Return a function that bundles a capture in a process of its own, which dies at the given point."""
    words = [store.mongodb_url, store.redis_url, store.mongodb_database, str(store.data_dir), store.master_key]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cases.killed_bundling", *words],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(point: int, capture: str) -> str:
            process.stdin.write(f"{point} {capture}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield run
        process.stdin.close()


def test_a_worker_that_is_killed_while_it_bundles_leaves_all_or_nothing(
    ground: Ground, killed: Callable[[int, str], str]
) -> None:
    captures: list[str] = []
    point, done = 1, 0
    while done < 2:
        # In turn one that opens a case, and one that joins it.
        capture = ground.sees(len(captures) // 2 * 12 + len(captures) % 2, violation="overflow")
        extracted(capture)
        captures.append(capture)
        ended = killed(point, capture)
        assert ended in ("killed", "done 0")
        done = done + 1 if ended == "done 0" else 0
        # A store keeps what a dead process wrote in an open transaction locked for a minute; this ends it at once.
        client().admin.command({"killAllSessions": []})
        stored = [str(each) for row in cases() for each in row["captures"]]
        assert stored.count(capture) <= 1
        # The event is delivered again.
        bundle_capture(told(capture))
        point += 1
    assert point > 15
    rows = cases()
    assert sorted(str(each) for row in rows for each in row["captures"]) == sorted(captures)
    assert [int(row["number"][-6:]) for row in rows] == list(range(1, len(rows) + 1))
    assert sorted(row["subject_id"] for row in noted("bundled")) == sorted(captures)
    for row in rows:
        held = database()["evidence_captures"].find({"case": row["_id"]})
        assert sorted(str(each["_id"]) for each in held) == sorted(map(str, row["captures"]))

"""Whatever kills a worker, at whatever point: every event is handled, and has its effect once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from backend import events
from backend.events import EventHandler, StoredEvent, deliver_due, publish
from backend.settings import Settings
from backend.storage import atomically, client, database, utcnow

ROOT = Path(__file__).parents[2]
# As many as there are on the way of an event through both handlers.
POINTS = 24


@pytest.fixture
def worker(clean: Settings, tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """Yield a function that runs a worker to be killed at its n-th point and says how it ended."""
    arguments = [clean.mongodb_url, clean.redis_url, clean.mongodb_database, str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.events.killed_worker", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(point: int) -> str:
            process.stdin.write(f"{point}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield run
        process.stdin.close()


def test_a_worker_killed_at_any_point_loses_nothing_and_does_nothing_twice(
    clean: Settings, worker: Callable[[int], str]
) -> None:
    # This process only publishes: what it listens to decides which deliveries are stored.
    events.install([EventHandler(name="test.first", event="step.first", handle=print)])
    kills = 0
    for point in range(1, POINTS + 1):
        atomically(lambda: publish("step.first", {}))
        kills += worker(point) == "killed"
        # A store keeps what a dead process wrote in an open transaction locked for a minute; this ends it at once.
        client().admin.command({"killAllSessions": []})
        if point % 3 == 0:
            redis.Redis.from_url(clean.redis_url).flushall()
            recover()
            assert worker(0) == "done"
    assert kills == POINTS
    assert database()["effects"].count_documents({}) == 2 * POINTS
    assert {row["_id"]: row["count"] for row in database()["totals"].find()} == {
        "first": POINTS,
        "second": POINTS,
    }
    assert StoredEvent.objects(open=True).count() == 0
    assert StoredEvent.objects.count() == 2 * POINTS
    events.install([])


def recover() -> None:
    """Do what the scheduler does, as if the leases of the dead had run out."""
    past = utcnow() - timedelta(seconds=1)
    for event in StoredEvent.objects(open=True):
        for number, delivery in enumerate(event.deliveries):
            if delivery.state == "running":
                database()["events"].update_one({"_id": event.id}, {"$set": {f"deliveries.{number}.due_at": past}})
    deliver_due()

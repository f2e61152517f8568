"""Wherever a worker is killed, points are booked once, a decision and its opposite entry stay together, sums agree."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.plugin_api import Event
from backend.settings import Settings
from backend.storage import client, utcnow
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.ledger.hearing import hear
from tests.ranking.conftest import Ground, case, months, summed

Kill = Callable[[int, dict[str, Any]], str]


@pytest.fixture
def killed(ground: Ground, store: Settings) -> Iterator[Kill]:
    """Return a function that books or decides in a process of its own, which dies at the given point."""
    words = [store.mongodb_url, store.redis_url, store.mongodb_database, str(store.data_dir), store.master_key]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ranking.killed_booking", *words],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(point: int, order: dict[str, Any]) -> str:
            process.stdin.write(f"{point} {json.dumps(order)}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield run
        process.stdin.close()


def as_order(event: Event) -> dict[str, Any]:
    """Return an event as the other process reads it."""
    return {**dataclasses.asdict(event), "occurred_at": event.occurred_at.isoformat()}


def let_go() -> None:
    """End the transactions of the dead, which the store would keep for a minute."""
    client().admin.command({"killAllSessions": []})


def test_killed_anywhere_nothing_is_lost_nothing_is_booked_twice(ground: Ground, killed: Kill) -> None:
    booked, point, ended = 0, 0, ""
    while ended != "done 0":
        point += 1
        # Each on a day of its own, where no cap is in the way.
        told = case(number=f"AJ{point}", at=utcnow() - timedelta(days=40 * point))
        ended = killed(point, as_order(told))
        let_go()
        assert ground.balance() in (booked, booked - 100)
        assert months() == summed(), "what is in the ledger is in the sums, whoever died before they were made"
        hear(told)
        booked -= 100
        assert ground.balance() == booked, point
    assert point == 7 and [row["seq"] for row in ground.entries()] == list(range(1, 8))
    assert months() == summed()

    charges = ground.charges(deducted=True)
    for point in range(1, 6):
        [filed] = [ground.appeal(ground.manager, charges[point]).json]
        ended = killed(point, {"appeal": filed["id"]})
        let_go()
        decided = point > 3
        now = Appeal.objects.get(id=charges[point]["id"])
        # Either both are there, the decision and the opposite entry, or neither.
        assert (now.state, ground.charge(ground.chief, charges[point])["net"]) == (
            ("upheld", 0) if decided else ("filed", -1)
        ), point
        if not decided:
            assert ground.decide(ground.street, filed, "uphold").status_code == 200
        booked += 100
        assert ground.balance() == booked and ended == ("killed" if point < 5 else "done 0"), point
    assert months() == summed()

"""Whatever kills a worker: what an order's step tells is told once, and none of it is left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend import events, messages
from backend.events import StoredEvent, deliver_due
from backend.jobs import run_worker
from backend.settings import Settings
from backend.storage import client, database
from plugins.dispatch.orders import notifying
from plugins.dispatch.orders.escalation import escalate
from tests.dispatch.conftest import Ground


@pytest.fixture(scope="module")
def forker(store: Settings) -> Iterator[subprocess.Popen[str]]:
    """Start the process that forks workers."""
    words = [store.mongodb_url, store.redis_url, store.mongodb_database, str(store.data_dir), store.master_key]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.dispatch.killed_worker", *words],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


@pytest.fixture
def worker(ground: Ground, forker: subprocess.Popen[str]) -> Callable[..., bool]:
    """Return a function that does something in a worker killed before its n-th message; whether it was killed."""
    assert forker.stdin is not None and forker.stdout is not None

    def do(number: int, *what: str) -> bool:
        forker.stdin.write(f"{number} {' '.join(what)}\n")
        forker.stdin.flush()
        ended = forker.stdout.readline().strip()
        assert ended in ("killed", "done 0")
        # A store keeps what a dead process wrote in an open transaction locked for a minute; this ends it at once.
        client().admin.command({"killAllSessions": []})
        return ended == "killed"

    return do


def test_each_share_of_a_limit_is_told_once(ground: Ground, worker: Callable[..., bool]) -> None:
    number, killed = 2, True
    while killed:
        order = ground.dispatch(ground.street, ground.alert())
        ground.age(order, minutes=130)  # three shares at once
        killed = worker(number, "escalate")
        escalate()
        assert sorted(each["percent"] for each in ground.events("work_order.escalated", order)) == [50, 100]
        assert [len(ground.events(f"work_order.{name}", order)) for name in ("due_soon", "overdue")] == [1, 1]
        assert [each["verb"] for each in ground.stored(order)["timeline"]][-3:] == ["escalate", "remind", "escalate"]
        assert ground.stored(order)["escalated"] == 100
        number += 4
    assert number > 10


def test_an_order_is_closed_and_told_of_or_neither(ground: Ground, worker: Callable[..., bool]) -> None:
    number, killed = 2, True
    while killed:
        order = ground.handled()
        killed = worker(number, "close", order["id"], str(ground.community.user.id))
        state = ground.stored(order)["state"]
        assert len(ground.events("work_order.closed", order)) == (state == "closed")
        if state != "closed":
            assert state == "replied" and killed
            ground.step(ground.community, order, "close")
        assert len(ground.events("work_order.closed", order)) == len(ground.stored(order)["checks"]) == 1
        number += 2
    assert number > 6


def test_killed_between_closing_and_notifying_people_are_told_once(ground: Ground, worker: Callable[..., bool]) -> None:
    messages.install(notifying.TEMPLATES, [])
    events.install([*messages.HANDLERS, *(each for each in notifying.HANDLERS if each.event == "work_order.closed")])
    number, killed = 1, True
    while killed:
        order = ground.take(ground.worker, ground.dispatch(ground.street, ground.alert()))
        ground.step(ground.chief, order, "force_close", reason="已由他人清理")
        [row] = StoredEvent.objects(name="work_order.closed", payload__order=order["id"])
        killed = worker(number, "notify", str(row.id))
        for _ in range(2):  # it is delivered again, for nobody has noted that it was
            deliver_due()
            run_worker(["default"], burst=True)
        assert database()["messages"].count_documents({"subject_id": order["id"]}) == 1
        number += 1
    assert number > 4
    events.install([])

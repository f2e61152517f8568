"""A worker that kills itself at the n-th of many points: started by test_kills.py, told on stdin when to die.

This process loads everything once and never connects; each worker is a fork of it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import events, jobs, settings, storage
from backend.events import Event, EventHandler, outbox, publish
from backend.settings import Settings
from backend.storage import after_commit, atomically, database

left = 0


def point() -> None:
    """Die here when the count is over."""
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def with_points(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put a point before and one after a function."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        point()
        result = function(*arguments, **options)
        point()
        return result

    return wrapped


def effect(event: Event, step: str, after: Callable[[], object]) -> None:
    """Have one effect for an event, with points inside its transaction and right after the commit."""
    point()

    def write() -> None:
        after_commit(point)
        key = f"{event.id} {step}"
        if database()["effects"].find_one({"_id": key}) is None:
            database()["effects"].insert_one({"_id": key})
            point()
            database()["totals"].update_one({"_id": step}, {"$inc": {"count": 1}}, upsert=True)
            after()
        point()

    atomically(write)
    point()


def first(event: Event) -> None:
    """Have an effect and tell of it."""
    effect(event, "first", lambda: publish("step.second", event.payload))


def second(event: Event) -> None:
    """Have an effect."""
    effect(event, "second", lambda: None)


def work() -> None:
    """Be a worker until the queue is empty, or dead."""
    storage.connect(settings.current().mongodb_url, settings.current().mongodb_database)
    for name in ("_claim", "_set", "_close", "_put"):
        setattr(outbox, name, with_points(getattr(outbox, name)))
    jobs.run_worker(["default"], burst=True)


def main() -> None:
    """Fork a worker for each number on stdin and say how it ended."""
    global left
    mongodb_url, redis_url, name, folder = sys.argv[1:]
    settings.configure(
        Settings(
            mode="demo",
            data_dir=Path(folder),
            mongodb_url=mongodb_url,
            mongodb_database=name,
            redis_url=redis_url,
            delivery_attempts=1000,
        )
    )
    events.install(
        [
            EventHandler(name="test.first", event="step.first", handle=first),
            EventHandler(name="test.second", event="step.second", handle=second),
        ]
    )
    print("ready", flush=True)
    for line in sys.stdin:
        left = int(line)
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)


if __name__ == "__main__":
    main()

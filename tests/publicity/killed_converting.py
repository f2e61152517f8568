"""A worker that kills itself at the n-th of many points while it makes an exposure an alert: see test_kills.py.

This process loads the platform once and never connects; each worker is a fork of it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bson import ObjectId

from backend import settings, storage
from backend.app import create_app
from backend.events import Event
from backend.protection import forget_keys
from backend.settings import Settings
from plugins.publicity.exposure import following

#: Inside of a transaction nobody is killed here: the store would hold its locks for a minute before it gives them up.
STEPS = ("raise_alert", "atomically")

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


def work(exposure: str, area: str) -> None:
    """Convert one exposure, or die at it."""
    chosen = settings.current()
    storage.connect(chosen.mongodb_url, chosen.mongodb_database)
    forget_keys()
    for name in STEPS:
        setattr(following, name, with_points(getattr(following, name)))
    told = {"name": "exposure.accepted", "area": area, "occurred_at": storage.utcnow()}
    following.convert(Event(id=str(ObjectId()), payload={"exposure": exposure, "round": 1}, **told))
    point()


def main() -> None:
    """Fork a worker for each line `<point> <exposure> <area>` on stdin and say how it ended."""
    global left
    mongodb_url, redis_url, name, folder, key = sys.argv[1:]
    create_app(
        Settings(
            mode="demo",
            data_dir=Path(folder),
            mongodb_url=mongodb_url,
            mongodb_database=name,
            redis_url=redis_url,
            master_key=key,
            log_level="ERROR",
        ),
        with_installed=False,
    )
    storage.disconnect()
    print("ready", flush=True)
    for line in sys.stdin:
        at, exposure, area = line.split()
        left = int(at)
        pid = os.fork()
        if pid == 0:
            work(exposure, area)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"done {status}", flush=True)


if __name__ == "__main__":
    main()

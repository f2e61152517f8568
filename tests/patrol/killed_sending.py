"""A web process that kills itself at the n-th of many points while it takes a batch in: see test_queue.py.

This process loads the platform once and never connects; each that dies is a fork of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bson import ObjectId

from backend import settings, storage
from backend.app import create_app
from backend.events import outbox
from backend.identity.resolving import principal_of
from backend.protection import forget_keys
from backend.settings import Settings
from plugins.alerts.patrol import taking
from plugins.alerts.patrol.claims import Sending
from plugins.alerts.patrol.schemas import PatrolBatchSchema
from tests.patrol.conftest import PROBES

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


def work(account: str, body: dict[str, Any]) -> None:
    """Take a batch in, or die at it."""
    chosen = settings.current()
    storage.connect(chosen.mongodb_url, chosen.mongodb_database)
    forget_keys()
    for name in STEPS:
        setattr(taking, name, with_points(getattr(taking, name)))
    asked = PatrolBatchSchema().load(body)
    by = principal_of(ObjectId(account))
    taking.take_batch(Sending(by=by, sent_at=datetime.fromisoformat(body["sent_at"])), asked["entries"])
    point()


def main() -> None:
    """Fork a process for each line of JSON on stdin (point, account, body) and say how it ended."""
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
    outbox._handlers.update(PROBES)
    storage.disconnect()
    print("ready", flush=True)
    for line in sys.stdin:
        left, account, body = json.loads(line)
        pid = os.fork()
        if pid == 0:
            work(account, body)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"done {status}", flush=True)


if __name__ == "__main__":
    main()

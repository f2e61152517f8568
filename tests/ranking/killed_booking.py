"""A worker that kills itself at the n-th of many points while it books or decides: see test_kills.py.

This process loads the platform once and never connects; each worker is a fork of it.
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
from backend.identity import HeldGrant, Principal, known_permissions
from backend.plugin_api import Event
from backend.protection import forget_keys
from backend.settings import Settings
from plugins.ranking.appeals import deciding
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.ledger import hearing, settling

#: Where somebody may die: around each of these, by module.
STEPS = {settling: ("make_sure", "atomically", "rebook"), deciding: ("atomically", "close")}

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


def work(order: dict[str, Any]) -> None:
    """Book an event or uphold an appeal, or die at it."""
    chosen = settings.current()
    storage.connect(chosen.mongodb_url, chosen.mongodb_database)
    forget_keys()
    for module, names in STEPS.items():
        for name in names:
            setattr(module, name, with_points(getattr(module, name)))
    if "appeal" in order:
        everything = (HeldGrant(frozenset(each.name for each in known_permissions()), ""),)
        facts = {"account": "judge", "name": "街道", "user_type": "street_staff", "area": "33", "organisation": None}
        judge = Principal(id=ObjectId(), grants=everything, **facts)
        deciding.decide(judge, Appeal.objects.get(id=ObjectId(order["appeal"])), "uphold", "证据不足")
    else:
        order["occurred_at"] = datetime.fromisoformat(order["occurred_at"])
        hearing.hear(Event(**order))


def main() -> None:
    """Fork a worker for each line, a point and a JSON object, on stdin and say how it ended."""
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
        at, _, text = line.partition(" ")
        left = int(at)
        pid = os.fork()
        if pid == 0:
            work(json.loads(text))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"done {status}", flush=True)


if __name__ == "__main__":
    main()

"""A worker that kills itself at the n-th of many points while it bundles: started by test_kills.py.

This process loads everything once and never connects; each worker is a fork of it.
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
from backend.events import Event
from backend.plugin_api.registry import Registry, install
from backend.protection import forget_keys
from backend.rollups import install as install_metrics
from backend.settings import Settings
from plugins.evidence import panels
from plugins.evidence.cases import bundling

STEPS = ("bundle", "touching", "open_case", "next_number", "assign", "told_bundled", "publish", "mark_dirty", "changed")

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


def work(capture: str) -> None:
    """Bundle one capture, or die at it."""
    storage.connect(settings.current().mongodb_url, settings.current().mongodb_database)
    for name in STEPS:
        setattr(bundling, name, with_points(getattr(bundling, name)))
    payload = {"capture": capture}
    told = {"name": "evidence.extracted", "area": "", "occurred_at": storage.utcnow(), "payload": payload}
    bundling.bundle_capture(Event(id=str(ObjectId()), **told))
    point()


def main() -> None:
    """Fork a worker for each line `<point> <capture>` on stdin and say how it ended."""
    global left
    mongodb_url, redis_url, name, folder, key = sys.argv[1:]
    settings.configure(
        Settings(
            mode="demo",
            data_dir=Path(folder),
            mongodb_url=mongodb_url,
            mongodb_database=name,
            redis_url=redis_url,
            master_key=key,
        )
    )
    install(Registry())
    install_metrics(panels.METRICS)
    forget_keys()
    print("ready", flush=True)
    for line in sys.stdin:
        at, capture = line.split()
        left = int(at)
        pid = os.fork()
        if pid == 0:
            work(capture)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"done {status}", flush=True)


if __name__ == "__main__":
    main()

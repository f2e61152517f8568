"""Workers that kill themselves before the n-th message to the store while they escalate: started by test_kills.py.

This process loads everything once and never connects; each worker is a fork of it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pymongo import monitoring

from backend import settings, storage
from backend.events import EventHandler, outbox
from backend.plugin_api.registry import Registry, install
from backend.protection import forget_keys
from backend.rollups import install as install_metrics
from backend.settings import Settings
from plugins.dispatch import figures
from plugins.dispatch.orders.escalation import escalate
from plugins.dispatch.orders.telling import EVENTS


class Killer(monitoring.CommandListener):
    """Kills its process when the count of messages is over."""

    def __init__(self, left: int) -> None:
        self.left = left

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count down, and die."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Let it be."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Let it be."""


def main() -> None:
    """Fork a worker for each number on stdin and say how it ended."""
    mongodb_url, redis_url, name, folder, key = sys.argv[1:]
    chosen = {"mongodb_url": mongodb_url, "mongodb_database": name, "redis_url": redis_url, "master_key": key}
    settings.configure(Settings(mode="demo", data_dir=Path(folder), **chosen))
    install(Registry())
    install_metrics(figures.METRICS)
    forget_keys()
    outbox.install(
        [
            EventHandler(name=f"dispatch.probe_{kind.name}", event=kind.name, handle=lambda event: None)
            for kind in EVENTS
        ]
    )
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            storage.connect(mongodb_url, name, event_listeners=[Killer(int(line))])
            escalate()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"done {status}", flush=True)


if __name__ == "__main__":
    main()

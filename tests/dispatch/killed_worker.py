"""Workers that kill themselves before the n-th message to the store: started by test_kills.py.

This process loads everything once and never connects; each worker is a fork of it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bson import ObjectId
from pymongo import monitoring

from backend import messages, settings, storage
from backend.events import Event, EventHandler, StoredEvent, outbox
from backend.identity.resolving import principal_of
from backend.plugin_api import acting
from backend.plugin_api.registry import Registry, install
from backend.protection import Actor, forget_keys
from backend.rollups import install as install_metrics
from backend.settings import Settings
from plugins.dispatch import figures
from plugins.dispatch.orders import notifying
from plugins.dispatch.orders.escalation import escalate
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.steps import take_step
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


def close(order: str, verifier: str) -> None:
    """Close an order."""
    by = principal_of(ObjectId(verifier))
    with acting(Actor(id=str(by.id), name=by.name, kind="user")):
        take_step(by, WorkOrder.objects.get(id=ObjectId(order)), "close")


def notify(event: str) -> None:
    """Handle an event as the workers do."""
    row = StoredEvent.objects.get(id=ObjectId(event))
    told = {"occurred_at": row.occurred_at, "area": row.area, "payload": row.payload}
    notifying.notify(Event(id=str(row.id), name=row.name, **told))


DEEDS: dict[str, Callable[..., object]] = {"escalate": escalate, "close": close, "notify": notify}


def main() -> None:
    """Do what each line on stdin says (`<n> <deed> <words>`) in a fork, and say how that ended."""
    mongodb_url, redis_url, name, folder, key = sys.argv[1:]
    chosen = {"mongodb_url": mongodb_url, "mongodb_database": name, "redis_url": redis_url, "master_key": key}
    settings.configure(Settings(mode="demo", data_dir=Path(folder), **chosen))
    install(Registry())
    install_metrics(figures.METRICS)
    forget_keys()
    messages.install(notifying.TEMPLATES, [])
    probes = [
        EventHandler(name=f"dispatch.probe_{kind.name}", event=kind.name, handle=lambda event: None) for kind in EVENTS
    ]
    outbox.install([*messages.HANDLERS, *probes])
    print("ready", flush=True)
    for line in sys.stdin:
        number, deed, *words = line.split()
        pid = os.fork()
        if pid == 0:
            storage.connect(mongodb_url, name, event_listeners=[Killer(int(number))])
            DEEDS[deed](*words)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else f"done {status}", flush=True)


if __name__ == "__main__":
    main()

"""Killed after anything that it does to the store, the intake loses nothing, and told again it does nothing twice."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from pymongo.monitoring import CommandListener

from backend import storage
from backend.settings import Settings
from backend.storage import database, utcnow
from plugins.alerts.alerts.models import Alert, Sighting
from plugins.alerts.intake import slots
from plugins.alerts.intake.seen import Seen
from plugins.alerts.intake.taking import take_in
from tests.alerts.conftest import Vendor
from tests.district import EAST_ONE


class Striker(CommandListener):
    """Kills the process after its `number`-th command."""

    def __init__(self, number: int) -> None:
        self.left = number

    def started(self, event: Any) -> None:
        """Do nothing."""

    def succeeded(self, event: Any) -> None:
        """Strike when it is time."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def failed(self, event: Any) -> None:
        """Do nothing."""


def killed_at(number: int, seen: Seen, settings: Settings) -> bool:
    """Take something in in a process that is killed after its `number`-th command; says whether it came to that."""
    pid = os.fork()
    if pid == 0:
        try:
            storage.disconnect()
            storage.connect(settings.mongodb_url, settings.mongodb_database, event_listeners=[Striker(number)])
            take_in([seen])
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1] != 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("apart", [0, 200], ids=["counted", "raised"])
def test_a_process_killed_anywhere_leaves_what_the_next_delivery_completes(vendor: Vendor, apart: int) -> None:
    same: dict[str, Any] = {"source": "camera", "sender": "D1", "code": "E02", "area": f"{EAST_ONE}/C1", "point": "T1"}
    now = utcnow()

    def seen(number: int) -> Seen:
        at = now - timedelta(days=20) + timedelta(minutes=apart * number)
        return Seen(event_id=f"kill-{number}", at=at, received_at=now, **same)

    take_in([seen(0)])
    number = 1
    while killed_at(number, seen(number), vendor.district.settings):
        slots._hints.clear()
        # The store does so by itself after a minute: it ends the transactions of the dead.
        storage.client().admin.command({"killAllSessions": []})
        take_in([seen(number)])
        number += 1
    assert number >= 3  # what is looked up, the writes, their commit
    counts = [alert.count for alert in Alert.objects()]
    assert sum(counts) == number + 1 == Sighting.objects().count()
    assert len(counts) == (number + 1 if apart else 1)
    raised = database()["events"].count_documents({"name": "alert.raised"})
    assert raised == len(counts) == database()["audit_entries"].count_documents({"action": "alerts.alert.raise"})

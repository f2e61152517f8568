"""One process for each order on stdin: it acts, chains, makes a root and gets its stamp, and is killed at a point.

An order is `<number of the point> <name of the act>`. The answer is the point at which it was killed, or `done`.
"""

from __future__ import annotations

import os
import signal
import sys

from backend import jobs, storage
from backend.protection import Actor, acting
from backend.settings import Settings, configure
from plugins.evidence.custody import note
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.stamping import stamp_waiting
from tests.faults.points import Points

OFFICER = Actor(id="1", name="陈警官", kind="person", address="10.0.0.7")


def main() -> None:
    """Obey, each time in a fork, so that the loading is done once."""
    settings = configure(Settings.from_env())
    jobs.install([])
    for line in sys.stdin:
        number, _, name = line.strip().partition(" ")
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            obey(settings, int(number), name, writing)
        os.close(writing)
        with os.fdopen(reading) as said:
            print(said.read() or "nothing", flush=True)
        os.waitpid(pid, 0)


def obey(settings: Settings, number: int, name: str, writing: int) -> None:
    """Do what an officer's request and the jobs after it do."""

    def strike(what: str) -> None:
        os.write(writing, what.encode())
        os.kill(os.getpid(), signal.SIGKILL)

    points = Points()
    storage.connect(settings.mongodb_url, settings.mongodb_database, event_listeners=[points])
    points.arm(number, "", strike)

    def act() -> None:
        storage.database().acts.insert_one({"_id": name})
        note("viewed", area="33/331", subject="evidence.capture", subject_id=name)
        note("downloaded", area="33/331", subject="evidence.capture", subject_id=name)

    with acting(OFFICER):
        storage.atomically(act)
    make_roots("33")
    stamp_waiting()
    os.write(writing, b"done")
    os._exit(0)


if __name__ == "__main__":
    main()

"""Server CPU of taking in an event of a camera, against a bare Flask route with one pymongo insert (see `bare_peer`).

What is counted is the CPU of the one gunicorn worker that answers, for requests that come over loopback, asked by
turns. Ours checks the signature under the device's encrypted key, reads the body with tolerance, debounces, keeps the
body encrypted, and writes alert, audit entry, event for other modules and marks on the figures in one transaction.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from backend import storage
from backend.plugin_api import find_device
from backend.settings import variable
from plugins.alerts.intake.signing import signature
from tests.benchmarks import ground
from tests.benchmarks.list_and_create import ROUNDS, text
from tests.benchmarks.ratio import Ratio, medians
from tests.benchmarks.serving import Served, serve

REQUESTS = 40
#: Identical but for their numbers, as a camera sends that sees the same full bin again and again.
STORM, BATCH = 10_000, 50
NUMBERS = count(1)

Ask = Callable[[], tuple[int, bytes]]


def measure() -> Iterator[Ratio]:
    """Measure both."""
    with ground.platform() as settings:
        environment = {variable(each.name): text(getattr(settings, each.name)) for each in dataclasses.fields(settings)}
        environment |= {"PROMETHEUS_MULTIPROC_DIR": str(settings.data_dir / "metrics")}
        (settings.data_dir / "metrics").mkdir()
        with (
            serve("wsgi:app", environment, config="python:backend.run.web") as ours,
            serve("tests.benchmarks.bare_peer:make_app()", {"PEER_STORE": settings.mongodb_url}) as bare,
        ):
            both, insert = (ours, bare), inserts(bare)
            # As time goes on, and late: what lies before all that a process remembers has to be looked up.
            new, late = events(ours, "D0007", lambda n: 42_000 - 60 * n), events(ours, "D0003", lambda n: 600 + 60 * n)
            yield compare("an event that raises an alert", new, insert, both)
            yield compare("a late one that raises an alert", late, insert, both)
            yield compare("one more sighting", events(ours, "D0003", lambda _: 1), insert, both)
            yield compare("an event sent again", repeated(ours), insert, both)
            yield storm(ours)


def compare(name: str, our: Ask, its: Ask, both: tuple[Served, Served]) -> Ratio:
    """Ask both by turns and compare the CPU of their workers."""
    costs: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 2):
        for ask, server, taken in zip((our, its), both, costs, strict=True):
            before = server.cpu()
            for _ in range(REQUESTS):
                answer = ask()
                assert answer[0] == 202, answer
            if number >= 2:  # warm by then
                taken.append((server.cpu() - before) / REQUESTS * 1000)
    mine, other, ratio = medians(*costs)
    return Ratio(
        name=f"CPU, {name}", ours=f"{mine:.2f} ms", peer=f"bare insert {other:.2f} ms", ratio=ratio, at_most=2.5
    )


def storm(server: Served) -> Ratio:
    """Tell of one thing ten thousand times, in batches; it has to be done in less than the minute that it lasts."""
    key, start = key_of("D0001"), time.monotonic()
    base = datetime.now(UTC) - timedelta(minutes=1)
    for first in range(0, STORM, BATCH):
        told = [
            event(f"storm-{first + n}", base + timedelta(milliseconds=6 * (first + n)), "E03") for n in range(BATCH)
        ]
        status, answer = send(server, "D0001", key, told)
        assert status == 202, answer
    seconds = time.monotonic() - start
    [alert] = storage.database()["alerts"].find({"device": "D0001", "kind": "E03", "count": {"$gte": STORM}})
    assert alert["count"] - STORM < 100, alert["count"]
    return Ratio(
        name="10,000 identical events", ours=f"{seconds:.1f} s", peer="a minute", ratio=seconds / 60, at_most=1.0
    )


def events(server: Served, device: str, minutes_ago: Callable[[int], int]) -> Ask:
    """Return a call that tells of something new; in time so far apart as `minutes_ago` says for the n-th."""
    key, numbers = key_of(device), count()
    now = datetime.now(UTC)

    def ask() -> tuple[int, bytes]:
        at = now - timedelta(minutes=minutes_ago(next(numbers)))
        return send(server, device, key, [event(f"bench-{next(NUMBERS)}", at, "E02")])

    return ask


def repeated(server: Served) -> Ask:
    """Return a call that sends the same event again and again."""
    key = key_of("D0005")
    told = [event("again", datetime.now(UTC), "E02")]
    return lambda: send(server, "D0005", key, told)


def inserts(server: Served) -> Ask:
    """Return the same for the peer: the body is stored as it is."""
    return lambda: server.ask(
        "POST", "/events", {}, {"events": [event(f"bench-{next(NUMBERS)}", datetime.now(UTC), "E02")]}
    )


def event(event_id: str, at: datetime, code: str) -> dict[str, Any]:
    """Return an event as cameras send it."""
    return {
        "event_id": event_id,
        "code": code,
        "happened_at": at.isoformat(),
        "confidence": 0.91,
        "note": "1 号桶满溢",
    }


def send(server: Served, device: str, key: str, told: list[dict[str, Any]]) -> tuple[int, bytes]:
    """Send events, signed."""
    body, moment = json.dumps({"vendor": "bench", "events": told}).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Device": device,
        "X-Timestamp": moment,
        "X-Signature": signature(key, moment, body),
    }
    return server.ask("POST", "/api/v1/alerts/events", headers, body)


def key_of(code: str) -> str:
    """Return the key of a demo device."""
    device = find_device(code)
    assert device is not None, code
    return device.secret

"""What panels and layers last gave: read once for all viewers, kept while it is fresh, and past that if need be."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from contextvars import copy_context
from dataclasses import dataclass
from hashlib import blake2b
from threading import Event, Lock, Thread
from typing import Any, Literal, NamedTuple

#: More than this many results are not kept; the longest unread go first.
MOST_KEPT = 2_000

#: A reader waits this long for a panel; a slower one finishes in the background, unseen until then.
PATIENCE_SECONDS = 2.5

#: So many reads of one panel may hang at a time; further ones fail at once instead of piling up threads.
MOST_OVERDUE = 3

#: A failed read is tried again after this long, or sooner when the panel refreshes more often.
RETRY_SECONDS = 15.0


class Made(NamedTuple):
    """What a read gives: JSON for the page and, where somebody may export it, the content that it was drawn from."""

    body: bytes
    content: Any = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """JSON of one moment; `made_at` is a `time.monotonic`, `etag` a hash of the body."""

    body: bytes
    etag: str
    made_at: float
    content: Any = None

    @property
    def age(self) -> int:
        """Whole seconds since it was made."""
        return int(time.monotonic() - self.made_at)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader gets: `stale` is the last good snapshot after a failure, `failed` that there never was one."""

    state: Literal["fresh", "stale", "failed"]
    snapshot: Snapshot | None


class _Flight:
    """One running read."""

    __slots__ = ("done", "overdue", "patience_ends")

    def __init__(self, patience_ends: float) -> None:
        self.done = Event()
        self.patience_ends = patience_ends
        self.overdue = False


class _Entry:
    """The state of one key."""

    __slots__ = ("due_at", "flight", "good")

    def __init__(self) -> None:
        self.good: Snapshot | None = None
        self.flight: _Flight | None = None
        self.due_at = 0.0


class Snapshots:
    """Results by panel and key. However many ask at once, one read runs per key."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.patience_seconds = patience_seconds
        self._lock = Lock()  # guards all that follows, entries and flights included
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._overdue: Counter[str] = Counter()

    def read(
        self,
        panel: str,
        key: Hashable,
        make: Callable[[], Made | bytes | None],
        fresh_seconds: float,
        too_slow: Callable[[], None],
    ) -> Answer:
        """Return the result of `make` for `key`, at most `fresh_seconds` old unless `make` fails.

        `make` returns None when it failed (it has told of it already) and runs in a thread of its own; `too_slow` is
        called once for each run that outlasts the readers' patience.
        """
        with self._lock:
            entry = self._entries.setdefault((panel, key), _Entry())
            self._entries.move_to_end((panel, key))
            while len(self._entries) > MOST_KEPT:
                self._entries.popitem(last=False)
            due = entry.flight is None and time.monotonic() >= entry.due_at
            if due and self._overdue[panel] < MOST_OVERDUE:
                self._start(panel, entry, make, fresh_seconds)
            flight = entry.flight
        if flight is not None and not flight.overdue:
            in_time = flight.done.wait(max(0.0, flight.patience_ends - time.monotonic()))
            if not in_time and self._give_up(panel, flight):
                too_slow()
        with self._lock:
            if entry.good is None:
                return Answer("failed", None)
            fresh = time.monotonic() - entry.good.made_at <= fresh_seconds
            return Answer("fresh" if fresh else "stale", entry.good)

    def _start(self, panel: str, entry: _Entry, make: Callable[[], Made | bytes | None], fresh_seconds: float) -> None:
        flight = entry.flight = _Flight(time.monotonic() + self.patience_seconds)

        def fly() -> None:
            made: Made | bytes | None = None
            try:
                made = make()
            finally:
                with self._lock:
                    now = time.monotonic()
                    if made is not None:
                        body, content = made if isinstance(made, Made) else Made(made)
                        entry.good = Snapshot(body, blake2b(body, digest_size=12).hexdigest(), now, content)
                    entry.due_at = now + (fresh_seconds if made is not None else min(fresh_seconds, RETRY_SECONDS))
                    entry.flight = None
                    flight.done.set()
                    self._overdue[panel] -= flight.overdue

        # A daemon: a plugin that hangs must not keep the process from ending.
        Thread(target=copy_context().run, args=(fly,), name=f"cockpit {panel}", daemon=True).start()

    def _give_up(self, panel: str, flight: _Flight) -> bool:
        """Mark a flight as overdue; say whether this reader was the first to do so."""
        with self._lock:
            if flight.done.is_set() or flight.overdue:
                return False
            flight.overdue = True
            self._overdue[panel] += 1
            return True

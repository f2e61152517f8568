"""Devices and points, remembered for a moment: a camera tells of the same ones again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from backend.plugin_api import DeviceFacts, PlaceFacts, find_device, find_place

T = TypeVar("T")
MOST = 20_000


class Remembered(Generic[T]):
    """Answers of `ask` by code, each good for so many seconds; that there is no such thing is asked again each time."""

    def __init__(self, ask: Callable[[str], T | None], seconds: float) -> None:
        self.ask = ask
        self.seconds = seconds
        self.known: dict[str, tuple[float, T]] = {}

    def __call__(self, code: str) -> T | None:
        """Return what is known of `code`, or None."""
        if not code:
            return None
        until, found = self.known.get(code, (0.0, None))
        if found is not None and until > time.monotonic():
            return found
        answer = self.ask(code)
        if answer is None:
            self.known.pop(code, None)
            return None
        if len(self.known) >= MOST:
            self.known.clear()
        self.known[code] = (time.monotonic() + self.seconds, answer)
        return answer


#: Where a drop-off point or station is.
point_at: Remembered[PlaceFacts] = Remembered(lambda code: find_place(code), 60.0)
#: Which device sends, with its key: one that is disabled, or has a new key, is refused this much later.
device_at: Remembered[DeviceFacts] = Remembered(lambda code: find_device(code), 3.0)


def forget() -> None:
    """Ask again from now on."""
    point_at.known.clear()
    device_at.known.clear()

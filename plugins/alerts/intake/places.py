"""Where points are, remembered for a minute: a camera tells of the same one again and again."""

from __future__ import annotations

import time

from backend.plugin_api import PlaceFacts, find_place

REMEMBERED_SECONDS = 60.0
MOST = 20_000

_known: dict[str, tuple[float, PlaceFacts | None]] = {}


def point_at(code: str) -> PlaceFacts | None:
    """Return where the drop-off point or station `code` is, or None when there is no such point."""
    if not code:
        return None
    read_at, found = _known.get(code, (0.0, None))
    if found is None or time.monotonic() - read_at > REMEMBERED_SECONDS:
        found = find_place(code)
        if len(_known) >= MOST:
            _known.clear()
        _known[code] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Ask again from now on."""
    _known.clear()

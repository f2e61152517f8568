"""By when an alert is to be answered and closed."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.plugin_api import working_deadline


def deadline(area: str, start: datetime, minutes: int, unit: str) -> datetime:
    """Return when so many minutes have passed, by the clock or in working hours.

    While no module keeps a duty calendar, working hours run like the clock.
    """
    working = working_deadline(area, start, minutes) if unit == "working" else None
    return working or start + timedelta(minutes=minutes)

"""The times of day in which a round is walked, such as 07:00-09:00, and the moments that they are on a day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from backend.plugin_api import LOCAL_ZONE
from plugins.alerts.patrol.vocabulary import WEEKDAYS

WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)[-–—~至]([01]?\d|2[0-3]|24):([0-5]\d)")
SHORTEST_MINUTES = 10


def read_window(text: str) -> tuple[int, int] | None:
    """Return the minutes of the day at which a window begins and ends, or None for what is none."""
    found = WINDOW.fullmatch(text.replace("：", ":").replace(" ", ""))
    if not found:
        return None
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return (start, end) if end <= 24 * 60 and end - start >= SHORTEST_MINUTES else None


def normal(window: tuple[int, int]) -> str:
    """Return a window as it is kept and shown."""
    start, end = window
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def overlapping(windows: Sequence[tuple[int, int]]) -> bool:
    """Say whether two of the windows share a minute: a check-in could then belong to either round."""
    ordered = sorted(windows)
    return any(after[0] < before[1] for before, after in pairwise(ordered))


def spans(day: date, weekdays: Sequence[str], windows: Sequence[str]) -> list[tuple[datetime, datetime]]:
    """Return when the windows begin and end on a day of Shanghai; none on a day that is not among the weekdays."""
    if list(WEEKDAYS)[day.weekday()] not in weekdays:
        return []
    midnight = datetime.combine(day, time(), LOCAL_ZONE)
    read = [read_window(each) for each in windows]
    return [
        (midnight + timedelta(minutes=start), midnight + timedelta(minutes=end))
        for start, end in sorted(each for each in read if each)
    ]


def local_day(moment: datetime) -> date:
    """Return the day that it is in Shanghai."""
    return moment.astimezone(LOCAL_ZONE).date()

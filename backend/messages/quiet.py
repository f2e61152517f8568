"""Quiet hours: when people are left in peace, in the time of Shanghai."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from backend.settings import QUIET_HOURS
from backend.storage import LOCAL_ZONE

#: What is written for having none.
NEVER = "none"


def are_quiet_hours(text: str) -> bool:
    """Tell whether a text says quiet hours: `22:00-07:00`, or `none`."""
    return text == NEVER or QUIET_HOURS.fullmatch(text) is not None


def quiet_until(now: datetime, hours: str) -> datetime | None:
    """Return the end of the quiet hours that `now` lies in, None outside of them; from a time to itself is never.

    Raises ValueError for a text that says no quiet hours.
    """
    if hours == NEVER:
        return None
    if (found := QUIET_HOURS.fullmatch(hours)) is None:
        raise ValueError(f"{hours!r} says no quiet hours such as 22:00-07:00.")
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    local = now.astimezone(LOCAL_ZONE)
    clock = local.time()
    over_midnight = begin > end
    inside = clock >= begin or clock < end if over_midnight else begin <= clock < end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= begin else 0)
    return datetime.combine(day, end, LOCAL_ZONE)

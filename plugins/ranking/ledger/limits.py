"""Limits in working days: by the duty calendar where a module keeps one, else by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.plugin_api import LOCAL_ZONE, working_deadline

#: How long a working day is where limits are given in days.
WORKING_DAY = 8 * 60
#: How long the street may take to decide.
DECISION_DAYS = 5


def working_days(area: str, start: datetime, days: int) -> datetime:
    """Return when so many working days have passed."""
    return working_deadline(area, start, days * WORKING_DAY) or start + timedelta(days=days)


def appeal_deadline(area: str, start: datetime, days: int) -> datetime:
    """Return the end of the day until which an appeal may be filed."""
    last = working_days(area, start, days).astimezone(LOCAL_ZONE)
    return last.replace(hour=23, minute=59, second=59, microsecond=0)

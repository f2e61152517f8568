"""The clocks of an order: the handler's, which stands still while others have their turn, and those of each stage."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from plugins.dispatch.calendar.hours import CLOCK, DutyCalendar, due, elapsed
from plugins.dispatch.orders.models import HANDLING, WorkOrder

#: Shares of the limit, in per cent, at which the next level of the area tree is told; and when the handler is.
LEVELS = {50: 3, 100: 2, 150: 1}
REMINDER = 80
SHARES = sorted((*LEVELS, REMINDER))
#: How long an order may wait for the next person, in working minutes, by state.
STAGES = {"reported": 60, "filed": 60, "returned": 60, "replied": 480, "verifying": 480}
#: After a failed check there is at least so much time.
REWORK_MINUTES = 120
#: Classes of handling time grow by this factor, so a median read from them is right within half of it.
CLASS_FACTOR = 1.12


def calendar_for(order: WorkOrder, calendar: DutyCalendar) -> DutyCalendar:
    """Return what the order's limit counts with: the duty calendar, or the clock."""
    return calendar if order.unit_of_time == "working" else CLOCK


def started(order: WorkOrder, calendar: DutyCalendar, now: datetime, **values: Any) -> dict[str, Any]:
    """Return what lets the handler's clock run from now: `due_at`, the next escalation, and what follows from them.

    `values` are changes of the order that go along, such as another limit.
    """
    limit = values.get("limit_minutes", order.limit_minutes)
    used = values.get("used_minutes", order.used_minutes)
    counted = calendar_for(order, calendar)
    due_at = due(now, max(0, limit - used), counted)
    return {
        **values,
        "used_minutes": used,
        "running_since": now,
        "due_at": due_at,
        "escalate_at": escalation(limit, used, order.escalated, now, counted),
        "provisional": bool(counted.unknown_years(now, due_at)),
    }


def answered_by(order: WorkOrder, calendar: DutyCalendar, now: datetime) -> dict[str, datetime]:
    """Return by when somebody must take an order that is sent out now, and that the street is told of otherwise."""
    first = due(now, order.respond_minutes, calendar_for(order, calendar))
    return {"respond_by": first, "untaken_at": first}


def escalation(limit: float, used: float, escalated: int, since: datetime, calendar: DutyCalendar) -> datetime | None:
    """Return when the next share of the limit that was not told yet is used up, or None when all were."""
    percent = next((each for each in SHARES if each > escalated), None)
    return None if percent is None else due(since, max(0, limit * percent / 100 - used), calendar)


def used_until(order: WorkOrder, calendar: DutyCalendar, now: datetime) -> float:
    """Return the minutes that the handler has used."""
    running = order.running_since
    passed = elapsed(running, now, calendar_for(order, calendar)) if running and now > running else 0
    return float((order.used_minutes or 0) + passed)


def stopped(order: WorkOrder, calendar: DutyCalendar, now: datetime) -> dict[str, Any]:
    """Return what stops the handler's clock."""
    used = used_until(order, calendar, now)
    late = bool(order.late or (order.running_since and used > order.limit_minutes))
    return {"used_minutes": used, "running_since": None, "escalate_at": None, "untaken_at": None, "late": late}


def waiting(state: str, calendar: DutyCalendar, now: datetime) -> dict[str, datetime | None]:
    """Return when an order must have left a stage that is not the handler's, and is told of otherwise."""
    due_at = due(now, STAGES[state], calendar) if state in STAGES else None
    return {"due_at": due_at, "escalate_at": due_at}


def recounted(order: WorkOrder, calendar: DutyCalendar) -> dict[str, Any]:
    """Return the limits of a running order counted anew, for a calendar that has changed."""
    if order.state not in HANDLING or order.running_since is None:
        return {}
    since, counted = order.running_since, calendar_for(order, calendar)
    due_at = due(since, max(0, order.limit_minutes - order.used_minutes), counted)
    return {
        "due_at": due_at,
        "escalate_at": escalation(order.limit_minutes, order.used_minutes, order.escalated, since, counted),
        "provisional": bool(counted.unknown_years(since, due_at)),
    }


def duration_class(minutes: float) -> int:
    """Return the class of a handling time."""
    return 0 if minutes < 1 else 1 + math.floor(math.log(minutes) / math.log(CLASS_FACTOR))


def class_minutes(number: int) -> float:
    """Return the middle of a class, in minutes."""
    return 0.5 if number == 0 else CLASS_FACTOR ** (number - 0.5)


def median_minutes(counts: dict[int, int]) -> float | None:
    """Return the median of handling times counted by class, right within a few per cent; None of nothing."""
    half, seen = sum(counts.values()) / 2, 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= half and counts[number]:
            return class_minutes(number)
    return None

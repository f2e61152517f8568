"""What each step changes of an order besides its state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backend.plugin_api import Principal, Problem
from plugins.dispatch.calendar.hours import DutyCalendar
from plugins.dispatch.orders.clock import (
    REWORK_MINUTES,
    answered_by,
    duration_class,
    recounted,
    started,
    stopped,
    waiting,
)
from plugins.dispatch.orders.models import HANDLING, Check, Extension, WorkOrder
from plugins.dispatch.orders.opening import addressed
from plugins.dispatch.routing.choosing import Choice

Changes = dict[str, Any]
#: What `recounted` reads of an order.
CLOCK_FIELDS = ("state", "limit_minutes", "used_minutes", "running_since", "unit_of_time", "escalated")


def effects(
    order: WorkOrder,
    verb: str,
    calendar: DutyCalendar,
    now: datetime,
    *,
    by: Principal,
    reason: str,
    minutes: int,
    to: Choice | None,
) -> Changes:
    """Return the fields that a step sets besides the state; `due_at` among them."""
    match verb:
        case "file":
            return {"filed_at": now, **waiting("filed", calendar, now)}
        case "dispatch" | "reassign":
            return sent(order, calendar, now, to)
        case "take":
            mine = {
                "handler": by.id,
                "handler_name": by.name,
                "taken_at": now,
                "due_at": order.due_at,
                "untaken_at": None,
            }
            return mine if by.organisation is None else {**mine, "handler_organisation": by.organisation}
        case "return":
            return {**stopped(order, calendar, now), **waiting("returned", calendar, now)}
        case "reply":
            return {**stopped(order, calendar, now), "replied_at": now, **waiting("replied", calendar, now)}
        case "inspect":
            return {"due_at": order.due_at}
        case "close" | "send_back":
            judged = Check(by=str(by.id), name=by.name, at=now, passed=verb == "close", note=reason)
            checks = [*order.checks, judged]
            if verb == "close":
                return {**ended(order, calendar, now, handled=True), "checks": checks}
            limit = max(order.limit_minutes, order.used_minutes + REWORK_MINUTES)
            return started(order, calendar, now, limit_minutes=limit, rework=order.rework + 1, checks=checks)
        case "suspend":
            return stopped(order, calendar, now)
        case "resume":
            if order.paused_from in HANDLING:
                again = {} if order.taken_at else answered_by(order, calendar, now)
                return started(order, calendar, now, **again)
            return waiting(order.paused_from, calendar, now)
        case "dismiss" | "merge" | "force_close":
            return ended(order, calendar, now, handled=verb == "force_close" and bool(order.replies))
        case "reopen":
            return reopened(calendar, now)
        case _:
            return extension(order, verb, calendar, now, by=by, reason=reason, minutes=minutes)


def sent(order: WorkOrder, calendar: DutyCalendar, now: datetime, to: Choice | None) -> Changes:
    """Return what a dispatch sets: a new addressee has the whole limit; what was late stays late."""
    if to is None and not order.unit:
        raise Problem("no_handler")
    whom = addressed(to) if to else {}
    late = stopped(order, calendar, now)["late"]
    fresh = {"used_minutes": 0.0, "late": late, "dispatched_at": now, "taken_at": None}
    return started(order, calendar, now, **fresh, **answered_by(order, calendar, now), **whom)


def ended(order: WorkOrder, calendar: DutyCalendar, now: datetime, *, handled: bool) -> Changes:
    """Return what the end of an order sets; only what was handled is on time or late."""
    stop = stopped(order, calendar, now)
    verdict = {"on_time": not stop["late"], "duration_class": duration_class(stop["used_minutes"])} if handled else {}
    return {**stop, "ended_at": now, **verdict}


def reopened(calendar: DutyCalendar, now: datetime) -> Changes:
    """Return what begins again with an order that had ended."""
    fresh = {"ended_at": None, "on_time": None, "duration_class": None, "escalated": 0, "late": False}
    return {**fresh, "filed_at": now, **waiting("filed", calendar, now)}


def extension(
    order: WorkOrder, verb: str, calendar: DutyCalendar, now: datetime, *, by: Principal, reason: str, minutes: int
) -> Changes:
    """Return what asking for more time, or deciding on it, sets; the clock runs on meanwhile."""
    pending = order.extensions[-1] if order.extensions and order.extensions[-1].granted is None else None
    if verb == "ask_extension":
        if pending:
            raise Problem("extension_pending")
        if minutes < 1:
            raise Problem("invalid", fields={"minutes": ["请填写需要延长的分钟数。"]})
        asked = Extension(by=str(by.id), name=by.name, at=now, minutes=minutes, reason=reason)
        return {"extensions": [*order.extensions, asked], "due_at": order.due_at}
    if pending is None:
        raise Problem("conflict", detail="没有待审批的延期申请。")
    granted = verb == "grant_extension"
    told_of = {name: pending[name] for name in ("by", "name", "at", "minutes", "reason")}
    decided = Extension(**told_of, granted=granted, decided_by=str(by.id), decided_at=now)
    kept: Changes = {"extensions": [*order.extensions[:-1], decided], "due_at": order.due_at}
    if not granted:
        return kept
    limit = order.limit_minutes + pending.minutes
    longer = WorkOrder(**{name: order[name] for name in CLOCK_FIELDS})
    longer.limit_minutes = limit
    return {**kept, "limit_minutes": limit, **recounted(longer, calendar)}

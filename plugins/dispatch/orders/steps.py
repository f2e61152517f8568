"""The steps of an order: who may take one, what it changes, and what is told of it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.plugin_api import (
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    Transition,
    atomically,
    audit,
    current_actor,
    publish,
    require,
    utcnow,
)
from plugins.dispatch.calendar.hours import DutyCalendar, due
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.clock import (
    REWORK_MINUTES,
    calendar_for,
    duration_class,
    recounted,
    stage_due,
    started,
    stopped,
)
from plugins.dispatch.orders.models import HANDLE, HANDLING, ORDER_FLOW, VERIFY, Check, Extension, WorkOrder
from plugins.dispatch.orders.opening import addressed, where
from plugins.dispatch.orders.telling import marked, told
from plugins.dispatch.routing.choosing import Choice

#: What is told of a step. A step that is missing here is nobody else's business.
TOLD = {
    "file": "work_order.filed",
    "dismiss": "work_order.closed",
    "dispatch": "work_order.dispatched",
    "reassign": "work_order.dispatched",
    "take": "work_order.taken",
    "return": "work_order.returned",
    "reply": "work_order.replied",
    "send_back": "work_order.reworked",
    "suspend": "work_order.suspended",
    "resume": "work_order.resumed",
    "close": "work_order.closed",
    "force_close": "work_order.closed",
    "reopen": "work_order.reopened",
    "ask_extension": "work_order.extension_asked",
    "grant_extension": "work_order.extension_decided",
    "refuse_extension": "work_order.extension_decided",
}
WITH_REASON = frozenset(
    {"dismiss", "return", "send_back", "suspend", "force_close", "reopen", "ask_extension", "refuse_extension", "merge"}
)
ENDS = frozenset({"dismiss", "close", "force_close", "merge"})

Changes = dict[str, Any]


def take_step(
    by: Principal,
    order: WorkOrder,
    verb: str,
    *,
    reason: str = "",
    minutes: int = 0,
    to: Choice | None = None,
    changes: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> WorkOrder:
    """Take one step with an order as it was read, and return it as it is then.

    `to` is whom a dispatch goes to, None for whom the order names; `minutes` what an extension asks for; `changes` go
    along; `at` is when it happened, now if it is not said. Raises Forbidden, IllegalTransition, StaleVersion, and
    Problem: `reason_missing`, `own_work`, `no_handler`, `not_your_order`, `order_taken`, `extension_pending`.
    """
    check(by, order, verb, reason)
    now, calendar = at or utcnow(), calendar_of(order.area)
    made: Changes = {
        **effects(order, verb, calendar, now, by=by, reason=reason, minutes=minutes, to=to),
        **(changes or {}),
    }
    due_at = made.pop("due_at", None)

    def write() -> WorkOrder:
        after = ORDER_FLOW.fire(order, verb, actor=current_actor(), note=reason, changes=made, at=now, due_at=due_at)
        note(by, after, verb, reason)
        return after

    return atomically(write)


def dispatch(
    by: Principal, order: WorkOrder, to: Choice | None, reason: str = "", *, at: datetime | None = None
) -> WorkOrder:
    """Send an order on its way in one tap: filed if it was not, dispatched, or given to somebody else."""

    def write() -> WorkOrder:
        filed = take_step(by, order, "file", at=at) if order.state == "reported" else order
        verb = "reassign" if filed.state in HANDLING else "dispatch"
        return take_step(by, filed, verb, reason=reason, to=to, at=at)

    return atomically(write)


def take(by: Principal, order: WorkOrder, *, at: datetime | None = None) -> WorkOrder:
    """Take an order on (接单); of two people in the same moment the second gets Problem `order_taken`."""
    try:
        return take_step(by, order, "take", at=at)
    except (StaleVersion, IllegalTransition):
        now = WorkOrder.objects(id=order.id).only("state", "handler").first()
        if now is not None and now.state in HANDLING and now.handler not in (None, by.id):
            raise Problem("order_taken") from None
        raise


def check(by: Principal, order: WorkOrder, verb: str, reason: str) -> None:
    """Raise unless the person may take this step with this order."""
    step = step_of(order, verb)
    if step.permission == HANDLE:
        require(by, HANDLE, order.area, order.handler_organisation)
        if not is_for(order, by):
            raise Problem("order_taken" if order.handler else "not_your_order")
    else:
        require(by, step.permission, order.area)
    if step.permission == VERIFY and str(by.id) in handlers(order):
        raise Problem("own_work")
    if verb in WITH_REASON and not reason:
        raise Problem("reason_missing", fields={"reason": ["请填写原因。"]})


def step_of(order: WorkOrder, verb: str) -> Transition:
    """Return the step that a verb means for an order; raises IllegalTransition."""
    for step in ORDER_FLOW.transitions:
        if step.verb == verb and order.state in step.sources:
            return step
    raise IllegalTransition(ORDER_FLOW.name, order.state, verb)


def is_for(order: WorkOrder, by: Principal) -> bool:
    """Tell whether an order was given to a person, or to those whom he or she belongs to and to nobody of them yet."""
    if order.handler is not None:
        return bool(order.handler == by.id)
    if order.handler_organisation is not None:
        return bool(order.handler_organisation == by.organisation)
    return bool(order.handler_role and order.handler_role == by.user_type)


def handlers(order: WorkOrder) -> set[str]:
    """Return the accounts of those who handled an order: they do not verify it."""
    return {each.by for each in order.replies} | ({str(order.handler)} if order.handler else set())


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
            return {"filed_at": now, "due_at": stage_due("filed", calendar, now)}
        case "dispatch" | "reassign":
            return sent(order, calendar, now, to)
        case "take":
            mine = {"handler": by.id, "handler_name": by.name, "taken_at": now, "due_at": order.due_at}
            return mine if by.organisation is None else {**mine, "handler_organisation": by.organisation}
        case "return":
            return {**stopped(order, calendar, now), "due_at": stage_due("returned", calendar, now)}
        case "reply":
            return {**stopped(order, calendar, now), "replied_at": now, "due_at": stage_due("replied", calendar, now)}
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
                return started(order, calendar, now)
            return {"due_at": stage_due(order.paused_from, calendar, now)}
        case "dismiss" | "merge" | "force_close":
            return ended(order, calendar, now, handled=verb == "force_close" and bool(order.replies))
        case "reopen":
            fresh = {"ended_at": None, "on_time": None, "duration_class": None, "escalated": 0, "late": False}
            return {**fresh, "filed_at": now, "due_at": stage_due("filed", calendar, now)}
        case _:
            return extension(order, verb, calendar, now, by=by, reason=reason, minutes=minutes)


def sent(order: WorkOrder, calendar: DutyCalendar, now: datetime, to: Choice | None) -> Changes:
    """Return what a dispatch sets: a new addressee has the whole limit; what was late stays late."""
    if to is None and not order.unit:
        raise Problem("no_handler")
    whom = addressed(to) if to else {}
    late = stopped(order, calendar, now)["late"]
    first = due(now, order.respond_minutes, calendar_for(order, calendar))
    values = {"used_minutes": 0.0, "late": late, "dispatched_at": now, "taken_at": None, "respond_by": first}
    return started(order, calendar, now, **values, **whom)


def ended(order: WorkOrder, calendar: DutyCalendar, now: datetime, *, handled: bool) -> Changes:
    """Return what the end of an order sets; only what was handled is on time or late."""
    stop = stopped(order, calendar, now)
    verdict = {"on_time": not stop["late"], "duration_class": duration_class(stop["used_minutes"])} if handled else {}
    return {**stop, "ended_at": now, **verdict}


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


#: What `recounted` reads of an order.
CLOCK_FIELDS = ("state", "limit_minutes", "used_minutes", "running_since", "unit_of_time", "escalated")


def note(by: Principal, after: WorkOrder, verb: str, reason: str) -> None:
    """Write a step into the trail, tell others, and have the figures summed anew, in the current transaction."""
    detail = {"verb": verb, "number": after.number, "state": after.state, "reason": reason}
    audit.record("dispatch.order.step", **where(after), detail=detail)
    if event := TOLD.get(verb):
        granted = {"granted": verb == "grant_extension"} if event.endswith("_decided") else {}
        publish(event, told(after, reason=reason, **granted), area=after.area)
    if verb in ENDS and verb != "merge" and after.merged:
        tell_merged(after)
    marked(after)


def tell_merged(order: WorkOrder) -> None:
    """Tell those whose orders went into this one that it has ended, in the current transaction."""
    for each in WorkOrder.objects(id__in=order.merged):
        ending = told(each, result=order.state, on_time=order.on_time, into=order.number)
        publish("work_order.closed", ending, area=each.area)


def merge(by: Principal, order: WorkOrder, into: WorkOrder, reason: str) -> WorkOrder:
    """Put an order into another open one of its district, and return that; what it came from ends with it."""
    require(by, step_of(order, "merge").permission, into.area)
    if into.id == order.id or into.state not in MERGES or into.area.split("/")[0] != order.area.split("/")[0]:
        raise Problem("invalid", fields={"into": ["须为同一区县另一个未办结的派单。"]})
    now = utcnow()
    gained = {"merged": [*into.merged, order.id, *order.merged]}

    def write() -> WorkOrder:
        gone = {"merged_into": into.id, "merged": []}
        take_step(by, order, "merge", reason=f"并入 {into.number}：{reason}", changes=gone)
        after = changed(into, gained, "gather", f"并入 {order.number}：{reason}", now)
        marked(after)
        return after

    return atomically(write)


#: Where an order may still take others in.
MERGES = ("reported", "filed", "returned", *HANDLING)


def changed(order: WorkOrder, values: Changes, verb: str, why: str, now: datetime) -> WorkOrder:
    """Change an order that is as it was read and stays in its state; returns it. Raises StaleVersion."""
    actor = current_actor()
    entry = {"verb": verb, "from": order.state, "to": order.state, "at": now}
    entry |= {"actor": actor.id, "actor_kind": actor.kind, "note": why}
    update = {"$set": {**values, "version": order.version + 1, "updated_at": now}, "$push": {"timeline": entry}}
    after = WorkOrder.objects(id=order.id, state=order.state, version=order.version).modify(__raw__=update, new=True)
    if after is None:
        raise StaleVersion(f"The order {order.number} was changed by somebody else.")
    return after

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
    district_of,
    publish,
    require,
    utcnow,
)
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.effects import Changes, effects, ended
from plugins.dispatch.orders.models import HANDLE, HANDLING, ORDER_FLOW, VERIFY, WorkOrder
from plugins.dispatch.orders.opening import where
from plugins.dispatch.orders.telling import given_to, marked, told
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
#: Steps after which nothing comes but a reopening.
ENDS = frozenset({"dismiss", "close", "force_close", "merge"})


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
    return carry_out(order, verb, made, reason, now)


def carry_out(order: WorkOrder, verb: str, made: Changes, reason: str, at: datetime) -> WorkOrder:
    """Write a step that nothing stands against, its trail and what is told of it; raises as `fire` does."""
    changes = dict(made)
    due_at = changes.pop("due_at", None)

    def write() -> WorkOrder:
        after = ORDER_FLOW.fire(order, verb, actor=current_actor(), note=reason, changes=changes, at=at, due_at=due_at)
        note(order, after, verb, reason)
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


def note(before: WorkOrder, after: WorkOrder, verb: str, reason: str) -> None:
    """Write a step into the trail, tell others, and have the figures summed anew, in the current transaction."""
    detail = {"verb": verb, "number": after.number, "state": after.state, "reason": reason}
    audit.record("dispatch.order.step", **where(after), detail=detail)
    if event := TOLD.get(verb):
        more: dict[str, Any] = {"granted": verb == "grant_extension"} if event.endswith("_decided") else {}
        if verb == "reassign":
            more = {"taken_from": given_to(before)}
        publish(event, told(after, reason=reason, **more), area=after.area)
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
    check(by, order, "merge", reason)
    require(by, step_of(order, "merge").permission, into.area)
    if not mergeable(order, into):
        raise Problem("invalid", fields={"into": ["须为同一区县另一个未办结的派单。"]})
    return gather(order, into, reason)


def mergeable(order: WorkOrder, into: WorkOrder) -> bool:
    """Tell whether an order may go into another one."""
    return into.id != order.id and into.state in MERGES and district_of(into.area) == district_of(order.area)


def gather(order: WorkOrder, into: WorkOrder, reason: str) -> WorkOrder:
    """Write an order into another one that nothing stands against, and return that."""
    now = utcnow()
    gone = {**ended(order, calendar_of(order.area), now, handled=False), "merged_into": into.id, "merged": []}
    gained = {"merged": [*into.merged, order.id, *order.merged]}

    def write() -> WorkOrder:
        carry_out(order, "merge", gone, f"并入 {into.number}：{reason}", now)
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

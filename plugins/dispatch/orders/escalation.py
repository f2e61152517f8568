"""Tell people in time: the handler before the limit is over, the area tree as its shares are used up.

State and event are written in one transaction, conditional on the order as it was read: killed anywhere, or run twice
at once, each share is told once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from backend.plugin_api import StaleVersion, atomically, publish, utcnow
from plugins.dispatch.calendar.hours import DutyCalendar
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.clock import LEVELS, REMINDER, SHARES, calendar_for, escalation, recounted
from plugins.dispatch.orders.models import HANDLING, ORDER_FLOW, WorkOrder
from plugins.dispatch.orders.steps import changed
from plugins.dispatch.orders.telling import marked, told

LEVEL_NAMES = {1: "district", 2: "street", 3: "community"}
TITLES = {1: "区级", 2: "街道", 3: "社区"}
#: The level that is told when others than the handler keep an order waiting.
STAGE_LEVEL = 2
BATCH = 500


def escalate(now: datetime | None = None) -> int:
    """Tell of every order whose moment has come, each share once; returns how many steps that were."""
    at = now or utcnow()
    return each_due("untaken_at", at, tell_untaken) + each_due("escalate_at", at, escalate_order)


def each_due(moment: str, at: datetime, tell: Callable[[WorkOrder, datetime], int]) -> int:
    """Tell of every order whose `moment` has come; returns how many steps that were."""
    count, seen = 0, 0
    while True:
        due = list(WorkOrder.objects(__raw__={moment: {"$lte": at}}).order_by(moment).skip(seen).limit(BATCH))
        for order in due:
            try:
                count += tell(order, at)
            except StaleVersion:
                seen += 1  # somebody is at it; the next run looks again
        if len(due) < BATCH:
            return count


def tell_untaken(order: WorkOrder, at: datetime) -> int:
    """Tell the street that nobody has taken an order within its time of first response."""
    atomically(partial(stalled, order, at, stage="接单", done={"untaken_at": None}))
    return 1


def escalate_order(order: WorkOrder, at: datetime) -> int:
    """Tell all whose moment has come for one order; returns how many steps that were."""
    calendar = calendar_for(order, calendar_of(order.area))
    steps = 0
    while order.escalate_at is not None and order.escalate_at <= at:
        order = atomically(partial(next_share, order, calendar, at))
        steps += 1
    return steps


def next_share(order: WorkOrder, calendar: DutyCalendar, at: datetime) -> WorkOrder:
    """Tell of the next share of the handler's limit, or that a stage is too long, in the current transaction."""
    if order.state not in HANDLING:
        return stalled(order, at, stage=ORDER_FLOW.states[order.state], done={"escalate_at": None})
    percent = next(each for each in SHARES if each > order.escalated)
    after_that = escalation(order.limit_minutes, order.used_minutes, percent, order.running_since, calendar)
    values: dict[str, Any] = {"escalated": percent, "escalate_at": after_that}
    if percent == REMINDER:
        after = changed(order, values, "remind", f"时限已用 {percent}%，提醒处置人", at)
        publish("work_order.due_soon", told(after), area=after.area)
        return after
    depth, to_area = level_above(order, LEVELS[percent])
    if percent >= 100:
        values["late"] = True
    after = changed(order, values, "escalate", f"时限已用 {percent}%，提醒{TITLES[depth]}", at)
    more = {"percent": percent, "level": LEVEL_NAMES[depth], "to_area": to_area}
    publish("work_order.escalated", told(after, **more), area=after.area)
    if percent == 100:
        publish("work_order.overdue", told(after), area=after.area)
    marked(after)
    return after


def stalled(order: WorkOrder, at: datetime, *, stage: str, done: dict[str, Any]) -> WorkOrder:
    """Tell the street that an order waits too long in a stage, in the current transaction."""
    depth, to_area = level_above(order, STAGE_LEVEL)
    after = changed(order, done, "escalate", f"{stage}已超时，提醒{TITLES[depth]}", at)
    more = {"stage": stage, "level": LEVEL_NAMES[depth], "to_area": to_area}
    publish("work_order.stalled", told(after, **more), area=after.area)
    return after


def level_above(order: WorkOrder, depth: int) -> tuple[int, str]:
    """Return the level of the tree that is told, and its area; an order that lies above it is told where it lies."""
    path = order.area.split("/")[:depth]
    return len(path), "/".join(path)


def recount(district: str) -> int:
    """Count the limits of a district's running orders anew, for a calendar that has changed; returns how many moved."""
    now, moved = utcnow(), 0
    inside = {"area": {"$gte": district, "$lt": f"{district}0"}, "state": {"$in": list(HANDLING)}}
    for order in WorkOrder.objects(__raw__={**inside, "unit_of_time": "working"}).batch_size(BATCH):
        values = recounted(order, calendar_of(order.area))
        if any(order[name] != value for name, value in values.items()):
            try:
                atomically(partial(changed, order, values, "recount", "工作日历变更", now))
                moved += 1
            except StaleVersion:
                continue  # whoever changed it counted with the new calendar
    return moved

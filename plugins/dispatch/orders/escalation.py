"""Tell the next level of the area tree when a share of an order's limit is used up; count limits anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backend.plugin_api import StaleVersion, atomically, publish, utcnow
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.clock import LEVELS, calendar_for, escalation, recounted
from plugins.dispatch.orders.models import HANDLING, WorkOrder
from plugins.dispatch.orders.steps import changed
from plugins.dispatch.orders.telling import marked, told

LEVEL_NAMES = {1: "district", 2: "street", 3: "community"}
TITLES = {1: "区级", 2: "街道", 3: "社区"}
BATCH = 500


def escalate(now: datetime | None = None) -> int:
    """Escalate every order whose moment has come, each share once; returns how many steps that were.

    State and event are written in one transaction, conditional on the order as it was read: killed anywhere, or run
    twice at once, each share is told once.
    """
    at, count, seen = now or utcnow(), 0, 0
    while True:
        due = list(WorkOrder.objects(escalate_at__lte=at).order_by("escalate_at").skip(seen).limit(BATCH))
        for order in due:
            try:
                count += escalate_order(order, at)
            except StaleVersion:
                seen += 1  # somebody is at it; the next run looks again
        if len(due) < BATCH:
            return count


def escalate_order(order: WorkOrder, at: datetime) -> int:
    """Tell all levels whose moment has come for one order; returns how many."""
    calendar = calendar_for(order, calendar_of(order.area))
    steps = 0
    while order.escalate_at is not None and order.escalate_at <= at:
        order = atomically(lambda order=order: one_level(order, calendar, at))  # type: ignore[misc]
        steps += 1
    return steps


def one_level(order: WorkOrder, calendar: Any, at: datetime) -> WorkOrder:
    """Tell the next level, in the current transaction."""
    percent = next(each for each in LEVELS if each > order.escalated)
    depth = min(LEVELS[percent], len(order.area.split("/")))
    to_area = "/".join(order.area.split("/")[:depth])
    after_that = escalation(order.limit_minutes, order.used_minutes, percent, order.running_since, calendar)
    values: dict[str, Any] = {"escalated": percent, "escalate_at": after_that}
    if percent >= 100:
        values["late"] = True
    after = changed(order, values, "escalate", f"时限已用 {percent}%，提醒{TITLES[depth]}", at)
    more = {"percent": percent, "level": LEVEL_NAMES[depth], "to_area": to_area}
    publish("work_order.escalated", told(after, **more), area=after.area)
    if percent == 100:
        publish("work_order.overdue", told(after), area=after.area)
    marked(after)
    return after


def recount(district: str) -> int:
    """Count the limits of a district's running orders anew, for a calendar that has changed; returns how many moved."""
    now, moved = utcnow(), 0
    inside = {"area": {"$gte": district, "$lt": f"{district}0"}, "state": {"$in": list(HANDLING)}}
    for order in WorkOrder.objects(__raw__={**inside, "unit_of_time": "working"}).batch_size(BATCH):
        calendar = calendar_of(order.area)
        values = recounted(order, calendar)
        if any(order[name] != value for name, value in values.items()):
            try:
                atomically(lambda order=order, values=values: changed(order, values, "recount", "工作日历变更", now))  # type: ignore[misc]
                moved += 1
            except StaleVersion:
                continue  # whoever changed it counted with the new calendar
    return moved

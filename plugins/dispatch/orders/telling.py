"""What other modules and the figures learn of an order."""

from __future__ import annotations

from typing import Any

from backend.plugin_api import EventKind, mark_dirty
from plugins.dispatch.orders.models import RESULTS, WorkOrder

ORDERS, UNITS = "dispatch.orders", "dispatch.units"

PAYLOAD = (
    "order, number, alert, source, source_id, kind, title, area, handler, handler_organisation, handler_role, unit, "
    "result, on_time, rework, due_at, at"
)
EVENTS = (
    EventKind(name="work_order.reported", title="派单上报", payload=PAYLOAD),
    EventKind(name="work_order.filed", title="派单立案", payload=PAYLOAD),
    EventKind(name="work_order.dispatched", title="派单派遣", payload=f"{PAYLOAD}, reason, taken_from"),
    EventKind(name="work_order.taken", title="派单接单", payload=PAYLOAD),
    EventKind(name="work_order.returned", title="派单退回", payload=f"{PAYLOAD}, reason"),
    EventKind(name="work_order.replied", title="派单回单", payload=PAYLOAD),
    EventKind(name="work_order.reworked", title="派单返工", payload=f"{PAYLOAD}, reason"),
    EventKind(name="work_order.extension_asked", title="派单申请延期", payload=f"{PAYLOAD}, reason"),
    EventKind(name="work_order.extension_decided", title="派单延期审批", payload=f"{PAYLOAD}, granted"),
    EventKind(name="work_order.suspended", title="派单挂账", payload=f"{PAYLOAD}, reason"),
    EventKind(name="work_order.resumed", title="派单恢复办理", payload=PAYLOAD),
    EventKind(name="work_order.closed", title="派单办结", payload=PAYLOAD),
    EventKind(name="work_order.reopened", title="派单重新立案", payload=f"{PAYLOAD}, reason"),
    EventKind(name="work_order.escalated", title="派单升级督办", payload=f"{PAYLOAD}, percent, level, to_area"),
    EventKind(name="work_order.due_soon", title="派单即将超期", payload=PAYLOAD),
    EventKind(name="work_order.overdue", title="派单超期", payload=PAYLOAD),
    EventKind(name="work_order.stalled", title="派单环节超时", payload=f"{PAYLOAD}, stage, level, to_area"),
    EventKind(name="duty_calendar.changed", title="工作日历变更", payload="year, district"),
)


def told(order: WorkOrder, **more: Any) -> dict[str, Any]:
    """Return the payload of an event: `alert` is the alert that the order was made from, `at` when it last changed."""
    due_at = order.due_at
    return {
        "order": str(order.id),
        "number": order.number,
        "alert": order.source_id if order.source == "alert" else "",
        "source": order.source,
        "source_id": order.source_id or "",
        "kind": order.kind,
        "title": order.title,
        "area": order.area,
        **given_to(order),
        "unit": order.unit or "",
        "result": order.state if order.state in RESULTS else "",
        "on_time": order.on_time,
        "rework": order.rework,
        "due_at": due_at.isoformat() if due_at else None,
        "at": order.updated_at.isoformat(),
        **more,
    }


def given_to(order: WorkOrder) -> dict[str, str]:
    """Return whom an order was given to: a person, an organisation or a role, "" for what it is not."""
    ids = {name: str(order[name]) if order[name] else "" for name in ("handler", "handler_organisation")}
    return {**ids, "handler_role": order.handler_role or ""}


def marked(*orders: WorkOrder) -> None:
    """Have the figures that the orders count in summed anew, in the current transaction."""
    for order in orders:
        mark_dirty(ORDERS, order.area, order.created_at)
        mark_dirty(UNITS, order.area, order.created_at)

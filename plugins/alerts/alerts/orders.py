"""An alert and its work order: opened with one tap, and followed from there: dispatched with it, closed with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from backend.plugin_api import (
    Event,
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    WorkOrderFacts,
    WorkOrderRequest,
    atomically,
    open_work_order,
    require,
    update_later,
)
from plugins.alerts.alerts.handling import HANDLE, move, note
from plugins.alerts.alerts.models import ALERT_FLOW, OPEN, Alert, place_of

#: Results of an order that say that there was nothing to handle.
NOTHING_THERE = ("dismissed", "rejected", "false_alarm")
TRIES = 10


def open_order(by: Principal, alert: Alert) -> WorkOrderFacts:
    """Open the order of an alert, or return the one that it has; nobody is sent by that yet.

    Raises Problem `no_work_orders` where no module keeps any, IllegalTransition for an alert that is settled.
    """
    require(by, HANDLE, alert.area, alert.organisation)
    if alert.state not in OPEN:
        raise IllegalTransition(ALERT_FLOW.name, alert.state, "dispatch")
    order = open_work_order(request_for(alert))
    if order is None:
        raise Problem("no_work_orders")
    if not alert.order:
        known = {"id": order.id, "number": order.number, "handler": order.handler}

        def write() -> None:
            update_later("alerts", {"_id": alert.id}, {"$set": {"order": known}})
            note(alert, "open_order", {"order": order.number})

        atomically(write)
    return order


def request_for(alert: Alert) -> WorkOrderRequest:
    """Return what is asked of the module that keeps work orders."""
    lon, lat = place_of(alert.to_mongo()) or (None, None)
    return WorkOrderRequest(
        source="alert",
        source_id=str(alert.id),
        kind=alert.kind,
        title=alert.kind_name,
        severity=alert.severity,
        area=alert.area,
        point=alert.point or "",
        lon=lon,
        lat=lat,
        description=f"预警 {alert.number}" + (f"：{alert.note}" if alert.note else ""),
        proof=tuple(alert.proof),
        link=f"/alerts/#{alert.id}",
    )


def follow_order(event: Event) -> None:
    """Take over what happened to the order of an alert; told again, or too late, it changes nothing."""
    told = event.payload
    alert_id = told.get("alert") or (told.get("source_id") if told.get("source") == "alert" else None)
    try:
        wanted = ObjectId(alert_id)
    except (InvalidId, TypeError):
        return  # an order of something else
    for _ in range(TRIES):
        alert = Alert.objects(id=wanted).first()
        if alert is None or not alert_id:
            return
        try:
            take_over(alert, event.name, told)
        except IllegalTransition:
            return  # it is further on by now
        except StaleVersion:
            continue
        return
    raise StaleVersion(f"The alert {alert_id} kept being changed.")


def take_over(alert: Alert, name: str, told: Mapping[str, Any]) -> None:
    """Move an alert to where its order is."""
    order = {"id": told["order"], "number": told.get("number") or "", "handler": told.get("handler") or ""}
    if name in ("work_order.filed", "work_order.dispatched"):
        move(alert, "dispatch", f"派单 {order['number']}", {"order": order})
    elif name == "work_order.reopened":
        move(alert, "reopen", f"派单 {order['number']} 重新立案", {"order": order})
    elif name == "work_order.closed" and alert.order.get("id", order["id"]) == order["id"]:
        result = str(told.get("result") or "")
        verb = "dismiss" if result in NOTHING_THERE else "close"
        move(alert, verb, f"派单 {order['number']} 已结案", {"order": {**order, "result": result}})

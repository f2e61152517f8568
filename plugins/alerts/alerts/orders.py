"""An alert follows its work order: dispatched when there is one, closed with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from backend.plugin_api import Event, IllegalTransition, StaleVersion
from plugins.alerts.alerts.handling import move
from plugins.alerts.alerts.models import Alert

#: Results of an order that say that there was nothing to handle.
NOTHING_THERE = ("dismissed", "rejected", "false_alarm")
TRIES = 10


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
    elif name == "work_order.closed" and alert.order.get("id", order["id"]) == order["id"]:
        result = str(told.get("result") or "")
        verb = "dismiss" if result in NOTHING_THERE else "close"
        move(alert, verb, f"派单 {order['number']} 已结案", {"order": {**order, "result": result}})

"""Tell people what they are to do: whoever an order was given to, whoever is to check it, and the area above."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import Event, EventHandler, MessageTemplate, Recipients, atomically, send_message, utcnow
from plugins.dispatch.orders.models import HANDLING, WorkOrder

HREF, LIST = "/dispatch/orders#{order}", "/dispatch/orders"
FIELDS = {"number": "单号", "title": "名称", "place": "地点", "reason": "原因", "percent": "已用时限百分比"}
#: What happened longer ago is no news.
NEWS = timedelta(days=1)
STAFF = {"community": "community_staff", "street": "street_staff", "district": "district_staff"}


def template(name: str, title: str, text: str, *, urgent: bool = False) -> MessageTemplate:
    """Return what people are told on one occasion."""
    return MessageTemplate(
        name=f"dispatch.{name}", title=title, text=text, href=HREF, list_href=LIST, urgent=urgent, fields=FIELDS
    )


TEMPLATES = (
    template("given", "新派单", "您有新的派单 {number}：{place}{title}，请及时接单处置。"),
    template("reworked", "派单返工", "派单 {number}（{place}{title}）核查不通过：{reason}，请重新处置。"),
    template("extended", "延期审批", "派单 {number}（{place}{title}）的延期申请已审批，请查看。"),
    template("to_check", "派单待核查", "派单 {number}（{place}{title}）已回单，请核查。"),
    template("returned", "派单退回", "派单 {number}（{place}{title}）被退回：{reason}，请重新派遣。"),
    template(
        "escalated", "派单督办", "派单 {number}（{place}{title}）的处置时限已用 {percent}%，请督办。", urgent=True
    ),
)
TO_HANDLER = {
    "work_order.dispatched": "dispatch.given",
    "work_order.reworked": "dispatch.reworked",
    "work_order.extension_decided": "dispatch.extended",
}
TO_OFFICE = {"work_order.replied": "dispatch.to_check", "work_order.returned": "dispatch.returned"}


def notify(event: Event) -> None:
    """Send the message of an event to those whom it concerns; told again it changes nothing."""
    order = WorkOrder.objects(id=ObjectId(event.payload["order"])).first()
    if order is None or utcnow() - order.updated_at > NEWS:
        return
    if event.name in TO_HANDLER:
        if order.state in HANDLING and (to := handler_of(order)):
            send(TO_HANDLER[event.name], to, order, event)
    elif event.name == "work_order.escalated":
        told = event.payload
        send("dispatch.escalated", Recipients(role=STAFF[told["level"]], area=told["to_area"]), order, event)
    else:
        send(TO_OFFICE[event.name], Recipients(role="community_staff", area=order.area), order, event)


def handler_of(order: WorkOrder) -> Recipients | None:
    """Return whom an order was given to."""
    if order.handler:
        return Recipients(accounts=(str(order.handler),))
    if order.handler_organisation:
        return Recipients(organisation=str(order.handler_organisation))
    return Recipients(role=order.handler_role, area=order.area) if order.handler_role else None


def send(name: str, to: Recipients, order: WorkOrder, event: Event) -> None:
    """Send one message, once for each event."""
    values: dict[str, Any] = {
        "order": str(order.id),
        "number": order.number,
        "title": order.title,
        "place": f"{order.point_name} " if order.point_name else "",
        "reason": event.payload.get("reason") or "",
        "percent": event.payload.get("percent") or 0,
    }
    about = ("dispatch.order", str(order.id))
    atomically(lambda: send_message(name, to=to, values=values, about=about, area=order.area, dedupe=event.id))


HANDLERS = tuple(
    EventHandler(name=f"dispatch.notify_{name.partition('.')[2]}", event=name, handle=notify)
    for name in (*TO_HANDLER, *TO_OFFICE, "work_order.escalated")
)

"""Tell people what they are to do: whoever an order was given to, whoever is to check it, and the area above."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    LOCAL_ZONE,
    Event,
    EventHandler,
    MessageTemplate,
    Recipients,
    atomically,
    send_message,
)
from plugins.dispatch.orders.models import HANDLING, WorkOrder
from plugins.dispatch.orders.telling import given_to

HREF, LIST = "/dispatch/orders#{order}", "/dispatch/orders"
FIELDS = {
    "number": "单号",
    "title": "名称",
    "place": "地点",
    "due": "到期时间",
    "reason": "原因",
    "percent": "已用时限百分比",
    "stage": "环节",
}
STAFF = {"community": "community_staff", "street": "street_staff", "district": "district_staff"}
#: Who checks, and dispatches again, what people of these roles handled: the level above.
OFFICES = {"community_staff": "street_staff", "street_staff": "district_staff", "district_staff": "district_staff"}
CHECKED = ("replied", "verifying")


def template(name: str, title: str, text: str, *, urgent: bool = False) -> MessageTemplate:
    """Return what people are told on one occasion."""
    words = text.replace("{order}", "派单“{place}{title}”（{number}）")
    return MessageTemplate(
        name=f"dispatch.{name}", title=title, text=words, href=HREF, list_href=LIST, urgent=urgent, fields=FIELDS
    )


TEMPLATES = (
    template("given", "新派单", "您有新的{order}，请于 {due} 前处置并回单。"),
    template("taken_away", "派单已改派", "{order}已改派他人，您不必再处置。"),
    template("ended", "派单已终止", "{order}已终止：{reason}。您不必再处置。"),
    template("resumed", "派单恢复办理", "{order}恢复办理，请于 {due} 前回单。"),
    template("due_soon", "派单即将超期", "{order}将于 {due} 到期，请尽快处置并回单。"),
    template("overdue", "派单已超期", "{order}已超过处置时限，请立即处置并回单。", urgent=True),
    template("reworked", "派单返工", "{order}核查不通过：{reason}，请于 {due} 前重新处置。"),
    template("extended", "延期审批", "{order}的延期申请已审批，现在的时限为 {due}。"),
    template("extension", "派单申请延期", "{order}申请延期：{reason}，请审批。"),
    template("to_check", "派单待核查", "{order}已回单，请核查。"),
    template("returned", "派单退回", "{order}被退回：{reason}，请重新派遣。"),
    template("escalated", "派单督办", "{order}的处置时限已用 {percent}%，请督办。", urgent=True),
    template("stalled", "派单环节超时", "{order}{stage}已超时，请督办。"),
)
#: What a handler is told while the order is his.
TO_HANDLER = {
    "work_order.dispatched": "given",
    "work_order.resumed": "resumed",
    "work_order.due_soon": "due_soon",
    "work_order.overdue": "overdue",
    "work_order.reworked": "reworked",
    "work_order.extension_decided": "extended",
}
#: What the office is told, and the states in which it still has to do something about it.
TO_OFFICE = {
    "work_order.replied": ("to_check", CHECKED),
    "work_order.returned": ("returned", ("returned",)),
    "work_order.extension_asked": ("extension", HANDLING),
}
#: What the area above is told, and where it comes too late.
TO_ABOVE = {"work_order.escalated": "escalated", "work_order.stalled": "stalled"}
#: An order ends over the head of its handler by these results.
OVER_THE_HEAD = ("forced_closed", "merged")


def notify(event: Event) -> None:
    """Send the messages of an event to those who still have to do something; told again it changes nothing."""
    order = WorkOrder.objects(id=ObjectId(event.payload["order"])).first()
    if order is None:
        return
    for name, to in messages(order, event):
        values = {**values_of(order), **words_of(event.payload)}
        about = ("dispatch.order", str(order.id))
        send = {"to": to, "values": values, "about": about, "area": order.area, "dedupe": event.id}
        atomically(lambda name=name, send=send: send_message(f"dispatch.{name}", **send))  # type: ignore[misc]


def messages(order: WorkOrder, event: Event) -> list[tuple[str, Recipients]]:
    """Return which messages go to whom; none about what was settled meanwhile."""
    told = event.payload
    found: list[tuple[str, Recipients | None]] = []
    if event.name in TO_HANDLER and order.state in HANDLING:
        found.append((TO_HANDLER[event.name], recipients(given_to(order), order.area)))
    if before := told.get("taken_from"):
        names = ("handler", "handler_organisation", "handler_role")
        if any(before[name] != told[name] for name in names):
            found.append(("taken_away", recipients(before, order.area)))
    if event.name in TO_OFFICE and order.state in TO_OFFICE[event.name][1]:
        found.append((TO_OFFICE[event.name][0], Recipients(role=office_of(order), area=order.area)))
    if event.name in TO_ABOVE and order.ended_at is None:
        found.append((TO_ABOVE[event.name], Recipients(role=STAFF[told["level"]], area=told["to_area"])))
    if told["result"] in OVER_THE_HEAD and order.state == told["result"] and order.taken_at and not order.replies:
        found.append(("ended", recipients(given_to(order), order.area)))
    return [(name, to) for name, to in found if to is not None]


def recipients(given: Mapping[str, str], area: str) -> Recipients | None:
    """Return whom an order was given to, or None when it was nobody."""
    if given["handler"]:
        return Recipients(accounts=(given["handler"],))
    if given["handler_organisation"]:
        return Recipients(organisation=given["handler_organisation"])
    return Recipients(role=given["handler_role"], area=area) if given["handler_role"] else None


def office_of(order: WorkOrder) -> str:
    """Return the role of those who dispatch and check an order: the community, or the level above its handler's."""
    return OFFICES.get(order.handler_role or "", "community_staff")


def values_of(order: WorkOrder) -> dict[str, str]:
    """Return what an order fills the messages with."""
    return {
        "order": str(order.id),
        "number": order.number,
        "title": order.title,
        "place": f"{order.point_name} " if order.point_name else "",
        "due": local(order.due_at),
    }


def words_of(told: Mapping[str, Any]) -> dict[str, str]:
    """Return what an event fills the messages with."""
    return {name: str(told.get(name) or "") for name in ("reason", "percent", "stage")}


def local(at: datetime | None) -> str:
    """Return a time as people read it."""
    return at.astimezone(LOCAL_ZONE).strftime("%m月%d日 %H:%M") if at else "—"


HANDLERS = tuple(
    EventHandler(name=f"dispatch.notify_{event.partition('.')[2]}", event=event, handle=notify)
    for event in (*TO_HANDLER, *TO_OFFICE, *TO_ABOVE, "work_order.closed")
)

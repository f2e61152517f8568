"""Open orders: from an alert, from what other modules ask for, and by hand. One source makes one order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    LOCAL_ZONE,
    Event,
    PlaceFacts,
    Principal,
    Problem,
    WorkOrderFacts,
    WorkOrderRequest,
    atomically,
    audit,
    current_actor,
    district_of,
    find_place,
    find_place_near,
    home_of,
    publish,
    require,
    utcnow,
)
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.clock import waiting
from plugins.dispatch.orders.models import ORDER_FLOW, REPORT, OrderSeries, WorkOrder
from plugins.dispatch.orders.telling import marked, told
from plugins.dispatch.routing.choosing import Choice, suggest
from plugins.dispatch.standards.register import Standard, standard_for

#: Something reported by place belongs to a point that is not farther away.
NEAR_METRES = 100.0
#: As much of an alert's words as an order shows.
LONGEST_NOTE = 900


def follow_alert(event: Event) -> None:
    """Report an alert as an order with a suggested handler; told again it changes nothing.

    An alert that was past its limit when it was told of is history that somebody loaded: nobody is sent for it.
    """
    raised = event.payload
    if datetime.fromisoformat(raised["close_by"]) < event.occurred_at:
        return
    number, note = f"预警 {raised.get('number') or ''}", str(raised.get("note") or "")
    request = WorkOrderRequest(
        source="alert",
        source_id=str(raised["alert"]),
        kind=str(raised["kind"]),
        title=str(raised["title"]),
        severity=int(raised.get("severity") or 2),
        area=str(raised.get("area") or event.area),
        point=str(raised.get("point") or ""),
        lon=raised.get("longitude"),
        lat=raised.get("latitude"),
        description=f"{number}：{note[:LONGEST_NOTE]}" if note else number,
        proof=tuple(raised.get("proof") or ()),
        link=f"/alerts/#{raised['alert']}",
    )
    open_order(request, event.occurred_at)


def open_order(request: WorkOrderRequest, at: datetime | None = None) -> WorkOrderFacts:
    """Open the order of a source, or return the one that it has; safe under repetition and in parallel.

    `at` is when it was reported, now if it is not said.
    """
    key = f"{request.source}/{request.source_id}"
    if request.source_id and (known := WorkOrder.objects(source_key=key).first()):
        return facts(known, new=False)
    order = draft(request, at)
    order.source_key = key if request.source_id else None
    try:
        return facts(write_down(order), new=True)
    except DuplicateKeyError:
        # Somebody else told of the same source in the same moment.
        return facts(WorkOrder.objects.get(source_key=key), new=False)


def report_order(by: Principal, values: dict[str, Any]) -> WorkOrder:
    """Report something by hand: at a point, in an area, or where somebody stands.

    A place without point or area belongs to the nearest point, and to the person's own area where none is near.
    Raises Forbidden outside the own area, and Problem for a point that is not there.
    """
    request = WorkOrderRequest(source="person", source_id="", **located(by, values))
    order = draft(request)
    require(by, REPORT, order.area)
    order.reporter, order.reporter_name = str(by.id), by.name
    return write_down(order)


def located(by: Principal, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is reported with the point or area that it belongs to."""
    if values["point"]:
        if find_place(values["point"]) is None:
            raise Problem("invalid", fields={"point": ["没有这个点位。"]})
        return dict(values)
    if values["area"] or values["lon"] is None:
        return dict(values)
    near = find_place_near(values["lon"], values["lat"], NEAR_METRES)
    return {**values, "point": near.code} if near else {**values, "area": home_of(by)}


def draft(request: WorkOrderRequest, at: datetime | None = None) -> WorkOrder:
    """Return an order as it is before it is written: with its limits, its proof and its suggested handler."""
    place = find_place(request.point) if request.point else None
    area = place.area if place else request.area
    standard = standard_for(request.kind, area)
    now = at or utcnow()
    order = WorkOrder(
        area=area,
        created_at=now,
        updated_at=now,
        number="",
        source=request.source,
        source_id=request.source_id or None,
        link=request.link or None,
        kind=request.kind,
        title=request.title,
        severity=request.severity,
        description=request.description or None,
        point=request.point or None,
        point_name=place.name if place else None,
        place=place_of(request, place),
        **limits(request, standard),
        **addressed(suggest(request.kind, area, request.point)),
    )
    limit = waiting("reported", calendar_of(area), now)
    order.escalate_at = limit["escalate_at"]
    ORDER_FLOW.begin(order, actor=current_actor(), note="", at=now, due_at=limit["due_at"])
    return order


def limits(request: WorkOrderRequest, standard: Standard) -> dict[str, Any]:
    """Return what a kind's standard, and the request itself, say of time and proof."""
    return {
        "proof": list(request.proof or standard.proof),
        "far_metres": standard.far_metres,
        "unit_of_time": standard.unit,
        "respond_minutes": standard.respond_minutes,
        "limit_minutes": float(request.handle_minutes or standard.handle_minutes),
    }


def addressed(choice: Choice | None) -> dict[str, Any]:
    """Return the fields of an order that say to whom it goes."""
    if choice is None:
        return {}
    to = choice.addressee
    return {
        "handler": to.person,
        "handler_name": to.name,
        "handler_organisation": to.organisation,
        "handler_role": to.role or None,
        "unit": to.unit,
        "unit_name": to.unit_name,
        "rule": choice.rule,
    }


def place_of(request: WorkOrderRequest, place: PlaceFacts | None) -> dict[str, Any] | None:
    """Return where it is as a GeoJSON point: as was said, else where the point is."""
    lon, lat = (
        (request.lon, request.lat) if request.lon is not None else (place.lon, place.lat) if place else (None, None)
    )
    return None if lon is None or lat is None else {"type": "Point", "coordinates": [lon, lat]}


def write_down(order: WorkOrder) -> WorkOrder:
    """Give the order its number and store it, with its trail; raises DuplicateKeyError for a source that has one."""
    series = f"{district_of(order.area)}-{order.created_at.astimezone(LOCAL_ZONE).year}"
    make_sure(series)

    def write() -> WorkOrder:
        order.number = next_number(series)
        order.validate()
        # Written past MongoEngine, which hides what the store says of a source that has its order already.
        row = order.to_mongo()
        WorkOrder._get_collection().insert_one(dict(row))
        audit.record("dispatch.order.report", **where(order), detail={"number": order.number, "source": order.source})
        publish("work_order.reported", told(order), area=order.area)
        marked(order)
        return order

    return atomically(write)


def next_number(series: str) -> str:
    """Return the next number, such as `PD339999-2026-000001`, in the current transaction."""
    counted = OrderSeries._get_collection().find_one_and_update(
        {"_id": series}, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER
    )
    return f"PD{series}-{counted['last']:06d}"


def make_sure(series: str) -> None:
    """Add the series of a year unless it is there."""
    fresh = {"version": 1, "created_at": utcnow(), "updated_at": utcnow(), "last": 0}
    try:
        OrderSeries._get_collection().update_one({"_id": series}, {"$setOnInsert": fresh}, upsert=True)
    except DuplicateKeyError:
        return  # somebody else did so in the same moment


def where(order: WorkOrder) -> dict[str, str]:
    """Return how the audit trail names an order."""
    return {"subject": "dispatch.order", "subject_id": str(order.id), "area": order.area}


def facts(order: WorkOrder, *, new: bool) -> WorkOrderFacts:
    """Return what other modules may know of an order."""
    return WorkOrderFacts(
        id=str(order.id),
        number=order.number,
        state=order.state,
        area=order.area,
        handler=order.handler_name or "",
        new=new,
        href=f"/dispatch/orders#{order.id}",
    )

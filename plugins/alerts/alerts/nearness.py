"""What is near: other alerts around one, and the rule that makes one of two that are the same thing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import Actor, Event, IllegalTransition, Principal, acting, district_of, scope_filter
from plugins.alerts.alerts.handling import merge_into
from plugins.alerts.alerts.models import OPEN, Alert, place_of
from plugins.alerts.kinds.catalogue import catalogue

EARTH_METRES = 6_378_100


def within_metres(place: tuple[float, float], metres: float) -> dict[str, Any]:
    """Return the filter of what lies so near to WGS-84 degrees."""
    return {"place": {"$geoWithin": {"$centerSphere": [list(place), metres / EARTH_METRES]}}}


def nearby(by: Principal, alert: Alert, metres: float, hours: float) -> list[dict[str, Any]]:
    """Return up to 50 other alerts around one that the person may see, the newest first."""
    row = alert.to_mongo()
    span = timedelta(hours=hours)
    near = {"last_at": {"$gte": alert.first_at - span}, "first_at": {"$lte": alert.last_at + span}}
    if place := place_of(row):
        near |= within_metres(place, metres)
    else:
        near |= {"point": alert.point} if alert.point else {"area": alert.area}
    scope = scope_filter(by, "alerts:view", organisation_field="organisation")
    query = {"$and": [{"_id": {"$ne": alert.id}}, near, scope]}
    return list(Alert._get_collection().find(query).sort("_id", -1).limit(50))


def merge_by_rule(event: Event) -> None:
    """Merge an alert that was just raised into an older open one of its kind, where the kind says how near is the same.

    Several reports of the same heap of rubble from different places are then one.
    """
    alert = Alert.objects(id=ObjectId(event.payload["alert"])).first()
    if alert is None or alert.state != "raised" or alert.order:
        return
    kind = catalogue(district_of(alert.area)).kinds.get(alert.kind)
    place = place_of(alert.to_mongo())
    if kind is None or not kind["merge_metres"] or place is None:
        return
    window = timedelta(minutes=kind["debounce_minutes"])
    query = {
        "_id": {"$lt": alert.id},
        "area": {"$gte": district_of(alert.area), "$lt": f"{district_of(alert.area)}0"},
        "kind": alert.kind,
        "state": {"$in": list(OPEN)},
        "last_at": {"$gte": alert.first_at - window},
        "first_at": {"$lte": alert.last_at + window},
        **within_metres(place, kind["merge_metres"]),
    }
    older = Alert.objects(__raw__=query).order_by("id").first()
    if older is None:
        return
    with acting(Actor(id="alerts.merge", name="合并规则", kind="system")):
        try:
            merge_into(alert, older, f"{kind['merge_metres']} 米内同类事件")
        except IllegalTransition:
            return

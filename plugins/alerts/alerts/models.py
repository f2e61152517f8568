"""Alerts and what was seen, as stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    DictField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    PointField,
    StringField,
)

from backend.plugin_api import (
    DUE_INDEX,
    LOCAL_ZONE,
    EncryptedStringField,
    Flowing,
    PlacedRecord,
    Transition,
    Workflow,
    utcnow,
)
from plugins.alerts.kinds.defaults import UNITS
from plugins.alerts.kinds.limits import deadline

#: Where something was seen, or who says so.
SOURCES = {
    "camera": "视频识别",
    "sensor": "传感器",
    "bin": "智能垃圾箱",
    "vehicle": "收运车辆",
    "person": "人工上报",
    "patrol": "巡检",
    "evidence": "取证",
    "exposure": "监督曝光",
}
#: In these states an alert still wants something from somebody.
OPEN = ("unconfirmed", "raised", "dispatched")
#: Pictures that the alert itself shows; all others stand with what was seen.
MOST_PICTURES = 30
#: Days that what a vendor sent is kept as it came, once it has been dealt with.
RAW_DAYS = 180


def until_response(alert: Alert) -> timedelta:
    """Return how long there is for the first response, from now."""
    now = utcnow()
    return deadline(alert.area, now, alert.respond_minutes, alert.limit_unit) - now


def until_closing(alert: Alert) -> timedelta:
    """Return how long there is to close."""
    return alert.close_by - utcnow()


ALERT_FLOW = Workflow(
    name="alert",
    title="预警事件",
    initial="unconfirmed",
    states={
        "unconfirmed": "待确认",
        "raised": "待处理",
        "dispatched": "已派单",
        "dismissed": "已排除",
        "closed": "已办结",
        "merged": "已合并",
    },
    transitions=(
        Transition(verb="confirm", title="确认", source="unconfirmed", target="raised", permission="alerts:handle"),
        Transition(verb="dispatch", title="派单", source=("unconfirmed", "raised"), target="dispatched"),
        Transition(
            verb="dismiss",
            title="排除",
            source=("unconfirmed", "raised", "dispatched"),
            target="dismissed",
            permission="alerts:handle",
        ),
        Transition(
            verb="close", title="办结", source=("raised", "dispatched"), target="closed", permission="alerts:handle"
        ),
        Transition(
            verb="reopen", title="重新打开", source=("dismissed", "closed"), target="raised", permission="alerts:handle"
        ),
        Transition(
            verb="merge", title="合并", source=("unconfirmed", "raised"), target="merged", permission="alerts:handle"
        ),
        Transition(verb="split", title="拆分", source="merged", target="raised", permission="alerts:handle"),
    ),
    limits={"raised": until_response, "dispatched": until_closing},
)


class Alert(PlacedRecord, Flowing):
    """Something seen that may need handling (预警事件): one for all that was seen of it.

    `slots` are what is debounced together; `first_at` and `last_at` are when it was first and last seen, by the clocks
    of those who saw it, `raised_at` when the platform learnt of it. `camera` keeps device and time for the video of
    that moment. Limits, role and proof are those of the kind when it was raised.
    """

    meta = {
        "collection": "alerts",
        "indexes": [
            ("area", "-id"),
            ("state", "-id"),
            ("kind", "-id"),
            ("point", "-id"),
            ("device", "-id"),
            ("slots", "-last_at"),
            "number",
            {"fields": ["link"], "sparse": True},
            {"fields": ["order.id"], "sparse": True},
            ("organisation", "-id"),
            DUE_INDEX,
            {"fields": [("place", "2dsphere")]},
        ],
    }

    number = StringField(required=True, max_length=20)
    kind = StringField(required=True, max_length=32)
    kind_name = StringField(required=True, max_length=40)
    severity = IntField(required=True, min_value=1, max_value=4)
    category = StringField(required=True, max_length=20)
    role = StringField(required=True, max_length=40)
    proof = ListField(StringField())
    talk_back = StringField(max_length=200)
    source = StringField(required=True, choices=tuple(SOURCES))
    device = StringField(max_length=64)
    point = StringField(max_length=32)
    point_name = StringField(max_length=100)
    organisation = ObjectIdField()
    place = PointField(auto_index=False)
    slots = ListField(StringField(), required=True)
    first_at = DateTimeField(required=True)
    last_at = DateTimeField(required=True)
    raised_at = DateTimeField(required=True)
    respond_minutes = IntField(required=True)
    close_minutes = IntField(required=True)
    limit_unit = StringField(required=True, choices=tuple(UNITS))
    respond_by = DateTimeField(required=True)
    close_by = DateTimeField(required=True)
    responded_at = DateTimeField()
    closed_at = DateTimeField()
    close_seconds = IntField()
    late = IntField()
    count = IntField(required=True, min_value=1)
    confidence = FloatField()
    pictures = ListField(DictField())
    note = StringField(max_length=500)
    reporter = StringField(max_length=24)
    link = StringField(max_length=200)
    camera = DictField()
    order = DictField()
    reason = StringField(max_length=500)
    merged_into = ObjectIdField()


#: What became of something seen: part of an alert, waiting for its code to be known, or kept quiet.
OUTCOMES = {"counted": "已计入事件", "waiting": "待归类", "muted": "已屏蔽"}


class Sighting(PlacedRecord):
    """One thing seen, as its source told of it; its id is made of the source and the source's own number for it.

    `delivery` is the SHA-256 of the body that it came in; the first that was new in a body keeps it, as it was, in
    `raw`. It goes with the sighting, `RAW_DAYS` after that was dealt with.
    """

    meta = {
        "collection": "alert_sightings",
        "indexes": [
            ("alert", "-at"),
            {"fields": ["area", "vendor", "code"], "partialFilterExpression": {"outcome": "waiting"}},
            ("area", "outcome", "-received_at"),
            {"fields": ["settled_at"], "expireAfterSeconds": RAW_DAYS * 24 * 3600},
        ],
    }

    outcome = StringField(required=True, choices=tuple(OUTCOMES))
    alert = ObjectIdField()
    quiet = ObjectIdField()
    source = StringField(required=True, choices=tuple(SOURCES))
    sender = StringField(max_length=64)
    event_id = StringField(required=True, max_length=128)
    vendor = StringField(max_length=32)
    code = StringField(max_length=128)
    kind = StringField(max_length=32)
    device = StringField(max_length=64)
    point = StringField(max_length=32)
    point_name = StringField(max_length=100)
    organisation = ObjectIdField()
    place = PointField(auto_index=False)
    at = DateTimeField(required=True)
    clock_doubted = IntField()
    received_at = DateTimeField(required=True)
    settled_at = DateTimeField()
    confidence = FloatField()
    note = StringField(max_length=500)
    reporter = StringField(max_length=24)
    link = StringField(max_length=200)
    pictures = ListField(DictField())
    addresses = ListField(StringField())
    delivery = StringField(max_length=64)
    raw = EncryptedStringField()


def sighting_id(source: str, sender: str, event_id: str) -> ObjectId:
    """Return the id of what `sender` numbered `event_id`: the same each time that it tells of it."""
    return ObjectId(sha256(f"{source}\0{sender}\0{event_id}".encode()).digest()[:12])


#: No 0, 1, I or O, which people mistake for each other.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def number_of(alert: ObjectId, at: datetime) -> str:
    """Return the number that people call an alert by: YJ, the day, and seven signs from the id."""
    rest = int.from_bytes(sha256(alert.binary).digest()[:5])
    signs = "".join(LETTERS[rest >> shift & 31] for shift in range(0, 35, 5))
    return f"YJ{at.astimezone(LOCAL_ZONE):%y%m%d}{signs}"


def place_of(row: Any) -> tuple[float, float] | None:
    """Return WGS-84 degrees, or None when the place is not known."""
    coordinates = (row.get("place") or {}).get("coordinates")
    return (coordinates[0], coordinates[1]) if coordinates else None

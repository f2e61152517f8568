"""Kinds, vendors' codes and quiet windows as stored; each belongs to a district."""

from __future__ import annotations

from mongoengine import BooleanField, DateTimeField, FloatField, IntField, ListField, StringField

from backend.plugin_api import PlacedRecord
from plugins.alerts.kinds.defaults import CATEGORIES, PROOFS, ROLES, UNITS


class AlertKind(PlacedRecord):
    """A kind of event (事件类型): how urgent it is, how it is debounced, by when and by whom it is to be handled."""

    meta = {"collection": "alert_kinds", "indexes": [{"fields": ["area", "code"], "unique": True}]}

    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=40)
    area_code = StringField(required=True, max_length=32)
    active = BooleanField(required=True, default=True)
    severity = IntField(required=True, min_value=1, max_value=4)
    category = StringField(required=True, choices=tuple(CATEGORIES))
    debounce_minutes = IntField(required=True, min_value=0)
    respond_minutes = IntField(required=True, min_value=1)
    close_minutes = IntField(required=True, min_value=1)
    limit_unit = StringField(required=True, choices=tuple(UNITS))
    role = StringField(required=True, choices=tuple(ROLES))
    proof = ListField(StringField(choices=tuple(PROOFS)))
    talk_back = StringField(max_length=200)
    confidence_floor = FloatField(required=True, min_value=0, max_value=1)
    merge_metres = IntField(required=True, min_value=0)


class VendorCode(PlacedRecord):
    """What a vendor calls a kind."""

    meta = {
        "collection": "alert_vendor_codes",
        "indexes": [{"fields": ["area", "vendor", "code"], "unique": True}],
    }

    vendor = StringField(max_length=32)
    code = StringField(required=True, max_length=128)
    kind = StringField(required=True, max_length=32)


#: Why nothing is raised for a while.
QUIET_REASONS = {"mute": "屏蔽", "maintenance": "检修"}


class QuietWindow(PlacedRecord):
    """A time in which what matches raises no alert; empty fields match everything in the area."""

    meta = {"collection": "alert_quiet_windows", "indexes": [("area", "-until"), ("area", "-id")]}

    purpose = StringField(required=True, choices=tuple(QUIET_REASONS))
    device = StringField(max_length=64)
    point = StringField(max_length=32)
    kind = StringField(max_length=32)
    since = DateTimeField(required=True)
    until = DateTimeField(required=True)
    reason = StringField(required=True, max_length=200)
    set_by = StringField(required=True, max_length=24)
    set_by_name = StringField(required=True, max_length=100)

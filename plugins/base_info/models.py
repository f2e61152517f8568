"""The registers of mission rows 11 to 13, as stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mongoengine import BooleanField, FloatField, IntField, ListField, ObjectIdField, PointField, StringField

from backend.plugin_api import BlindIndexField, EncryptedStringField, PlacedRecord, Tone

#: Device kinds and their Chinese names.
DEVICE_KINDS = {
    "camera": "视频监控",
    "loudspeaker": "智能喊话",
    "fence": "电子围栏",
    "smart_bin": "智能垃圾箱",
    "scale": "称重设备",
}
#: Running states of a device.
DEVICE_STATES = {"running": "运行中", "offline": "离线", "faulty": "故障", "maintenance": "检修中"}
#: How the cockpit colours the running states.
STATE_TONES: Mapping[str, Tone] = {
    "running": "good",
    "offline": "off",
    "faulty": "critical",
    "maintenance": "minor",
}
#: What a drop-off point takes.
STREAMS = {"recyclable": "可回收物", "hazardous": "有害垃圾", "food": "易腐垃圾", "residual": "其他垃圾"}


def indexes(*more: Any) -> list[Any]:
    """Return the indexes that every register needs: by code, by area in order of entry, and `more`."""
    return [{"fields": ["code"], "unique": True}, ("area", "-id"), *more]


#: For nearest-first search.
NEAREST = {"fields": [("place", "2dsphere")]}


class BaseRecord(PlacedRecord):
    """A line of a register: known by its code, in use or not, at a place, with someone to call."""

    meta = {"abstract": True}

    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=100)
    area_code = StringField(required=True, max_length=32)
    active = BooleanField(required=True, default=True)
    address = StringField(max_length=200)
    place = PointField(auto_index=False)
    contact_name = EncryptedStringField()
    contact_phone = EncryptedStringField()
    contact_phone_index = BlindIndexField(of="contact_phone")
    note = StringField(max_length=500)


class PropertyCompany(BaseRecord):
    """A property company (物业)."""

    meta = {"collection": "property_companies", "indexes": indexes("contact_phone_index")}

    credit_code = StringField(max_length=18)


class Compound(BaseRecord):
    """A residential compound (小区): the unit that is assessed and ranked."""

    meta = {"collection": "compounds", "indexes": indexes("organisation", "contact_phone_index", NEAREST)}

    property_company = StringField(max_length=32)
    organisation = ObjectIdField()
    households = IntField(min_value=0)
    residents = IntField(min_value=0)


class DropOffPoint(BaseRecord):
    """A place where residents put waste (投放点)."""

    meta = {"collection": "drop_off_points", "indexes": indexes("organisation", "contact_phone_index", NEAREST)}

    property_company = StringField(max_length=32)
    organisation = ObjectIdField()
    streams = ListField(StringField(choices=tuple(STREAMS)))
    opening_hours = StringField(max_length=100)


class Station(BaseRecord):
    """A place where waste is gathered for the truck (集置点)."""

    meta = {"collection": "stations", "indexes": indexes("organisation", "contact_phone_index", NEAREST)}

    property_company = StringField(max_length=32)
    organisation = ObjectIdField()
    capacity_kg = FloatField(min_value=0)


class Device(BaseRecord):
    """A camera, loudspeaker, electronic fence, smart bin or scale (智能设施设备).

    `review_document` to `publication` are what its pictures rest on as evidence (行政处罚法 art. 41); `sign_photo` is
    the SHA-256 of the photo of the sign on site.
    """

    meta = {
        "collection": "devices",
        "indexes": indexes("point", "organisation", ("kind", "state"), "contact_phone_index", NEAREST),
    }

    kind = StringField(required=True, choices=tuple(DEVICE_KINDS))
    model = StringField(max_length=100)
    state = StringField(required=True, choices=tuple(DEVICE_STATES), default="running")
    point = StringField(max_length=32)
    organisation = ObjectIdField()
    installed_on = StringField(max_length=10)
    signing_key = EncryptedStringField()
    review_document = StringField(max_length=100)
    reviewed_on = StringField(max_length=10)
    standard = StringField(max_length=100)
    publication = StringField(max_length=300)
    sign_photo = StringField(max_length=64)

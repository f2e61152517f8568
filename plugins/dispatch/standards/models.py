"""A handling standard as stored."""

from __future__ import annotations

from mongoengine import BooleanField, IntField, ListField, StringField

from backend.plugin_api import PlacedRecord

#: Whether limits run by the clock or in working hours.
UNITS = {"clock": "自然时间", "working": "工作时间"}
#: What a reply (回单) has to hold.
PROOFS = {"before_photo": "处置前照片", "after_photo": "处置后照片", "place": "现场定位", "note": "文字说明"}


class OrderStandard(PlacedRecord):
    """How orders of a kind are handled (立案、处置和结案标准): limits in minutes, and the proof of a reply.

    `far_metres` is how far from the place of the order a reply may be given where `place` is asked for.
    """

    meta = {"collection": "dispatch_standards", "indexes": [{"fields": ["area", "code"], "unique": True}]}

    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=40)
    area_code = StringField(required=True, max_length=32)
    active = BooleanField(required=True, default=True)
    respond_minutes = IntField(required=True, min_value=1)
    handle_minutes = IntField(required=True, min_value=1)
    unit = StringField(required=True, choices=tuple(UNITS))
    proof = ListField(StringField(choices=tuple(PROOFS)))
    far_metres = IntField(required=True, default=300, min_value=10)

"""A year of duty as stored."""

from __future__ import annotations

from mongoengine import DictField, IntField, ListField, StringField

from backend.plugin_api import PlacedRecord

#: What a named day is: a day off, or one that is worked although its weekday would be off.
DAY_KINDS = {"holiday": "休息", "workday": "上班（调休）"}


class DutyYearRecord(PlacedRecord):
    """The duty of a district in one year; `area` is the district, `source` the notice that the holidays stand in.

    `week` is seven lists of windows such as `09:00-12:00`, Monday first; `days` are `{date, kind, name}` in order.
    What it was before each change stands in the audit trail.
    """

    meta = {"collection": "dispatch_duty_years", "indexes": [{"fields": ["area", "year"], "unique": True}]}

    year = IntField(required=True, min_value=2000, max_value=2100)
    week = ListField(ListField(StringField()), required=True)
    days = ListField(DictField())
    source = StringField(max_length=200)

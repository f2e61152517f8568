"""Rules as stored: an edition is never changed, a change is the next one."""

from __future__ import annotations

from mongoengine import BooleanField, DictField, IntField, ListField, StringField

from backend.plugin_api import PlacedRecord

#: How long a cap counts before it begins anew.
PERIODS = {"month": "每月", "quarter": "每季", "year": "每年"}


class Rule(PlacedRecord):
    """One edition of a rule (考核细则) of a district: which event it matches, and what that means in points.

    Points and caps are hundredths; 0 is no cap. `by_event` takes the points that the event brings along. Of all
    editions with `effective_from` (a day of Shanghai) not after the day of what happened, the highest one counts.
    """

    meta = {"collection": "ranking_rules", "indexes": [{"fields": ["area", "code", "edition"], "unique": True}]}

    code = StringField(required=True, max_length=32)
    edition = IntField(required=True, min_value=1)
    title = StringField(required=True, max_length=60)
    event = StringField(required=True, max_length=60)
    conditions = ListField(DictField())
    points = IntField(required=True)
    by_event = BooleanField(required=True, default=False)
    cap_day = IntField(required=True, min_value=0, default=0)
    period = StringField(required=True, choices=tuple(PERIODS), default="month")
    cap_period = IntField(required=True, min_value=0, default=0)
    appeal_days = IntField(required=True, min_value=1, default=5)
    active = BooleanField(required=True, default=True)
    effective_from = StringField(required=True, max_length=10)
    reason = StringField(max_length=500)
    made_by = StringField()
    made_name = StringField()

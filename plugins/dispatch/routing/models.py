"""A rule of routing as stored."""

from __future__ import annotations

from mongoengine import BooleanField, IntField, StringField

from backend.plugin_api import PlacedRecord

#: People of these types may be addressed as the ones on duty in their area, and the level that counts as one unit.
ROLES = {
    "supervisor": "专管员",
    "community_staff": "社区工作人员",
    "street_staff": "街道工作人员",
    "district_staff": "区级管理员",
    "enforcement_officer": "执法人员",
}
ROLE_DEPTHS = {"supervisor": 4, "community_staff": 3, "street_staff": 2, "district_staff": 1, "enforcement_officer": 1}
#: To whom a rule sends an order.
TARGETS = {**ROLES, "place_company": "点位所属物业", "organisation": "指定单位"}


class RoutingRule(PlacedRecord):
    """Orders of `kind` in `area` and below, and at `point` if it names one, go to `target`; empty means any.

    Of all rules that fit, the one with the highest `rank` wins, and of equal ranks the one with the later code.
    """

    meta = {"collection": "dispatch_rules", "indexes": [{"fields": ["code"], "unique": True}, ("area", "rank")]}

    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=60)
    area_code = StringField(required=True, max_length=32)
    active = BooleanField(required=True, default=True)
    rank = IntField(required=True, min_value=0)
    kind = StringField(max_length=32)
    point = StringField(max_length=32)
    target = StringField(required=True, choices=tuple(TARGETS))
    organisation = StringField(max_length=24)

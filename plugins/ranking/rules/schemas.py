"""What goes in and out of the API of rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins.ranking.points import CODE, Points
from plugins.ranking.rules.models import PERIODS
from plugins.ranking.rules.triggers import TRIGGERS, Fact


def told(text: str) -> dict[str, str]:
    """Return the description of a parameter."""
    return {"description": text}


class Day(fields.String):
    """A day of Shanghai, such as 2026-11-22."""

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> str:
        text = super()._deserialize(value, *args, **options) or ""
        try:
            if len(text) != len("2026-11-22"):
                raise ValueError(text)
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise ValidationError("日期应为 2026-11-22 的形式。") from None


class RuleConditionSchema(Schema):
    """One condition: a fact is among some values, or at least so much."""

    fact = fields.String(required=True, validate=validate.Length(1, 40), metadata=told("事件所报内容的名称"))
    any_of = fields.List(
        fields.Raw(metadata={"anyOf": [{"type": "string"}, {"type": "boolean"}, {"type": "number"}]}),
        validate=validate.Length(1, 50),
    )
    at_least = fields.Float(validate=validate.Range(-1_000_000, 1_000_000))


def faults_of(event: str, conditions: list[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with conditions on an event."""
    known = TRIGGERS[event].facts
    found = []
    for each in conditions:
        fact = known.get(each["fact"])
        if fact is None:
            found.append(f"该事件没有“{each['fact'][:40]}”这项内容。")
        elif ("any_of" in each) == ("at_least" in each):
            found.append(f"“{fact.title}”须且只能填写 any_of 或 at_least 之一。")
        elif "at_least" in each and fact.kind != "number":
            found.append(f"“{fact.title}”不是数值，不能比较大小。")
        elif "any_of" in each and not all(fits(fact, value) for value in each["any_of"]):
            found.append(f"“{fact.title}”的取值有误。")
    return found


def fits(fact: Fact, value: Any) -> bool:
    """Tell whether a value may be one of a fact's."""
    if fact.kind == "flag":
        return isinstance(value, bool)
    if fact.kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return isinstance(value, str) and 0 < len(value) <= 60 and (not fact.choices or value in fact.choices)


class RuleEditionSchema(Schema):
    """What an edition says; code and event stay."""

    title = fields.String(required=True, validate=validate.Length(1, 60), metadata=told("细则名称"))
    conditions = fields.List(fields.Nested(RuleConditionSchema), load_default=list, validate=validate.Length(max=10))
    points = Points(required=True, metadata=told("分值，扣分为负"))
    by_event = fields.Boolean(load_default=False, metadata=told("事件自带分值时按其分值"))
    cap_day = Points(0, load_default=0, metadata=told("每日上限，0 为不限"))
    period = fields.String(load_default="month", validate=validate.OneOf(tuple(PERIODS)), metadata=told("上限周期"))
    cap_period = Points(0, load_default=0, metadata=told("周期上限，0 为不限"))
    appeal_days = fields.Integer(
        strict=True, load_default=5, validate=validate.Range(1, 60), metadata=told("申诉期限（工作日）")
    )
    active = fields.Boolean(load_default=True)
    effective_from = Day(required=True, metadata=told("生效日期，最早为明天"))
    reason = fields.String(required=True, validate=validate.Length(1, 500), metadata=told("制定或修改的原因"))

    @validates_schema
    def check_points(self, values: dict[str, Any], **_: Any) -> None:
        """Refuse a rule that gives nothing."""
        if values.get("points") == 0:
            raise ValidationError("分值不能为 0。", "points")


class NewAssessmentRuleSchema(RuleEditionSchema):
    """A new rule."""

    code = fields.String(required=True, validate=CODE, metadata=told("细则编码"))
    event = fields.String(required=True, validate=validate.OneOf(tuple(TRIGGERS)), metadata=told("对应的事件"))

    @validates_schema
    def check_conditions(self, values: dict[str, Any], **_: Any) -> None:
        """Refuse conditions that the event can never fulfil."""
        if values.get("event") in TRIGGERS and (faults := faults_of(values["event"], values.get("conditions") or [])):
            raise ValidationError(faults, "conditions")


class AssessmentRuleSchema(RuleEditionSchema):
    """An edition of a rule as shown."""

    id = fields.String()
    etag = fields.String()
    code = fields.String()
    edition = fields.Integer()
    event = fields.String()
    event_title = fields.String()
    area = fields.String()
    made_name = fields.String(allow_none=True)
    created_at = fields.DateTime()
    in_force = fields.Boolean(metadata={"description": "今天生效的版次"})


class AssessmentRulesSchema(Schema):
    """Rules of a district."""

    items = fields.List(fields.Nested(AssessmentRuleSchema))


class RuleArgs(Schema):
    """Which rules."""

    event = fields.String(validate=validate.OneOf(tuple(TRIGGERS)), metadata=told("对应的事件"))
    editions = fields.String(
        load_default="latest",
        validate=validate.OneOf(("latest", "in_force", "all")),
        metadata=told("latest 最新版次，in_force 今天生效的，all 全部版次"),
    )


class RuleEventFactSchema(Schema):
    """What may be asked of an event."""

    name = fields.String()
    title = fields.String()
    kind = fields.String()
    choices = fields.Dict(keys=fields.String(), values=fields.String())


class RuleEventSchema(Schema):
    """An event that rules may match."""

    event = fields.String()
    title = fields.String()
    facts = fields.List(fields.Nested(RuleEventFactSchema))


class RuleEventsSchema(Schema):
    """All of them."""

    items = fields.List(fields.Nested(RuleEventSchema))

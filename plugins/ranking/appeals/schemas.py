"""What goes in and out of the API of appeals."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from backend.plugin_api import PageArgs
from plugins.ranking.appeals.models import APPEAL_FLOW
from plugins.ranking.ledger.schemas import ID, Words, told
from plugins.ranking.points import AREA, CODE, Points


class AppealFilters(PageArgs):
    """The query of the list."""

    state = fields.String(validate=validate.OneOf(tuple(APPEAL_FLOW.states)), metadata=told("状态"))
    compound = fields.String(validate=CODE, metadata=told("小区编码"))
    rule = fields.String(validate=CODE, metadata=told("细则编码"))
    overdue = fields.Boolean(metadata=told("超过裁决期限的"))
    within = fields.String(validate=AREA, metadata=told("区域路径"))


class AppealForm(Schema):
    """An appeal against a charge."""

    charge = fields.String(required=True, validate=ID, metadata=told("计分项编号"))
    reason = Words("申诉理由", 1000)


class AppealDecisionSchema(Schema):
    """A decision."""

    verb = fields.String(
        required=True, validate=validate.OneOf(("uphold", "refuse")), metadata=told("uphold 成立，refuse 不成立")
    )
    reason = Words("裁决理由")


class AppealSchema(Schema):
    """An appeal as it stands in a list."""

    id = fields.String()
    etag = fields.String()
    charge = fields.String()
    area = fields.String()
    compound = fields.String()
    compound_name = fields.String()
    rule = fields.String()
    title = fields.String()
    number = fields.String()
    points = Points(metadata={"description": "申诉时的扣分"})
    reason = fields.String()
    photos = fields.List(fields.String())
    filed_name = fields.String()
    filed_at = fields.DateTime()
    state = fields.String()
    state_title = fields.String()
    due_at = fields.DateTime(allow_none=True)
    overdue = fields.Boolean()
    decision = fields.String(allow_none=True)
    decided_name = fields.String(allow_none=True)
    decided_at = fields.DateTime(allow_none=True)


class AppealDetailSchema(AppealSchema):
    """An appeal, with what the person may do."""

    may_withdraw = fields.Boolean()
    may_decide = fields.Boolean()

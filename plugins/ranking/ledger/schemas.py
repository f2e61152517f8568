"""What goes in and out of the API of the ledger; labels are the heads of exported columns."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend.plugin_api import PageArgs
from plugins.ranking.ledger.models import KINDS, STATES
from plugins.ranking.ledger.photos import MOST_PHOTOS
from plugins.ranking.ledger.reading import APPEAL_STATES
from plugins.ranking.points import AREA, CODE, MONTH, Points
from plugins.ranking.rules.triggers import SOURCES

ID = validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号有误。")


def told(text: str) -> dict[str, str]:
    """Return the description of a parameter."""
    return {"description": text}


def label(text: str) -> dict[str, str]:
    """Return the head of a column."""
    return {"label": text}


class Words(fields.String):
    """What a person says; trimmed, and not empty."""

    def __init__(self, title: str, longest: int = 500) -> None:
        super().__init__(required=True, validate=validate.Length(1, longest), metadata=told(title))

    def _deserialize(self, value: object, *args: Any, **options: Any) -> str:
        return str(super()._deserialize(value, *args, **options)).strip()


class CommonConditions(Schema):
    """What charges and entries are searched by."""

    within = fields.String(validate=AREA, metadata=told("区域路径"))
    compound = fields.String(validate=CODE, metadata=told("小区编码"))
    rule = fields.String(validate=CODE, metadata=told("细则编码"))
    source = fields.String(validate=validate.OneOf(tuple(SOURCES)), metadata=told("来源"))
    number = fields.String(
        validate=validate.Regexp(r"^[0-9A-Za-z-]{1,40}\Z", error="单号有误。"), metadata=told("来源单号的开头部分")
    )
    since = fields.AwareDateTime(metadata=told("发生不早于"))
    until = fields.AwareDateTime(metadata=told("发生早于"))


class ChargeConditions(CommonConditions):
    """Search conditions for charges."""

    state = fields.String(validate=validate.OneOf(tuple(STATES)), metadata=told("状态"))
    appeal = fields.String(validate=validate.OneOf(tuple(APPEAL_STATES)), metadata=told("申诉状态"))
    deducted = fields.Boolean(metadata=told("实际扣了分的"))
    appealable = fields.Boolean(metadata=told("现在可以申诉的"))


class ChargeFilters(PageArgs, ChargeConditions):
    """The query of the list."""


class EntryConditions(CommonConditions):
    """Search conditions for entries."""

    kind = fields.String(validate=validate.OneOf(tuple(KINDS)), metadata=told("分录类型"))


class EntryFilters(PageArgs, EntryConditions):
    """The query of the list."""


class ChargeExport(ChargeConditions):
    """Which charges, and which kind of file."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class EntryExport(EntryConditions):
    """Which entries, and which kind of file."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class LedgerEntrySchema(Schema):
    """One line of the ledger."""

    compound_name = fields.String(metadata=label("小区"))
    compound = fields.String(metadata=label("小区编码"))
    seq = fields.Integer(metadata=label("序号"))
    kind_title = fields.String(metadata=label("分录类型"))
    rule = fields.String(metadata=label("细则编码"))
    edition = fields.Integer(metadata=label("细则版次"))
    title = fields.String(metadata=label("考核细则"))
    points = Points(metadata=label("分值"))
    occurred_at = fields.DateTime(metadata=label("发生时间"))
    entered_at = fields.DateTime(metadata=label("记入时间"))
    source_title = fields.String(metadata=label("来源"))
    number = fields.String(metadata=label("来源单号"))
    note = fields.String(allow_none=True, metadata=label("说明"))
    id = fields.String()
    area = fields.String()
    charge = fields.String()
    kind = fields.String()
    source = fields.String()
    source_id = fields.String()
    event = fields.String(metadata={"description": "来源事件的编号"})
    link = fields.String(allow_none=True, metadata={"description": "证据所在页面；无权查看时为 null"})


class ChargeSchema(Schema):
    """A charge as it stands in a list."""

    compound_name = fields.String(metadata=label("小区"))
    compound = fields.String(metadata=label("小区编码"))
    rule = fields.String(metadata=label("细则编码"))
    edition = fields.Integer(metadata=label("细则版次"))
    title = fields.String(metadata=label("考核细则"))
    points = Points(metadata=label("细则分值"))
    net = Points(metadata=label("实计分值"))
    state_title = fields.String(metadata=label("状态"))
    appeal_title = fields.String(metadata=label("申诉"))
    occurred_at = fields.DateTime(metadata=label("发生时间"))
    booked_at = fields.DateTime(metadata=label("记入时间"))
    appeal_by = fields.DateTime(metadata=label("申诉截止"))
    source_title = fields.String(metadata=label("来源"))
    number = fields.String(metadata=label("来源单号"))
    note = fields.String(allow_none=True, metadata=label("说明"))
    why = fields.String(allow_none=True, metadata=label("冲销原因"))
    id = fields.String()
    etag = fields.String()
    area = fields.String()
    source = fields.String()
    state = fields.String()
    appeal = fields.String()
    capped = fields.Boolean(metadata={"description": "因上限未全额计分"})
    link = fields.String(allow_none=True, metadata={"description": "证据所在页面；无权查看时为 null"})


class ChargeDetailSchema(ChargeSchema):
    """One charge, with its entries and what the person may do."""

    given_name = fields.String(allow_none=True)
    photos = fields.List(fields.String())
    entries = fields.List(fields.Nested(LedgerEntrySchema))
    may_appeal = fields.Boolean()
    may_annul = fields.Boolean()


def columns(schema: type[Schema]) -> tuple[str, ...]:
    """Return the fields of a schema that have a head."""
    return tuple(name for name, field in schema().fields.items() if "label" in field.metadata)


class ChargeTableSchema(ChargeSchema):
    """The columns of exported charges."""

    class Meta:
        """Only what has a head."""

        fields = columns(ChargeSchema)


class LedgerTableSchema(LedgerEntrySchema):
    """The columns of exported entries."""

    class Meta:
        """Only what has a head."""

        fields = columns(LedgerEntrySchema)


class EnterChargeForm(Schema):
    """Points by hand."""

    compound = fields.String(required=True, validate=CODE, metadata=told("小区编码"))
    rule = fields.String(required=True, validate=CODE, metadata=told("细则编码，须为人工检查"))
    reason = Words("检查情况", 1000)
    occurred_at = fields.AwareDateTime(metadata=told("发现时间；不填为现在，至多 31 天前"))


class AssessmentPhotosForm(Schema):
    """Photos that go along."""

    photos = fields.List(Upload(), load_default=list, validate=validate.Length(0, MOST_PHOTOS))


class ChargeReasonSchema(Schema):
    """Why."""

    reason = Words("原因")


class StatementArgs(Schema):
    """Whose account of which month."""

    compound = fields.String(required=True, validate=CODE, metadata=told("小区编码"))
    month = fields.String(required=True, validate=MONTH, metadata=told("月份，如 2026-11"))


class StatementExport(StatementArgs):
    """And which kind of file."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class StatementLineSchema(LedgerEntrySchema):
    """A line of a statement."""

    after_month = fields.Boolean(metadata={"description": "当月结束后才记入"})


class StatementRuleSchema(Schema):
    """What one rule amounts to."""

    rule = fields.String()
    title = fields.String()
    points = Points()
    standing = fields.Integer(metadata={"description": "有效的计分项数"})


class StatementSchema(Schema):
    """A compound's account of a month."""

    compound = fields.String()
    compound_name = fields.String()
    month = fields.String()
    points = Points()
    standing = fields.Integer(metadata={"description": "有效的计分项数"})
    rules = fields.List(fields.Nested(StatementRuleSchema))
    lines = fields.List(fields.Nested(StatementLineSchema))


class BalanceArgs(Schema):
    """Of which month, and where."""

    month = fields.String(required=True, validate=MONTH, metadata=told("月份，如 2026-11"))
    within = fields.String(validate=AREA, metadata=told("区域路径"))


class BalanceSchema(Schema):
    """The points of a compound in a month."""

    area = fields.String()
    compound = fields.String()
    compound_name = fields.String()
    points = Points()
    standing = fields.Integer()


class BalancesSchema(Schema):
    """The points of all compounds that have any."""

    items = fields.List(fields.Nested(BalanceSchema))

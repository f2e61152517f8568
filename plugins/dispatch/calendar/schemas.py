"""What goes in and out of the API of duty calendars."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from backend.plugin_api import Choice, Text
from plugins.dispatch.calendar.models import DAY_KINDS

AREA = validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域编码有误。")
MOST_DAYS = 366


class Day(Text):
    """A day that exists, written 2026-11-22."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).replace("/", "-")
        try:
            # Spreadsheets say the hour, too.
            return date.fromisoformat(text[:10]).isoformat()
        except ValueError as error:
            raise ValidationError("日期格式为 2026-10-01。") from error


class NamedDaySchema(Schema):
    """A day off, or one that is worked instead; also a row of an imported table."""

    date = Day("日期", required=True, example="2026-10-01", longest=30)
    kind = Choice("类型", DAY_KINDS, required=True)
    name = Text("名称", longest=40, example="国庆节", load_default="")


class DutyYearChangeSchema(Schema):
    """What may be changed of a year; what is left out stays."""

    week = fields.List(
        fields.List(
            fields.String(validate=validate.Length(11, 11, error="时段应写作 09:00-12:00。")),
            validate=validate.Length(0, 12),
        ),
        validate=validate.Length(7, 7, error="须给出周一至周日七天的时段。"),
        metadata={"description": "周一至周日的工作时段，如 09:00-12:00；不填为工作日 09:00-12:00、13:30-17:30"},
    )
    days = fields.List(
        fields.Nested(NamedDaySchema),
        validate=validate.Length(0, MOST_DAYS),
        metadata={"description": "法定节假日和调休上班日"},
    )
    source = Text("依据", longest=200, example="国办发明电〔2025〕7 号")


class NewDutyYearSchema(DutyYearChangeSchema):
    """A year to be entered."""

    area = fields.String(required=True, validate=AREA, metadata={"description": "区县的区域编码"})
    year = fields.Integer(required=True, validate=validate.Range(2000, 2100), metadata={"description": "年份"})


class DutyYearSchema(Schema):
    """A year as entered."""

    id = fields.String()
    etag = fields.String()
    area = fields.String()
    year = fields.Integer()
    week = fields.List(fields.List(fields.String()))
    days = fields.List(fields.Nested(NamedDaySchema))
    source = fields.String(allow_none=True)
    updated_at = fields.DateTime()


class DutyYearsSchema(Schema):
    """All years; `unknown_years` are those that limits of today may reach into and that nobody entered."""

    items = fields.List(fields.Nested(DutyYearSchema))
    unknown_years = fields.List(fields.Integer())


class DueArgs(Schema):
    """A limit to be tried out."""

    area = fields.String(required=True, validate=AREA)
    start = fields.AwareDateTime(required=True)
    minutes = fields.Integer(required=True, validate=validate.Range(0, 200_000))


class DueSchema(Schema):
    """When a limit ends; `provisional` while holidays of a year on the way are not known."""

    due_at = fields.DateTime()
    provisional = fields.Boolean()
    unknown_years = fields.List(fields.Integer())


class DaysImportArgs(Schema):
    """What to do with the rows of a table of days."""

    mode = fields.String(
        load_default="check",
        validate=validate.OneOf(["check", "all"]),
        metadata={"description": "check 只检查；all 全部正确才写入，代替该年原有的日期"},
    )


class DayFaultSchema(Schema):
    """What is wrong with a cell."""

    line = fields.Integer()
    field = fields.String()
    cell = fields.String()
    label = fields.String()
    reason = fields.String()


class DaysImportedSchema(Schema):
    """What an import of days found and did."""

    total = fields.Integer()
    written = fields.Integer()
    faults = fields.List(fields.Nested(DayFaultSchema))
    etag = fields.String()

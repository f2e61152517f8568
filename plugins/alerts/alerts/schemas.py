"""What clients send about alerts and what they see."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from backend.plugin_api import PageArgs
from plugins.alerts.alerts.models import ALERT_FLOW, SOURCES
from plugins.alerts.kinds.defaults import CATEGORIES, ROLES, SEVERITIES

MOST_AT_ONCE = 200
RECORD_ID = validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号应为 24 位十六进制。")
AREA = validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域路径有误。")


def told(text: str) -> dict[str, str]:
    """Return the description of a parameter."""
    return {"description": text}


class Bounds(fields.String):
    """A rectangle on the map: west, south, east and north in WGS-84 degrees, between commas."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            west, south, east, north = (float(part) for part in str(value).split(","))
        except ValueError as error:
            raise ValidationError("应为 西,南,东,北 四个经纬度，以逗号分开。") from error
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValidationError("经纬度范围有误。")
        return (west, south, east, north)


class AlertFilters(Schema):
    """Search conditions for alerts."""

    kind = fields.String(validate=validate.Length(1, 32), metadata=told("事件类型编码"))
    severity = fields.Integer(validate=validate.OneOf(tuple(SEVERITIES)), metadata=told("等级 1 至 4"))
    category = fields.String(validate=validate.OneOf(tuple(CATEGORIES)), metadata=told("类别"))
    state = fields.String(validate=validate.OneOf(tuple(ALERT_FLOW.states)), metadata=told("状态"))
    role = fields.String(validate=validate.OneOf(tuple(ROLES)), metadata=told("处置角色"))
    source = fields.String(validate=validate.OneOf(tuple(SOURCES)), metadata=told("来源"))
    point = fields.String(validate=validate.Length(1, 32), metadata=told("点位编码"))
    device = fields.String(validate=validate.Length(1, 64), metadata=told("设备编码"))
    number = fields.String(validate=validate.Length(1, 20), metadata=told("事件编号"))
    since = fields.AwareDateTime(metadata=told("上报时间起"))
    until = fields.AwareDateTime(metadata=told("上报时间止（不含）"))
    within = fields.String(validate=AREA, metadata=told("区域路径"))
    overdue = fields.Boolean(metadata=told("是否超期"))
    open = fields.Boolean(metadata=told("true：只要未了结的"))
    bounds = Bounds(metadata=told("地图范围：西,南,东,北"))


class AlertListArgs(PageArgs, AlertFilters):
    """The query of the list."""


class ExportArgs(AlertFilters):
    """The query of an export."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class AlertSchema(Schema):
    """An alert in a list, and a line of an export."""

    id = fields.String(metadata={"label": "编号"})
    etag = fields.String(metadata={"label": "版本"})
    number = fields.String(metadata={"label": "事件编号"})
    kind = fields.String(metadata={"label": "类型编码"})
    kind_name = fields.String(metadata={"label": "事件类型"})
    severity = fields.Integer(metadata={"label": "等级"})
    severity_title = fields.String(metadata={"label": "等级名称"})
    category = fields.String()
    category_title = fields.String(metadata={"label": "类别"})
    state = fields.String()
    state_title = fields.String(metadata={"label": "状态"})
    source = fields.String()
    source_title = fields.String(metadata={"label": "来源"})
    role = fields.String()
    role_title = fields.String(metadata={"label": "处置角色"})
    area = fields.String(metadata={"label": "区域路径"})
    point = fields.String(allow_none=True, metadata={"label": "点位编码"})
    point_name = fields.String(allow_none=True, metadata={"label": "点位"})
    device = fields.String(allow_none=True, metadata={"label": "设备编码"})
    longitude = fields.Float(allow_none=True, metadata={"label": "经度"})
    latitude = fields.Float(allow_none=True, metadata={"label": "纬度"})
    count = fields.Integer(metadata={"label": "次数"})
    picture_count = fields.Integer(metadata={"label": "照片数"})
    first_at = fields.DateTime(metadata={"label": "首次发现时间"})
    last_at = fields.DateTime(metadata={"label": "最近发现时间"})
    raised_at = fields.DateTime(metadata={"label": "上报时间"})
    respond_by = fields.DateTime(metadata={"label": "响应时限"})
    close_by = fields.DateTime(metadata={"label": "办结时限"})
    responded_at = fields.DateTime(allow_none=True, metadata={"label": "首次响应时间"})
    closed_at = fields.DateTime(allow_none=True, metadata={"label": "办结时间"})
    due_at = fields.DateTime(allow_none=True)
    overdue = fields.Boolean(metadata={"label": "超期"})
    order_number = fields.String(allow_none=True, metadata={"label": "派单编号"})
    note = fields.String(allow_none=True, metadata={"label": "说明"})


class AlertTableSchema(AlertSchema):
    """A line of an exported table: what people read."""

    class Meta:
        """Codes that have a title beside them stay out."""

        exclude = ("id", "etag", "category", "state", "source", "role", "due_at")


class AlertPictureSchema(Schema):
    """A picture; `address` only for whoever may open it."""

    sha256 = fields.String()
    at = fields.DateTime()
    address = fields.String(allow_none=True)


class CameraMomentSchema(Schema):
    """The camera and the moment whose video shows what was seen."""

    device = fields.String()
    at = fields.DateTime()


class CodeTitleSchema(Schema):
    """A code and what it is called on screen."""

    code = fields.String()
    title = fields.String()


class StepSchema(Schema):
    """One step of an alert's way."""

    verb = fields.String()
    title = fields.String()
    from_ = fields.String(data_key="from")
    to = fields.String()
    at = fields.DateTime()
    actor_kind = fields.String()
    note = fields.String()


class VerbSchema(Schema):
    """A step that the person may take now."""

    verb = fields.String()
    title = fields.String()


class AlertDetailSchema(AlertSchema):
    """An alert with all that is needed to handle it."""

    confidence = fields.Float(allow_none=True)
    talk_back = fields.String()
    proof = fields.List(fields.Nested(CodeTitleSchema))
    pictures = fields.List(fields.Nested(AlertPictureSchema))
    camera = fields.Nested(CameraMomentSchema, allow_none=True)
    link = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    merged_into = fields.String(allow_none=True)
    timeline = fields.List(fields.Nested(StepSchema))
    verbs = fields.List(fields.Nested(VerbSchema))


class AlertOrderSchema(Schema):
    """The work order of an alert."""

    number = fields.String()
    state = fields.String()
    handler = fields.String(metadata=told("建议或已派的处置对象，可为空"))
    href = fields.String(metadata=told("派单页面"))


class AlertCountsSchema(Schema):
    """How many alerts are open."""

    unconfirmed = fields.Integer()
    raised = fields.Integer()
    dispatched = fields.Integer()
    overdue = fields.Integer()


class SightingSchema(Schema):
    """One thing seen, as its source told of it."""

    id = fields.String()
    event_id = fields.String()
    source = fields.String()
    source_title = fields.String()
    vendor = fields.String(allow_none=True)
    code = fields.String(allow_none=True)
    device = fields.String(allow_none=True)
    area = fields.String()
    point = fields.String(allow_none=True)
    point_name = fields.String(allow_none=True)
    confidence = fields.Float(allow_none=True)
    at = fields.DateTime()
    clock_doubted = fields.Boolean()
    received_at = fields.DateTime()
    note = fields.String(allow_none=True)
    outcome = fields.String()
    outcome_title = fields.String()
    pictures = fields.List(fields.String())
    addresses = fields.List(fields.String())
    delivery = fields.String(allow_none=True)


class ReportSchema(Schema):
    """What a person reports: of a point, or from where he or she stands."""

    kind = fields.String(required=True, validate=validate.Length(1, 32), metadata=told("事件类型编码"))
    point = fields.String(validate=validate.Length(1, 32), metadata=told("点位编码"))
    longitude = fields.Float(validate=validate.Range(-180, 180), metadata=told("经度"))
    latitude = fields.Float(validate=validate.Range(-90, 90), metadata=told("纬度"))
    area = fields.String(validate=AREA, metadata=told("区域路径；不在点位旁时填写"))
    note = fields.String(load_default="", validate=validate.Length(max=500), metadata=told("说明"))
    event_id = fields.String(validate=validate.Length(1, 64), metadata=told("手机端编号，离线补传时去重"))
    at = fields.AwareDateTime(metadata=told("发现时间"))


class AlertReasonSchema(Schema):
    """Why."""

    reason = fields.String(required=True, validate=validate.Length(2, 500), metadata=told("原因"))


class AlertMergeSchema(AlertReasonSchema):
    """Which alert this one belongs to."""

    into = fields.String(required=True, validate=RECORD_ID, metadata=told("并入的事件"))


class BulkSchema(AlertReasonSchema):
    """One step with many alerts."""

    ids = fields.List(
        fields.String(validate=RECORD_ID), required=True, validate=validate.Length(1, MOST_AT_ONCE),
        metadata=told("事件编号"),
    )  # fmt: skip
    verb = fields.String(
        required=True,
        validate=validate.OneOf(["confirm", "dismiss", "close"]),
        metadata=told("confirm 确认、dismiss 排除、close 办结"),
    )


class BulkResultSchema(Schema):
    """What became of one of many."""

    id = fields.String()
    done = fields.Boolean()
    state = fields.String(allow_none=True)
    reason = fields.String()


class NearbyArgs(Schema):
    """How far around, in metres and hours."""

    metres = fields.Float(load_default=200, validate=validate.Range(1, 5000), metadata=told("范围（米）"))
    hours = fields.Float(load_default=24, validate=validate.Range(0, 720), metadata=told("前后小时数"))


class KindSchema(Schema):
    """A kind as forms offer it."""

    code = fields.String()
    name = fields.String()
    severity = fields.Integer()
    severity_title = fields.String()
    category = fields.String()
    category_title = fields.String()
    role = fields.String()
    proof = fields.List(fields.String())

"""What goes in and out of the API of orders."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, missing, validate, validates_schema

from backend.plugin_api import PageArgs
from plugins.dispatch.orders.models import ORDER_FLOW, SEVERITIES, SOURCES
from plugins.dispatch.routing.models import ROLES

CODE = validate.Regexp(r"^[0-9A-Za-z_-]{1,32}\Z", error="编码有误。")
AREA = validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域路径有误。")
NUMBER = validate.Regexp(r"^[0-9A-Za-z-]{1,40}\Z", error="单号有误。")
ID = validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号有误。")
ETAG = validate.Regexp(r"^[0-9a-f]{24}-[0-9]{1,9}\Z", error="版本有误。")
UNIT = validate.Regexp(r"^[0-9A-Za-z_@/]{1,260}\Z", error="单位有误。")
MOST_IN_BATCH = 100
MOST_PHOTOS = 9
#: The steps that a person takes by name; the others have addresses of their own.
VERBS = (
    "file", "dismiss", "return", "inspect", "close", "send_back", "suspend", "resume", "force_close", "reopen",
    "ask_extension", "grant_extension", "refuse_extension",
)  # fmt: skip
BATCH_VERBS = ("dispatch", "file", "dismiss", "suspend", "resume", "close", "send_back", "force_close")


def told(text: str) -> dict[str, str]:
    """Return the description of a parameter."""
    return {"description": text}


class Words(fields.String):
    """What a person says; trimmed, so that blanks are nothing."""

    def __init__(self, title: str, longest: int = 500, **options: object) -> None:
        check = validate.Length(max=longest)
        super().__init__(**{"load_default": "", "validate": check, "metadata": told(title), **options})  # type: ignore[arg-type]

    def _deserialize(self, value: object, *args: object, **options: object) -> str:
        return str(super()._deserialize(value, *args, **options)).strip()


class OrderConditions(Schema):
    """Search conditions for orders."""

    state = fields.String(validate=validate.OneOf(tuple(ORDER_FLOW.states)), metadata=told("状态"))
    phase = fields.String(
        validate=validate.OneOf(("open", "waiting", "handling", "checking", "ended")),
        metadata=told("open 未办结，waiting 待派遣，handling 处置中，checking 待核查，ended 已办结"),
    )
    kind = fields.String(validate=CODE, metadata=told("类型编码"))
    source = fields.String(validate=validate.OneOf(tuple(SOURCES)), metadata=told("来源"))
    severity = fields.Integer(validate=validate.OneOf(tuple(SEVERITIES)), metadata=told("等级 1 至 4"))
    unit = fields.String(validate=UNIT, metadata=told("处置单位"))
    point = fields.String(validate=CODE, metadata=told("点位编码"))
    q = fields.String(validate=NUMBER, metadata=told("单号的开头部分"))
    overdue = fields.Boolean(metadata=told("当前环节已超时限"))
    late = fields.Boolean(metadata=told("处置曾超期"))
    mine = fields.Boolean(metadata=told("派给我、我所在单位或我的岗位的"))
    extension = fields.Boolean(metadata=told("有待审批的延期"))
    since = fields.AwareDateTime(metadata=told("上报不早于"))
    until = fields.AwareDateTime(metadata=told("上报早于"))
    within = fields.String(validate=AREA, metadata=told("区域路径"))


class OrderFilters(PageArgs, OrderConditions):
    """The query of the list."""

    order = fields.String(
        load_default="newest",
        validate=validate.OneOf(("newest", "oldest", "due")),
        metadata=told("newest 新的在前，oldest 旧的在前，due 到期早的在前（只含有时限的）"),
    )


class ExportArgs(OrderConditions):
    """Which orders, and which kind of file."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class NearbyArgs(Schema):
    """Where to look from; WGS-84 degrees."""

    longitude = fields.Float(required=True, validate=validate.Range(-180, 180), metadata=told("经度"))
    latitude = fields.Float(required=True, validate=validate.Range(-90, 90), metadata=told("纬度"))
    metres = fields.Float(load_default=2000, validate=validate.Range(1, 50_000), metadata=told("范围（米）"))
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100), metadata=told("条数"))


class NewOrderSchema(Schema):
    """Something reported by hand: at a point, in an area, or at a place."""

    kind = fields.String(required=True, validate=CODE, metadata=told("类型编码"))
    title = Words("名称", load_default=missing, required=True, validate=validate.Length(1, 100))
    description = Words("情况说明", 1000)
    severity = fields.Integer(load_default=2, validate=validate.OneOf(tuple(SEVERITIES)))
    point = fields.String(load_default="", validate=validate.Length(max=32), metadata=told("点位编码"))
    area = fields.String(
        load_default="", validate=validate.Regexp(r"^[0-9A-Za-z/]{0,200}\Z"), metadata=told("区域路径")
    )
    lon = fields.Float(data_key="longitude", load_default=None, validate=validate.Range(-180, 180))
    lat = fields.Float(data_key="latitude", load_default=None, validate=validate.Range(-90, 90))

    @validates_schema
    def check_place(self, values: dict[str, object], **_: object) -> None:
        """Ask for a place, and for both degrees of it."""
        if not values.get("point") and not values.get("area") and values.get("lon") is None:
            raise ValidationError("请选择点位或区域，或使用当前位置。", "point")
        if (values.get("lon") is None) != (values.get("lat") is None):
            raise ValidationError("经度和纬度须同时填写。", "longitude")


class AddresseeSchema(Schema):
    """To whom an order goes: one of the three, or nobody named for the one suggested."""

    handler = fields.String(validate=ID, metadata=told("人员编号"))
    organisation = fields.String(validate=ID, metadata=told("单位编号"))
    role = fields.String(validate=validate.OneOf(tuple(ROLES)), metadata=told("岗位"))
    reason = Words("说明")

    @validates_schema
    def check_one(self, values: dict[str, object], **_: object) -> None:
        """Refuse two addressees."""
        if sum(name in values for name in ("handler", "organisation", "role")) > 1:
            raise ValidationError("只能选择一个处置对象。", "handler")


class TakeStepSchema(Schema):
    """One step."""

    verb = fields.String(required=True, validate=validate.OneOf(VERBS))
    reason = Words("原因或意见")
    minutes = fields.Integer(
        load_default=0, validate=validate.Range(0, 50_000), metadata=told("申请延期时，延长的分钟数")
    )


class MergeOrderSchema(Schema):
    """Into which order another one goes."""

    into = fields.String(required=True, validate=ID)
    reason = Words("原因，必填")


class BatchItemSchema(Schema):
    """One order of a batch, in the version that was seen."""

    id = fields.String(required=True, validate=ID)
    etag = fields.String(required=True, validate=ETAG)


class OrderBatchSchema(AddresseeSchema):
    """One step with many orders."""

    verb = fields.String(required=True, validate=validate.OneOf(BATCH_VERBS))
    items = fields.List(fields.Nested(BatchItemSchema), required=True, validate=validate.Length(1, MOST_IN_BATCH))


class OrderReplySchema(Schema):
    """The text part of a reply."""

    note = Words("处置说明", 1000)
    longitude = fields.Float(validate=validate.Range(-180, 180))
    latitude = fields.Float(validate=validate.Range(-90, 90))
    accuracy = fields.Float(validate=validate.Range(0, 100_000), metadata=told("定位精度（米）"))


class StatisticsArgs(Schema):
    """Which figures."""

    by = fields.String(
        load_default="unit",
        validate=validate.OneOf(("unit", "area", "kind")),
        metadata=told("unit 处置单位，area 下级区域，kind 类型"),
    )
    since = fields.AwareDateTime(metadata=told("上报不早于；不填为近 30 日"))
    until = fields.AwareDateTime(metadata=told("上报早于"))
    within = fields.String(load_default="", validate=validate.Regexp(r"^[0-9A-Za-z/]{0,200}\Z"))

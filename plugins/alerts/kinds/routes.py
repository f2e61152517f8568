"""The API of vendors' codes, of what waits for one, and of quiet windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from marshmallow import Schema, fields, validate

from backend.plugin_api import (
    Blueprint,
    PageArgs,
    check_if_match,
    current_principal,
    idempotent,
    if_match,
    may_answer,
    paged,
    read_page,
    requires,
    scope_filter,
    utcnow,
)
from plugins.alerts.kinds.catalogue import district_for
from plugins.alerts.kinds.models import QUIET_REASONS, QuietWindow
from plugins.alerts.kinds.upkeep import end_quiet, find_quiet, map_code, set_quiet, vendor_codes, waiting_codes

blueprint = Blueprint("alert_upkeep", __name__, url_prefix="/api/v1", description="预警事件维护")

AREA = validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域路径有误。")


class VendorCodeSchema(Schema):
    """What a vendor's code means."""

    vendor = fields.String(
        load_default="", validate=validate.Length(max=32), metadata={"description": "厂商标识，推送内容中的 vendor"}
    )
    code = fields.String(
        required=True, validate=validate.Length(1, 128), metadata={"description": "厂商的事件编码，原样填写"}
    )
    kind = fields.String(required=True, validate=validate.Length(1, 32), metadata={"description": "事件类型编码"})


class VendorCodesSchema(Schema):
    """All of them."""

    items = fields.List(fields.Nested(VendorCodeSchema))


class WaitingCodeSchema(Schema):
    """A code that nobody has mapped."""

    vendor = fields.String()
    code = fields.String()
    count = fields.Integer()
    last_at = fields.DateTime()
    device = fields.String(allow_none=True)
    point_name = fields.String(allow_none=True)
    note = fields.String(allow_none=True)


class WaitingCodesSchema(Schema):
    """All of them, the latest first."""

    items = fields.List(fields.Nested(WaitingCodeSchema))


class QuietSchema(Schema):
    """A quiet window; device, point and kind narrow it where they are given."""

    id = fields.String(dump_only=True)
    etag = fields.String(dump_only=True)
    area = fields.String(required=True, validate=AREA, metadata={"description": "区域路径"})
    purpose = fields.String(
        required=True,
        validate=validate.OneOf(tuple(QUIET_REASONS)),
        metadata={"description": "、".join(f"{code} {title}" for code, title in QUIET_REASONS.items())},
    )
    purpose_title = fields.String(dump_only=True)
    device = fields.String(allow_none=True, validate=validate.Length(max=64), metadata={"description": "设备编码"})
    point = fields.String(allow_none=True, validate=validate.Length(max=32), metadata={"description": "点位编码"})
    kind = fields.String(allow_none=True, validate=validate.Length(max=32), metadata={"description": "事件类型编码"})
    since = fields.AwareDateTime(metadata={"description": "开始，默认现在"})
    until = fields.AwareDateTime(required=True, metadata={"description": "结束"})
    reason = fields.String(required=True, validate=validate.Length(2, 200), metadata={"description": "原因"})
    set_by_name = fields.String(dump_only=True)


class QuietArgs(PageArgs):
    """Which quiet windows."""

    active = fields.Boolean(metadata={"description": "true：只要尚未结束的"})


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a quiet window as clients see it."""
    names = ("area", "purpose", "device", "point", "kind", "since", "until", "reason", "set_by_name")
    return {
        **{name: row.get(name) for name in names},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "purpose_title": QUIET_REASONS[row["purpose"]],
    }


@blueprint.route("/alert-vendor-codes", methods=["GET"])
@requires("alerts:edit")
@blueprint.response(200, VendorCodesSchema, ready=True)
def list_vendor_codes() -> dict[str, Any]:
    """各厂商事件编码的含义."""
    return {"items": vendor_codes(district_for(current_principal()))}


@blueprint.route("/alert-vendor-codes", methods=["PUT"])
@requires("alerts:edit")
@may_answer("unknown_kind")
@blueprint.arguments(VendorCodeSchema)
@blueprint.response(200, VendorCodeSchema, ready=True)
def put_vendor_code(asked: dict[str, str]) -> dict[str, Any]:
    """指定一个厂商编码对应的事件类型；此前待归类的推送随后自动计入."""
    by = current_principal()
    return map_code(by, district_for(by), asked["vendor"], asked["code"], asked["kind"])


@blueprint.route("/alert-waiting-codes", methods=["GET"])
@requires("alerts:handle")
@blueprint.response(200, WaitingCodesSchema, ready=True)
def list_waiting_codes() -> dict[str, Any]:
    """待归类的厂商编码."""
    return {"items": waiting_codes(current_principal())}


@blueprint.route("/alert-quiet-windows", methods=["GET"])
@requires("alerts:view")
@blueprint.arguments(QuietArgs, location="query")
@blueprint.response(200, paged(QuietSchema), ready=True)
def list_quiet(asked: dict[str, Any]) -> dict[str, Any]:
    """屏蔽和检修时段，新的在前."""
    scope = scope_filter(current_principal(), "alerts:view")
    query = {"$and": [scope, {"until": {"$gt": utcnow()}}]} if asked.pop("active", False) else scope
    return read_page(QuietWindow._get_collection(), query, sort=(("_id", -1),), **asked).shown(shown)


@blueprint.route("/alert-quiet-windows", methods=["POST"])
@requires("alerts:handle")
@idempotent
@blueprint.arguments(QuietSchema)
@blueprint.response(201, QuietSchema, ready=True)
def add_quiet(asked: dict[str, Any]) -> dict[str, Any]:
    """设置屏蔽或检修时段：期间只留存，不生成事件."""
    return shown(set_quiet(current_principal(), asked))


@blueprint.route("/alert-quiet-windows/<record_id:window_id>/end", methods=["POST"])
@requires("alerts:handle")
@if_match
@blueprint.response(200, QuietSchema, ready=True)
def stop_quiet(window_id: ObjectId) -> dict[str, Any]:
    """提前结束屏蔽或检修."""
    by = current_principal()
    window = find_quiet(by, window_id)
    check_if_match(window)
    return shown(end_quiet(by, window, utcnow()))

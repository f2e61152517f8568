"""The API of alerts for people: list, detail, report and handle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bson import ObjectId
from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend.plugin_api import (
    AlertReport,
    Blueprint,
    Problem,
    audit,
    check_if_match,
    current_principal,
    district_of,
    idempotent,
    if_match,
    may_answer,
    open_blob,
    paged,
    permitted,
    put_blob,
    read_page,
    read_photo,
    require,
    requires,
    scope_filter,
    utcnow,
    write_table,
)
from plugins.alerts.alerts import handling
from plugins.alerts.alerts.handling import find_alert
from plugins.alerts.alerts.models import Alert, Sighting
from plugins.alerts.alerts.nearness import nearby
from plugins.alerts.alerts.orders import open_order
from plugins.alerts.alerts.reading import (
    VIEW,
    conditions,
    detail,
    feature,
    find_picture,
    find_sightings,
    open_counts,
    sighting,
    summary,
)
from plugins.alerts.alerts.schemas import (
    AlertCountsSchema,
    AlertDetailSchema,
    AlertFilters,
    AlertListArgs,
    AlertMergeSchema,
    AlertOrderSchema,
    AlertReasonSchema,
    AlertSchema,
    AlertTableSchema,
    BulkResultSchema,
    BulkSchema,
    ExportArgs,
    KindSchema,
    NearbyArgs,
    ReportSchema,
    SightingSchema,
)
from plugins.alerts.intake.reports import take_report, whereabouts
from plugins.alerts.kinds.catalogue import catalogue, district_for
from plugins.alerts.kinds.defaults import CATEGORIES, SEVERITIES

blueprint = Blueprint("alerts", __name__, url_prefix="/api/v1/alerts", description="预警事件")

NEWEST_FIRST = (("_id", -1),)
MOST_ON_MAP = 2000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def listed(name: str, item: type[Schema]) -> type[Schema]:
    """Return the schema of a short list that has no pages."""
    items: dict[str, fields.Field[Any]] = {"items": fields.List(fields.Nested(item))}
    return Schema.from_dict(items, name=name)


class AlertMapSchema(Schema):
    """A GeoJSON FeatureCollection."""

    type = fields.String()
    features = fields.List(fields.Dict())


class PhotosSchema(Schema):
    """Photos of an alert."""

    photos = fields.List(Upload(), required=True, validate=validate.Length(1, 9), metadata={"description": "1 至 9 张"})


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(AlertListArgs, location="query")
@blueprint.response(200, paged(AlertSchema), ready=True)
def list_alerts(asked: dict[str, Any]) -> dict[str, Any]:
    """查询预警事件，新的在前."""
    paging = {name: asked.pop(name) for name in ("cursor", "limit", "count") if name in asked}
    query = conditions(current_principal(), asked)
    return read_page(Alert._get_collection(), query, sort=NEWEST_FIRST, **paging).shown(summary)


@blueprint.route("", methods=["POST"])
@requires("alerts:report")
@idempotent
@may_answer("unknown_place", "unknown_kind")
@blueprint.arguments(ReportSchema)
@blueprint.response(201, AlertDetailSchema, ready=True)
def report_alert(asked: dict[str, Any]) -> dict[str, Any]:
    """上报事件；同一点位同类事件在防抖窗口内计入已有事件."""
    by, now = current_principal(), utcnow()
    report = AlertReport(
        kind=asked["kind"],
        source="person",
        event_id=asked.get("event_id") or str(ObjectId()),
        at=asked.get("at") or now,
        point=asked.get("point", ""),
        area=asked.get("area", ""),
        lon=asked.get("longitude"),
        lat=asked.get("latitude"),
        note=asked["note"],
        reporter=str(by.id),
    )
    where = whereabouts(report)
    require(by, "alerts:report", where["area"], where.get("organisation"))
    if report.kind not in catalogue(district_of(where["area"])).kinds:
        raise Problem("unknown_kind")
    taken = take_report(report)
    if taken.alert is None:
        raise Problem("kept_quiet")
    row = Alert._get_collection().find_one({"_id": taken.alert})
    assert row is not None  # noqa: S101 - it was written, or counted into, just now
    return detail(by, row)


@blueprint.route("/counts", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, AlertCountsSchema, ready=True)
def count_alerts() -> dict[str, int]:
    """未了结事件的数量，按状态；至多数到 1000."""
    return open_counts(current_principal())


@blueprint.route("/kinds", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, listed("AlertKindChoices", KindSchema), ready=True)
def list_kinds() -> dict[str, Any]:
    """本区在用的事件类型，供筛选和上报选择."""
    kinds = catalogue(district_for(current_principal())).kinds
    names = ("code", "name", "severity", "category", "role", "proof")
    items = [
        {
            **{name: kind[name] for name in names},
            "severity_title": SEVERITIES[kind["severity"]],
            "category_title": CATEGORIES[kind["category"]],
        }
        for _, kind in sorted(kinds.items())
    ]
    return {"items": items}


@blueprint.route("/map", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(AlertFilters, location="query")
@blueprint.response(200, AlertMapSchema, ready=True)
def map_alerts(asked: dict[str, Any]) -> dict[str, Any]:
    """事件点位（GeoJSON），至多 2000 个，新的优先."""
    query = conditions(current_principal(), asked)
    rows = Alert._get_collection().find(query).sort("_id", -1).limit(MOST_ON_MAP)
    return {"type": "FeatureCollection", "features": [each for row in rows if (each := feature(row))]}


@blueprint.route("/export", methods=["GET"])
@requires("alerts:export")
@blueprint.arguments(ExportArgs, location="query")
@blueprint.response(200, content_type=XLSX)
@blueprint.doc(responses={"200": {"content": {kind: {"schema": {"type": "string"}} for kind in (XLSX, "text/csv")}}})
def export_alerts(asked: dict[str, Any]) -> Response:
    """导出预警事件（xlsx 或 csv）."""
    kind = asked.pop("format")
    query = conditions(current_principal(), asked, "alerts:export")
    audit.record("alerts.alert.export", subject="alerts.alert", subject_id="", area=asked.get("within", ""))
    rows = Alert._get_collection().find(query).sort("_id", -1).batch_size(1000)
    lines: Iterator[dict[str, Any]] = (summary(row) for row in rows)
    return write_table(AlertTableSchema, lines, title="预警事件", kind=kind)


@blueprint.route("/bulk", methods=["POST"])
@requires("alerts:handle")
@blueprint.arguments(BulkSchema)
@blueprint.response(200, listed("AlertBulkResults", BulkResultSchema), ready=True)
def handle_many(asked: dict[str, Any]) -> dict[str, Any]:
    """批量确认、排除或办结；逐条给出结果，一条失败不影响其他."""
    ids = [ObjectId(each) for each in asked["ids"]]
    return {"items": handling.many(current_principal(), ids, asked["verb"], asked["reason"])}


@blueprint.route("/<record_id:alert_id>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, AlertDetailSchema, ready=True)
def get_alert(alert_id: ObjectId) -> dict[str, Any]:
    """查看预警事件及其处理经过."""
    by = current_principal()
    row = Alert._get_collection().find_one(
        {"$and": [{"_id": alert_id}, scope_filter(by, VIEW, organisation_field="organisation")]}
    )
    if row is None:
        raise Problem("not_found")
    return detail(by, row)


def add_step(verb: str, summary_text: str) -> None:
    """Add the route of a step that a person takes."""

    @requires("alerts:handle")
    @if_match
    @may_answer("conflict")
    @blueprint.arguments(AlertReasonSchema)
    @blueprint.response(200, AlertDetailSchema, ready=True)
    def take_step(asked: dict[str, str], alert_id: ObjectId) -> dict[str, Any]:
        by = current_principal()
        alert = find_alert(by, alert_id)
        check_if_match(alert)
        step = handling.split if verb == "split" else None
        after = step(by, alert, asked["reason"]) if step else handling.step(by, alert, verb, asked["reason"])
        return detail(by, after.to_mongo())

    take_step.__name__, take_step.__doc__ = f"{verb}_alert", summary_text
    blueprint.route(f"/<record_id:alert_id>/{verb}", methods=["POST"], endpoint=f"{verb}_alert")(take_step)


add_step("confirm", "确认低置信度事件属实.")
add_step("dismiss", "排除事件（误报等），须填原因.")
add_step("close", "直接办结事件，须填办理情况.")
add_step("reopen", "重新打开已排除或已办结的事件，时限重新计算.")
add_step("split", "把合并错的事件拆出来.")


@blueprint.route("/<record_id:alert_id>/order", methods=["POST"])
@requires("alerts:handle")
@may_answer("conflict", "no_work_orders")
@blueprint.response(200, AlertOrderSchema, ready=True)
def open_alert_order(alert_id: ObjectId) -> dict[str, Any]:
    """为事件开派单，给出单号和页面；已有派单的给出原单，重复提交不会重复开单."""
    by = current_principal()
    order = open_order(by, find_alert(by, alert_id))
    return {name: getattr(order, name) for name in ("number", "state", "handler", "href")}


@blueprint.route("/<record_id:alert_id>/merge", methods=["POST"])
@requires("alerts:handle")
@if_match
@may_answer("conflict", "not_mergeable")
@blueprint.arguments(AlertMergeSchema)
@blueprint.response(200, AlertDetailSchema, ready=True)
def merge_alert(asked: dict[str, str], alert_id: ObjectId) -> dict[str, Any]:
    """把事件并入另一起事件，次数和照片一并计入."""
    by = current_principal()
    alert = find_alert(by, alert_id)
    check_if_match(alert)
    return detail(by, handling.merge(by, alert, ObjectId(asked["into"]), asked["reason"]).to_mongo())


@blueprint.route("/<record_id:alert_id>/sightings", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(AlertListArgs(only=("cursor", "limit", "count")), location="query")
@blueprint.response(200, paged(SightingSchema), ready=True)
def list_sightings(asked: dict[str, Any], alert_id: ObjectId) -> dict[str, Any]:
    """事件的每一次发现，新的在前."""
    by = current_principal()
    query = find_sightings(find_alert(by, alert_id).id)
    order = (("at", -1), ("_id", -1))
    return read_page(Sighting._get_collection(), query, sort=order, **asked).shown(lambda row: sighting(by, row))


@blueprint.route("/<record_id:alert_id>/nearby", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(NearbyArgs, location="query")
@blueprint.response(200, listed("NearbyAlerts", AlertSchema), ready=True)
def list_nearby(asked: dict[str, Any], alert_id: ObjectId) -> dict[str, Any]:
    """附近前后一段时间内的其他事件."""
    by = current_principal()
    return {"items": [summary(row) for row in nearby(by, find_alert(by, alert_id), **asked)]}


@blueprint.route("/<record_id:alert_id>/photos", methods=["POST"])
@requires("alerts:report")
@idempotent
@may_answer("unreadable_image", "image_too_large")
@blueprint.arguments(PhotosSchema, location="files")
@blueprint.response(201, AlertDetailSchema, ready=True)
def add_photos(files: dict[str, Any], alert_id: ObjectId) -> dict[str, Any]:
    """为事件补充照片."""
    by, now = current_principal(), utcnow()
    alert = find_alert(by, alert_id)
    contents = [photo.read() for photo in files["photos"]]
    facts = [read_photo(content, f"photos.{number}") for number, content in enumerate(contents)]
    kept = [
        {
            "sha256": put_blob(content, media_type=fact.media_type, space=district_of(alert.area)).sha256,
            "media_type": fact.media_type,
            "at": now,
        }
        for content, fact in zip(contents, facts, strict=True)
    ]
    handling.add_pictures(by, alert, kept)
    row = Alert._get_collection().find_one({"_id": alert.id})
    return detail(by, row or {})


@blueprint.route("/<record_id:alert_id>/pictures/<string(length=64):sha256>", methods=["GET"])
@requires("alerts:reveal")
@blueprint.response(200, content_type="image/jpeg")
def get_picture(alert_id: ObjectId, sha256: str) -> Response:
    """查看现场图片；每次查看均留痕."""
    by = current_principal()
    alert = find_alert(by, alert_id)
    if not permitted(by, "alerts:reveal", alert.area):
        raise Problem("not_found")
    media_type = find_picture(alert, sha256)
    answer = Response(open_blob(sha256, space=district_of(alert.area)), mimetype=media_type)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer

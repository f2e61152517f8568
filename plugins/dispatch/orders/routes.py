"""The API of orders: find them, look at one, and take its steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId
from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend.plugin_api import (
    Blueprint,
    Problem,
    audit,
    check_if_match,
    current_principal,
    district_of,
    get_blob,
    home_of,
    idempotent,
    idempotent_in_portions,
    if_match,
    may_answer,
    paged,
    read_json,
    read_page,
    requires,
    scope_filter,
    utcnow,
    write_table,
)
from plugins.dispatch.figures import statistics
from plugins.dispatch.orders import steps
from plugins.dispatch.orders.answers import (
    BatchResultsSchema,
    CandidatesSchema,
    NearbyOrdersSchema,
    OrderCountsSchema,
    OrderDetailSchema,
    OrderSchema,
    OrderStatisticsSchema,
    OrderTableSchema,
)
from plugins.dispatch.orders.batches import batch
from plugins.dispatch.orders.listing import EPOCH, counts, exported, nearby
from plugins.dispatch.orders.models import DISPATCH, HANDLE, REPORT, VIEW, WorkOrder
from plugins.dispatch.orders.opening import report_order
from plugins.dispatch.orders.reading import LIST, conditions, names_for, order_of, shown, summary
from plugins.dispatch.orders.replying import reply
from plugins.dispatch.orders.schemas import (
    MOST_PHOTOS,
    AddresseeSchema,
    ExportArgs,
    MergeOrderSchema,
    NearbyArgs,
    NewOrderSchema,
    OrderBatchSchema,
    OrderFilters,
    OrderReplySchema,
    StatisticsArgs,
    TakeStepSchema,
)
from plugins.dispatch.orders.targets import candidates, chosen

EXPORT = "dispatch:export"
blueprint = Blueprint("work_orders", __name__, url_prefix="/api/v1/work-orders", description="派单处置")

SORTS = {"newest": (("_id", -1),), "oldest": (("_id", 1),), "due": (("due_at", 1), ("_id", 1))}
STEP_CODES = (
    "conflict",
    "reason_missing",
    "own_work",
    "not_your_order",
    "order_taken",
    "no_handler",
    "extension_pending",
)


class ReplyForm(Schema):
    """The text part of a reply's form."""

    metadata = fields.String(required=True, metadata={"description": "JSON，见 Reply"})


class ReplyPhotos(Schema):
    """The photos of a reply."""

    before = fields.List(Upload(), load_default=list, validate=validate.Length(0, MOST_PHOTOS))
    after = fields.List(Upload(), load_default=list, validate=validate.Length(0, MOST_PHOTOS))


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(OrderFilters, location="query")
@blueprint.response(200, paged(OrderSchema), ready=True)
def list_orders(asked: dict[str, Any]) -> dict[str, Any]:
    """查询派单."""
    cursor, limit, count = asked.pop("cursor", None), asked.pop("limit"), asked.pop("count")
    order = asked.pop("order")
    query = conditions(current_principal(), asked)
    if order == "due":
        query = {"$and": [query, {"due_at": {"$gt": EPOCH}}]} if query else {"due_at": {"$gt": EPOCH}}
    page = read_page(
        WorkOrder._get_collection(), query, sort=SORTS[order], cursor=cursor, limit=limit, count=count, projection=LIST
    )
    names = names_for(page.items)
    return page.shown(lambda row: summary(row, names))


@blueprint.route("", methods=["POST"])
@requires(REPORT)
@idempotent
@blueprint.arguments(NewOrderSchema)
@blueprint.response(201, OrderDetailSchema)
def create_order(values: dict[str, Any]) -> dict[str, Any]:
    """上报派单."""
    by = current_principal()
    return shown(by, report_order(by, values))


@blueprint.route("/counts", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, OrderCountsSchema)
def count_orders() -> dict[str, int]:
    """查询各环节待办数量."""
    return counts(current_principal())


@blueprint.route("/nearby", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(NearbyArgs, location="query")
@blueprint.response(200, NearbyOrdersSchema)
def list_nearby(asked: dict[str, Any]) -> dict[str, Any]:
    """由近及远查询未办结的派单."""
    return {"items": nearby(current_principal(), **asked)}


@blueprint.route("/export", methods=["GET"])
@requires(EXPORT)
@blueprint.arguments(ExportArgs, location="query")
@blueprint.response(200, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def export_orders(asked: dict[str, Any]) -> Response:
    """导出派单."""
    by, kind = current_principal(), asked.pop("format")
    query = conditions(by, asked, EXPORT)
    audit.record("dispatch.order.export", subject="dispatch.order", subject_id="", area=asked.get("within", ""))
    return write_table(OrderTableSchema, exported(query), title="派单", kind=kind)


@blueprint.route("/statistics", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(StatisticsArgs, location="query")
@blueprint.response(200, OrderStatisticsSchema)
def get_statistics(asked: dict[str, Any]) -> dict[str, Any]:
    """查询立案、处置、按期、结案、返工等统计，按单位、区域或类型."""
    by = current_principal()
    since = asked.get("since") or utcnow() - timedelta(days=30)
    area = asked["within"] or home_of(by)
    scope = scope_filter(by, VIEW, within=area)
    return {"items": statistics(asked["by"], area, scope, since, asked.get("until")), "since": since}


@blueprint.route("/batches", methods=["POST"])
@requires(VIEW)
@idempotent_in_portions
@blueprint.arguments(OrderBatchSchema)
@blueprint.response(200, BatchResultsSchema)
def take_batch(asked: dict[str, Any]) -> dict[str, Any]:
    """批量办理，至多 100 件；逐件给出结果."""
    return batch(current_principal(), asked["verb"], asked["items"], asked)


@blueprint.route("/<record_id:order_id>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, OrderDetailSchema)
def get_order(order_id: ObjectId) -> dict[str, Any]:
    """查看派单、回单、经过和可用的操作."""
    by = current_principal()
    return shown(by, order_of(by, order_id))


@blueprint.route("/<record_id:order_id>/candidates", methods=["GET"])
@requires(DISPATCH)
@blueprint.response(200, CandidatesSchema)
def list_candidates(order_id: ObjectId) -> dict[str, Any]:
    """查询可以派给谁和各自在办数量，建议的排在最前."""
    return {"items": candidates(order_of(current_principal(), order_id))}


@blueprint.route("/<record_id:order_id>/dispatch", methods=["POST"])
@requires(DISPATCH)
@idempotent
@if_match
@may_answer(*STEP_CODES)
@blueprint.arguments(AddresseeSchema)
@blueprint.response(200, OrderDetailSchema)
def dispatch_order(asked: dict[str, str], order_id: ObjectId) -> dict[str, Any]:
    """一键派单：立案并派给建议的处置对象，或指定的人员、单位、岗位；已派出的改派."""
    by, order = current_principal(), seen(order_id)
    return shown(by, steps.dispatch(by, order, chosen(order.area, asked), asked["reason"]))


@blueprint.route("/<record_id:order_id>/take", methods=["POST"])
@requires(HANDLE)
@idempotent
@if_match
@may_answer(*STEP_CODES)
@blueprint.response(200, OrderDetailSchema)
def take_order(order_id: ObjectId) -> dict[str, Any]:
    """接单；已被他人接走时答 409."""
    by = current_principal()
    order = order_of(by, order_id)
    if order.state == "dispatched":
        check_if_match(order)
    return shown(by, steps.take(by, order))


@blueprint.route("/<record_id:order_id>/steps", methods=["POST"])
@requires(VIEW)
@idempotent
@if_match
@may_answer(*STEP_CODES)
@blueprint.arguments(TakeStepSchema)
@blueprint.response(200, OrderDetailSchema)
def take_step(asked: dict[str, Any], order_id: ObjectId) -> dict[str, Any]:
    """办理一个环节：立案、退回、核查、挂账、延期、结案等；各环节分别需要相应权限."""
    by, order = current_principal(), seen(order_id)
    return shown(by, steps.take_step(by, order, asked["verb"], reason=asked["reason"], minutes=asked["minutes"]))


@blueprint.route("/<record_id:order_id>/merge", methods=["POST"])
@requires(DISPATCH)
@idempotent
@if_match
@may_answer(*STEP_CODES)
@blueprint.arguments(MergeOrderSchema)
@blueprint.response(200, OrderDetailSchema)
def merge_order(asked: dict[str, str], order_id: ObjectId) -> dict[str, Any]:
    """并入另一个未办结的派单，返回后者."""
    by, order = current_principal(), seen(order_id)
    return shown(by, steps.merge(by, order, order_of(by, ObjectId(asked["into"])), asked["reason"]))


@blueprint.route("/<record_id:order_id>/replies", methods=["POST"])
@requires(HANDLE)
@idempotent_in_portions
@if_match
@may_answer(
    *STEP_CODES, "proof_missing", "too_far_away", "unreadable_image", "image_too_large", "malformed_json",
    "json_too_deep",
)  # fmt: skip
@blueprint.arguments(ReplyForm, location="form")
@blueprint.arguments(ReplyPhotos, location="files")
@blueprint.response(201, OrderDetailSchema)
def reply_to_order(form: dict[str, str], files: dict[str, Any], order_id: ObjectId) -> dict[str, Any]:
    """回单：处置说明、前后照片和现场位置；缺少该类型所需的证明时答 422."""
    by, order = current_principal(), seen(order_id)
    given = OrderReplySchema().load(read_json(form["metadata"].encode()))
    photos = {stage: [photo.read() for photo in files[stage]] for stage in ("before", "after")}
    return shown(by, reply(by, order, given, photos))


@blueprint.route("/<record_id:order_id>/pictures/<string:sha256>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, content_type="image/jpeg")
def get_picture(order_id: ObjectId, sha256: str) -> Response:
    """查看回单照片."""
    order = order_of(current_principal(), order_id)
    found = next((each for answer in order.replies for each in answer.pictures if each.sha256 == sha256), None)
    if found is None:
        raise Problem("not_found")
    photo = get_blob(sha256, space=district_of(order.area))
    return Response(photo, mimetype=found.media_type, headers={"Cache-Control": "private, max-age=86400"})


def seen(order_id: ObjectId) -> WorkOrder:
    """Return an order in the version that the client saw; raises Problem `not_found` or `stale_version`."""
    order = order_of(current_principal(), order_id)
    check_if_match(order)
    return order

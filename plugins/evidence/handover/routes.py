"""The API of hand-overs: begin one, fetch the package, confirm the receipt."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bson import ObjectId
from flask import Response

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
)
from plugins.evidence.cases.reading import case_of
from plugins.evidence.handover import handing
from plugins.evidence.handover.handing import HAND_OVER, RECEIVE, VIEW, hand_over_of, summary
from plugins.evidence.handover.models import HandOver
from plugins.evidence.handover.schemas import (
    HandingSchema,
    HandOverFilters,
    HandOverSchema,
    PackagePurpose,
    ReceivingSchema,
)

blueprint = Blueprint("evidence_hand_overs", __name__, url_prefix="/api/v1/evidence", description="移送执法")

NEWEST_FIRST = (("_id", -1),)


class HandOverList(PageArgs, HandOverFilters):
    """The query of the list of hand-overs."""


@blueprint.route("/cases/<record_id:case_id>/hand-over", methods=["POST"])
@requires(HAND_OVER)
@idempotent
@if_match
@may_answer("conflict", "not_penalty_evidence")
@blueprint.arguments(HandingSchema)
@blueprint.response(202, HandOverSchema)
def hand_case_over(asked: dict[str, str], case_id: ObjectId) -> dict[str, Any]:
    """把已确认的案件移送执法；移送包在后台制作."""
    by = current_principal()
    case = case_of(by, case_id, HAND_OVER)
    check_if_match(case)
    return summary(handing.hand_over(by, case, asked["kind"], asked["purpose"], asked["recipient"]).to_mongo())


@blueprint.route("/hand-overs", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(HandOverList, location="query")
@blueprint.response(200, paged(HandOverSchema))
def list_hand_overs(asked: dict[str, Any]) -> dict[str, Any]:
    """查询移送记录，新的在前."""
    query: dict[str, Any] = {name: asked[name] for name in ("state", "kind") if name in asked}
    if "case" in asked:
        query["case"] = ObjectId(asked["case"])
    scope = scope_filter(current_principal(), VIEW, within=asked.get("within", ""))
    page = read_page(
        HandOver._get_collection(),
        {"$and": [query, scope]},
        sort=NEWEST_FIRST,
        cursor=asked.get("cursor"),
        limit=asked["limit"],
        count=asked["count"],
    )
    return page.shown(summary)


@blueprint.route("/hand-overs/<record_id:hand_over_id>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, HandOverSchema)
def get_hand_over(hand_over_id: ObjectId) -> dict[str, Any]:
    """查看移送记录."""
    return summary(hand_over_of(current_principal(), hand_over_id, VIEW).to_mongo())


@blueprint.route("/hand-overs/<record_id:hand_over_id>/retry", methods=["POST"])
@requires(HAND_OVER)
@if_match
@may_answer("conflict")
@blueprint.response(202, HandOverSchema)
def retry_hand_over(hand_over_id: ObjectId) -> dict[str, Any]:
    """重新制作失败的移送包."""
    record = hand_over_of(current_principal(), hand_over_id, HAND_OVER)
    check_if_match(record)
    return summary(handing.again(record).to_mongo())


@blueprint.route("/hand-overs/<record_id:hand_over_id>/package", methods=["GET"])
@requires(VIEW)
@may_answer("purpose_required", "package_not_ready", "forbidden", "evidence_deleted")
@blueprint.arguments(PackagePurpose, location="query")
@blueprint.response(200, content_type="application/zip")
def get_package(asked: dict[str, str], hand_over_id: ObjectId) -> Response:
    """下载移送包；须有移送或签收权限并填写原因，每次下载均留痕."""
    by = current_principal()
    record, content = handing.fetch(by, hand_over_of(by, hand_over_id, HAND_OVER, RECEIVE), asked["purpose"])
    answer = Response(content, mimetype="application/zip")
    answer.headers["Content-Length"] = str(record.package.size)
    answer.headers["Cache-Control"] = "private, no-store"
    name = quote(f"移送包-{record.case_number}.zip")
    answer.headers["Content-Disposition"] = f"attachment; filename=\"package.zip\"; filename*=UTF-8''{name}"
    return answer


@blueprint.route("/hand-overs/<record_id:hand_over_id>/receipt", methods=["POST"])
@requires(RECEIVE)
@idempotent
@if_match
@may_answer("conflict", "package_not_ready")
@blueprint.arguments(ReceivingSchema)
@blueprint.response(201, HandOverSchema)
def confirm_receipt(given: dict[str, str], hand_over_id: ObjectId) -> dict[str, Any]:
    """签收移送包."""
    by = current_principal()
    record = hand_over_of(by, hand_over_id, RECEIVE)
    check_if_match(record)
    return summary(handing.receive(by, record, given["unit"], given["note"]).to_mongo())

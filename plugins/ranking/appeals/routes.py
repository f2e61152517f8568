"""The API of appeals."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Response

from backend.plugin_api import (
    Blueprint,
    check_if_match,
    current_principal,
    idempotent,
    idempotent_in_portions,
    if_match,
    may_answer,
    paged,
    read_page,
    requires,
)
from plugins.ranking.appeals.deciding import decide
from plugins.ranking.appeals.filing import file_appeal, withdraw
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.appeals.reading import appeal_line, appeal_of, appeal_view, conditions
from plugins.ranking.appeals.schemas import (
    AppealDecisionSchema,
    AppealDetailSchema,
    AppealFilters,
    AppealForm,
    AppealSchema,
)
from plugins.ranking.ledger import photos as pictures
from plugins.ranking.ledger.reading import charge_of, names_for
from plugins.ranking.ledger.schemas import AssessmentPhotosForm
from plugins.ranking.points import APPEAL, DECIDE, VIEW

blueprint = Blueprint(
    "assessment_appeals", __name__, url_prefix="/api/v1/assessment-appeals", description="小区考核申诉"
)


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(AppealFilters, location="query")
@blueprint.response(200, paged(AppealSchema))
def list_appeals(asked: dict[str, Any]) -> dict[str, Any]:
    """查询申诉，最近提出的在前."""
    cursor, limit, count = asked.pop("cursor", None), asked.pop("limit"), asked.pop("count")
    query = conditions(current_principal(), asked)
    newest = (("filed_at", -1), ("_id", -1))
    page = read_page(Appeal._get_collection(), query, sort=newest, cursor=cursor, limit=limit, count=count)
    names = names_for(page.items)
    return page.shown(lambda row: appeal_line(row, names))


@blueprint.route("", methods=["POST"])
@requires(APPEAL)
@idempotent_in_portions
@may_answer(
    "nothing_to_appeal", "appeal_exists", "appeal_too_late", "conflict", "not_found", "unreadable_image",
    "image_too_large", "forbidden", "module_off",
)  # fmt: skip
@blueprint.arguments(AppealForm, location="form")
@blueprint.arguments(AssessmentPhotosForm, location="files")
@blueprint.response(201, AppealDetailSchema)
def create_appeal(form: dict[str, str], files: dict[str, Any]) -> dict[str, Any]:
    """对一项扣分提出申诉，可附照片；每项扣分一次."""
    by = current_principal()
    charge = charge_of(by, ObjectId(form["charge"]))
    return appeal_view(by, file_appeal(by, charge, form["reason"], [photo.read() for photo in files["photos"]]))


@blueprint.route("/<record_id:appeal_id>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, AppealDetailSchema)
def get_appeal(appeal_id: ObjectId) -> dict[str, Any]:
    """查看申诉."""
    by = current_principal()
    return appeal_view(by, appeal_of(by, appeal_id))


@blueprint.route("/<record_id:appeal_id>/decision", methods=["POST"])
@requires(DECIDE)
@idempotent
@if_match
@may_answer("own_decision", "conflict", "forbidden", "module_off")
@blueprint.arguments(AppealDecisionSchema)
@blueprint.response(200, AppealDetailSchema)
def decide_appeal(asked: dict[str, str], appeal_id: ObjectId) -> dict[str, Any]:
    """裁决申诉；成立的同时冲销扣分。作出扣分的人不能裁决."""
    by = current_principal()
    appeal = appeal_of(by, appeal_id)
    check_if_match(appeal)
    return appeal_view(by, decide(by, appeal, asked["verb"], asked["reason"]))


@blueprint.route("/<record_id:appeal_id>/withdrawal", methods=["POST"])
@requires(APPEAL)
@idempotent
@if_match
@may_answer("conflict", "forbidden", "module_off")
@blueprint.response(200, AppealDetailSchema)
def withdraw_appeal(appeal_id: ObjectId) -> dict[str, Any]:
    """撤回申诉，扣分仍然有效."""
    by = current_principal()
    appeal = appeal_of(by, appeal_id)
    check_if_match(appeal)
    return appeal_view(by, withdraw(by, appeal))


@blueprint.route("/<record_id:appeal_id>/photos/<int:number>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, content_type="image/jpeg")
def get_appeal_photo(appeal_id: ObjectId, number: int) -> Response:
    """查看申诉所附的照片."""
    appeal = appeal_of(current_principal(), appeal_id)
    return pictures.answer(appeal.photos, number, appeal.area)

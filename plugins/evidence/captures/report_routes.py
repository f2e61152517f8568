"""The API of people's reports, and of who is behind them."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import request

from backend.plugin_api import (
    Blueprint,
    Forbidden,
    PageArgs,
    check_if_match,
    current_principal,
    idempotent,
    idempotent_in_portions,
    if_match,
    may_answer,
    paged,
    permitted,
    read_json,
    read_page,
    requires,
)
from plugins.evidence.captures.forms import MetadataForm, PhotosForm, photos_of
from plugins.evidence.captures.models import Capture, ReporterRequest
from plugins.evidence.captures.reading import receipt
from plugins.evidence.captures.reporters import (
    CUSTODIAN,
    REVIEW,
    ask,
    find_request,
    open_reporter,
    refuse,
    request_view,
    requests_for,
)
from plugins.evidence.captures.reports import REPORT, own_reports, report_views, take_in_report
from plugins.evidence.captures.schemas import (
    OwnReportSchema,
    ReceiptSchema,
    ReporterReasonSchema,
    ReporterRequestSchema,
    ReporterSchema,
    ReportSchema,
)

blueprint = Blueprint("evidence_reports", __name__, url_prefix="/api/v1/evidence", description="违规上报")

NEWEST_FIRST = (("_id", -1),)


@blueprint.route("/reports", methods=["POST"])
@requires(REPORT)
@idempotent_in_portions
@may_answer(
    "device_time_in_future", "device_time_too_old", "unreadable_image", "image_too_large", "unreadable_clip",
    "clip_too_long", "clip_too_large", "event_id_reused", "unknown_point", "no_point_near", "upload_unfinished",
    "not_found", "malformed_json", "json_too_deep",
)  # fmt: skip
@blueprint.arguments(MetadataForm, location="form")
@blueprint.arguments(PhotosForm, location="files")
@blueprint.response(202, ReceiptSchema)
def send_report(form: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    """上报一次违规；居民和志愿者的身份加密保存，不对复核人员显示."""
    told = ReportSchema().load(read_json(form["metadata"].encode()))
    key = request.headers.get("Idempotency-Key", "")
    address = request.remote_addr or ""
    return receipt(take_in_report(current_principal(), told, photos_of(files), key=key, address=address))


@blueprint.route("/my-reports", methods=["GET"])
@requires(REPORT)
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, paged(OwnReportSchema))
def list_own_reports(asked: dict[str, Any]) -> dict[str, Any]:
    """查询自己的上报和办理情况."""
    page = read_page(Capture._get_collection(), own_reports(current_principal()), sort=NEWEST_FIRST, **asked)
    shown = page.shown(dict)
    return {**shown, "items": report_views(page.items)}


@blueprint.route("/captures/<record_id:capture_id>/reporter-requests", methods=["POST"])
@requires(REVIEW)
@idempotent
@may_answer("not_found", "no_reporter")
@blueprint.arguments(ReporterReasonSchema)
@blueprint.response(201, ReporterRequestSchema)
def ask_for_reporter(asked: dict[str, str], capture_id: ObjectId) -> dict[str, Any]:
    """申请查看举报人；由保管人决定."""
    return request_view(ask(current_principal(), capture_id, asked["reason"]))


@blueprint.route("/captures/<record_id:capture_id>/reporter-requests", methods=["GET"])
@requires()
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, paged(ReporterRequestSchema))
def list_reporter_requests(asked: dict[str, Any], capture_id: ObjectId) -> dict[str, Any]:
    """查询一条取证记录的查看举报人申请."""
    return _requests(asked, capture_id)


@blueprint.route("/reporter-requests", methods=["GET"])
@requires()
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, paged(ReporterRequestSchema))
def list_all_reporter_requests(asked: dict[str, Any]) -> dict[str, Any]:
    """查询查看举报人的申请，新的在前."""
    return _requests(asked, None)


@blueprint.route("/captures/<record_id:capture_id>/reporter-requests/<record_id:request_id>/open", methods=["POST"])
@requires(CUSTODIAN)
@if_match
@may_answer("conflict", "no_reporter")
@blueprint.arguments(ReporterReasonSchema)
@blueprint.response(200, ReporterSchema)
def open_reporter_request(asked: dict[str, str], capture_id: ObjectId, request_id: ObjectId) -> dict[str, Any]:
    """查看举报人；申请人本人不能操作，每项申请只能查看一次."""
    by = current_principal()
    wanted = find_request(by, capture_id, request_id)
    check_if_match(wanted)
    return open_reporter(by, wanted, asked["reason"])


@blueprint.route("/captures/<record_id:capture_id>/reporter-requests/<record_id:request_id>/refuse", methods=["POST"])
@requires(CUSTODIAN)
@if_match
@may_answer("conflict")
@blueprint.arguments(ReporterReasonSchema)
@blueprint.response(200, ReporterRequestSchema)
def refuse_reporter_request(asked: dict[str, str], capture_id: ObjectId, request_id: ObjectId) -> dict[str, Any]:
    """拒绝查看举报人的申请."""
    by = current_principal()
    wanted = find_request(by, capture_id, request_id)
    check_if_match(wanted)
    return request_view(refuse(by, wanted, asked["reason"]))


def _requests(asked: dict[str, Any], capture_id: ObjectId | None) -> dict[str, Any]:
    by = current_principal()
    if not (permitted(by, REVIEW) or permitted(by, CUSTODIAN)):
        raise Forbidden
    query = requests_for(by, capture_id)
    page = read_page(ReporterRequest._get_collection(), query, sort=NEWEST_FIRST, **asked)
    return page.shown(request_view)

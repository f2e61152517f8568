"""The API of the notice: the person concerned with a code, and the staff who issue it and answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from bson import ObjectId
from flask import Response, after_this_request, request

from backend.plugin_api import (
    Blueprint,
    Problem,
    check_if_match,
    current_principal,
    current_settings,
    district_of,
    idempotent,
    if_match,
    is_foreign,
    limited_by_address,
    may_answer,
    open_blob,
    requires,
)
from plugins.evidence.cases.models import REVIEW
from plugins.evidence.cases.reading import case_of
from plugins.evidence.concerned import answering, looking
from plugins.evidence.concerned.notice import look, notice_of, serve
from plugins.evidence.concerned.schemas import (
    AnswerSchema,
    CodeSchema,
    DefenceForm,
    DefenceListSchema,
    DefencePhotos,
    DefenceSchema,
    MaskedRecordSchema,
    NoticeSchema,
    OwnDefenceSchema,
    PhoneSchema,
    WhySchema,
)

COOKIE = "qingxu_notice"
PAGE = "/evidence/notice"

blueprint = Blueprint("evidence_notice", __name__, url_prefix="/api/v1/evidence/notice", description="当事人查询与申辩")
staff = Blueprint("evidence_defences", __name__, url_prefix="/api/v1/evidence/cases", description="告知与申辩答复")

View = Callable[..., Any]


def limited(view: View) -> View:
    """Decorate a view with the limit of persons concerned for each address."""
    return limited_by_address(lambda: current_settings().notice_rate)(view)


def with_visit(view: View) -> View:
    """Decorate a view that needs an opened record: it is handed the case first."""

    @wraps(view)
    def visited(*args: Any, **kwargs: Any) -> Any:
        if request.method != "GET" and is_foreign(request):
            raise Problem("foreign_origin")
        return view(*args, case=looking.case_of_visit(request.cookies.get(COOKIE, "")), **kwargs)

    return may_answer("notice_visit_over", "foreign_origin")(visited)


def keep_visit(answer: Response, token: str) -> Response:
    """Hand out the cookie that opens the record; no script can read it and no other site can use it."""
    answer.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=request.is_secure, path="/")
    return answer


@blueprint.route("/visits", methods=["POST"])
@limited
@may_answer("notice_code_wrong", "foreign_origin")
@blueprint.arguments(CodeSchema)
@blueprint.response(201, MaskedRecordSchema)
def open_record(given: dict[str, str]) -> dict[str, Any]:
    """凭告知码打开本案的脱敏记录；半小时内有效，以 Cookie 识别.

    The code goes into the body, never into an address. Every look is an entry of the custody ledger.
    """
    if is_foreign(request):
        raise Problem("foreign_origin")
    case, token = looking.open_visit(given["code"], request.remote_addr or "")
    record = looking.look(case)
    after_this_request(lambda answer: keep_visit(answer, token))
    return record


@blueprint.route("/visits/current", methods=["DELETE"])
@with_visit
@blueprint.response(204)
def close_record(case: Any) -> Response:
    """结束查看."""
    looking.end_visit(request.cookies.get(COOKIE, ""))
    answer = Response(status=204)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@blueprint.route("/record", methods=["GET"])
@limited
@with_visit
@blueprint.response(200, MaskedRecordSchema)
def get_record(case: Any) -> dict[str, Any]:
    """查看已打开的脱敏记录、本人的申辩和答复."""
    return looking.look(case)


@blueprint.route("/pictures/<record_id:exhibit_id>", methods=["GET"])
@with_visit
@blueprint.response(200, content_type="image/jpeg")
def get_picture(exhibit_id: ObjectId, case: Any) -> Response:
    """查看本案的脱敏图片."""
    row = looking.picture_of(case, exhibit_id)
    return streamed(row["sha256"], row["media_type"], case.area)


@blueprint.route("/defences", methods=["POST"])
@limited
@with_visit
@may_answer("defence_closed", "unreadable_image", "image_too_large", "idempotency_key_reused")
@blueprint.arguments(DefenceForm, location="form")
@blueprint.arguments(DefencePhotos, location="files")
@blueprint.response(201, OwnDefenceSchema)
def file_defence(form: dict[str, Any], files: dict[str, Any], case: Any) -> dict[str, Any]:
    """提出陈述申辩，可附照片；带 Idempotency-Key 重发只收一次."""
    photos = [photo.read() for photo in files["photos"]]
    once = request.headers.get("Idempotency-Key", "")
    defence = looking.file_defence(case, form["text"], form["phone"], photos, once)
    names = ("filed_at", "text", "answer", "upheld", "answered_at")
    return {**{name: defence[name] for name in names}, "id": str(defence.id), "photos": len(defence.photos)}


@staff.route("/<record_id:case_id>/notice", methods=["POST"])
@requires(REVIEW)
@idempotent
@if_match
@may_answer("notice_not_due", "evidence_deleted")
@staff.response(201, NoticeSchema)
def issue_notice(case_id: ObjectId) -> dict[str, Any]:
    """出具案件的告知书；自此告知码可用，并计算申辩期限，已出具的保持不变."""
    case = case_of(current_principal(), case_id, REVIEW)
    check_if_match(case)
    return notice_of(serve(case), page_address())


@staff.route("/<record_id:case_id>/notice", methods=["GET"])
@requires(REVIEW)
@may_answer("notice_not_issued", "evidence_deleted")
@staff.response(200, NoticeSchema)
def get_notice(case_id: ObjectId) -> dict[str, Any]:
    """查看已出具的告知书和告知码；每次查看均留痕."""
    return notice_of(look(case_of(current_principal(), case_id, REVIEW)), page_address())


@staff.route("/<record_id:case_id>/defences", methods=["GET"])
@requires(REVIEW)
@staff.response(200, DefenceListSchema)
def list_defences(case_id: ObjectId) -> dict[str, Any]:
    """查看案件的陈述申辩，电话已脱敏."""
    return {"items": [answering.defence_view(each) for each in answering.defences_of(current_principal(), case_id)]}


@staff.route("/<record_id:case_id>/defences/<record_id:defence_id>/phone", methods=["GET"])
@requires(REVIEW)
@may_answer("purpose_required")
@staff.arguments(WhySchema, location="query")
@staff.response(200, PhoneSchema)
def get_phone(asked: dict[str, str], case_id: ObjectId, defence_id: ObjectId) -> dict[str, str]:
    """查看申辩人的完整电话；须填写原因，每次查看均留痕."""
    by = current_principal()
    return {"phone": answering.reveal_phone(by, answering.defence_of(by, case_id, defence_id), asked["purpose"])}


@staff.route("/<record_id:case_id>/defences/<record_id:defence_id>/photos/<int:number>", methods=["GET"])
@requires(REVIEW)
@staff.response(200, content_type="image/jpeg")
def get_defence_photo(case_id: ObjectId, defence_id: ObjectId, number: int) -> Response:
    """查看陈述申辩所附的照片；每次查看均留痕."""
    by = current_principal()
    defence = answering.defence_of(by, case_id, defence_id)
    photo = answering.open_photo(by, defence, number)
    return streamed(photo.sha256, photo.media_type, defence.area)


@staff.route("/<record_id:case_id>/defences/<record_id:defence_id>/answer", methods=["POST"])
@requires(REVIEW)
@idempotent
@if_match
@may_answer("conflict")
@staff.arguments(AnswerSchema)
@staff.response(200, DefenceSchema)
def answer_defence(given: dict[str, Any], case_id: ObjectId, defence_id: ObjectId) -> dict[str, Any]:
    """答复陈述申辩；申辩成立的，已确认的案件退回重新复核."""
    by = current_principal()
    defence = answering.defence_of(by, case_id, defence_id)
    check_if_match(defence)
    return answering.defence_view(answering.answer(by, defence, given["answer"], given["upheld"]))


def page_address() -> str:
    """Return where the code opens the record, as it is printed on the notice."""
    return request.host_url.rstrip("/") + PAGE


def streamed(sha256: str, media_type: str, area: str) -> Response:
    """Send a picture while it is decrypted; nothing of it stays in the browser."""
    answer = Response(open_blob(sha256, space=district_of(area)), mimetype=media_type)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer

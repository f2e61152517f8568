"""The API of moderators and custodians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from flask import Response

from backend.plugin_api import (
    Blueprint,
    Forbidden,
    PageArgs,
    Problem,
    audit,
    check_if_match,
    current_principal,
    decrypt_field,
    idempotent,
    if_match,
    may_answer,
    paged,
    permitted,
    read_page,
    requires,
    scope_filter,
)
from plugins.publicity.exposure import identities, moderating
from plugins.publicity.exposure.categories import Category, categories
from plugins.publicity.exposure.clips import MEDIA_TYPE
from plugins.publicity.exposure.models import CUSTODIAN, FLOW, MODERATE, VIEW, Exposure, IdentityRequest
from plugins.publicity.exposure.publishing import streamed
from plugins.publicity.exposure.schemas import (
    ExposureBoxesSchema,
    ExposureEditSchema,
    ExposurePublishSchema,
    ExposureReasonSchema,
    ExposureReporterSchema,
    ExposureRequestSchema,
    ExposureSchema,
    ExposureSearchSchema,
)

blueprint = Blueprint("publicity_moderation", __name__, url_prefix="/api/v1/exposures", description="监督曝光审核")
requests = Blueprint(
    "publicity_identities", __name__, url_prefix="/api/v1/exposure-identity-requests", description="查看举报人"
)

NEWEST_FIRST = (("reported_at", -1), ("_id", -1))
NEWEST_REQUEST = (("_id", -1),)
TEXTS = ("text", "edited", "rating", "asked_again")


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(ExposureSearchSchema, location="query")
@blueprint.response(200, paged(ExposureSchema))
def list_exposures(asked: dict[str, Any]) -> dict[str, Any]:
    """查询监督曝光，新的在前；其中没有上报人的身份."""
    parts = [scope_filter(current_principal(), VIEW, within=asked.pop("within"))]
    parts += [{name: asked.pop(name)} for name in ("state", "category", "number") if name in asked]
    known = categories()
    page = read_page(
        Exposure._get_collection(), {"$and": [each for each in parts if each] or [{}]}, sort=NEWEST_FIRST, **asked
    )
    return page.shown(lambda row: exposure_view(row, known))


@blueprint.route("/<record_id:exposure_id>", methods=["GET"])
@requires(VIEW)
@may_answer("not_found")
@blueprint.response(200, ExposureSchema)
def get_exposure(exposure_id: ObjectId) -> dict[str, Any]:
    """查看一件监督曝光."""
    return shown(moderating.find_exposure(current_principal(), exposure_id))


@blueprint.route("/<record_id:exposure_id>", methods=["PATCH"])
@requires(MODERATE)
@if_match
@may_answer("conflict")
@blueprint.arguments(ExposureEditSchema)
@blueprint.response(200, ExposureSchema)
def edit_exposure(values: dict[str, Any], exposure_id: ObjectId) -> dict[str, Any]:
    """编辑内容或类别；原文保留."""
    return shown(moderating.edit(current_principal(), seen(exposure_id), values))


@blueprint.route("/<record_id:exposure_id>/accept", methods=["POST"])
@requires(MODERATE)
@if_match
@may_answer("conflict", "category_needed")
@blueprint.response(200, ExposureSchema)
def accept_exposure(exposure_id: ObjectId) -> dict[str, Any]:
    """受理并转为预警事件；也用于同意重办."""
    return shown(moderating.accept(current_principal(), seen(exposure_id)))


@blueprint.route("/<record_id:exposure_id>/reject", methods=["POST"])
@requires(MODERATE)
@if_match
@may_answer("conflict")
@blueprint.arguments(ExposureReasonSchema)
@blueprint.response(200, ExposureSchema)
def reject_exposure(given: dict[str, str], exposure_id: ObjectId) -> dict[str, Any]:
    """不予受理，理由会告知上报人."""
    return shown(moderating.reject(current_principal(), seen(exposure_id), given["reason"]))


@blueprint.route("/<record_id:exposure_id>/restore", methods=["POST"])
@requires(MODERATE)
@if_match
@may_answer("conflict")
@blueprint.response(200, ExposureSchema)
def restore_exposure(exposure_id: ObjectId) -> dict[str, Any]:
    """恢复审核已不予受理的曝光."""
    return shown(moderating.restore(current_principal(), seen(exposure_id)))


@blueprint.route("/<record_id:exposure_id>/decline", methods=["POST"])
@requires(MODERATE)
@if_match
@may_answer("conflict")
@blueprint.arguments(ExposureReasonSchema)
@blueprint.response(200, ExposureSchema)
def decline_reopening(given: dict[str, str], exposure_id: ObjectId) -> dict[str, Any]:
    """不同意重办，理由会告知上报人."""
    return shown(moderating.decline(current_principal(), seen(exposure_id), given["reason"]))


@blueprint.route("/<record_id:exposure_id>/hide", methods=["POST"])
@requires(MODERATE)
@if_match
@blueprint.arguments(ExposureReasonSchema)
@blueprint.response(200, ExposureSchema)
def hide_exposure(given: dict[str, str], exposure_id: ObjectId) -> dict[str, Any]:
    """对公众隐藏，并撤下公示."""
    return shown(moderating.hide(current_principal(), seen(exposure_id), hidden=True, reason=given["reason"]))


@blueprint.route("/<record_id:exposure_id>/show", methods=["POST"])
@requires(MODERATE)
@if_match
@blueprint.arguments(ExposureReasonSchema)
@blueprint.response(200, ExposureSchema)
def show_exposure(given: dict[str, str], exposure_id: ObjectId) -> dict[str, Any]:
    """取消隐藏；不会自动恢复公示."""
    return shown(moderating.hide(current_principal(), seen(exposure_id), hidden=False, reason=given["reason"]))


@blueprint.route("/<record_id:exposure_id>/publish", methods=["POST"])
@requires(MODERATE)
@if_match
@may_answer("not_handled", "photo_not_masked")
@blueprint.arguments(ExposurePublishSchema)
@blueprint.response(200, ExposureSchema)
def publish_exposure(given: dict[str, Any], exposure_id: ObjectId) -> dict[str, Any]:
    """公示一件已办结的曝光；须确认已逐张核对人脸、车牌和姓名."""
    by = current_principal()
    return shown(moderating.publish_exposure(by, seen(exposure_id), given["text"], given["photos"]))


@blueprint.route("/<record_id:exposure_id>/withdraw", methods=["POST"])
@requires(MODERATE)
@if_match
@blueprint.arguments(ExposureReasonSchema)
@blueprint.response(200, ExposureSchema)
def withdraw_exposure(given: dict[str, str], exposure_id: ObjectId) -> dict[str, Any]:
    """撤下公示."""
    return shown(moderating.withdraw(current_principal(), seen(exposure_id), given["reason"]))


@blueprint.route("/<record_id:exposure_id>/photos/<int:number>/boxes", methods=["PUT"])
@requires(MODERATE)
@if_match
@blueprint.arguments(ExposureBoxesSchema)
@blueprint.response(200, ExposureSchema)
def blacken_photo(given: dict[str, Any], exposure_id: ObjectId, number: int) -> dict[str, Any]:
    """涂黑照片上的区域（车牌、门牌、姓名等）；原有的副本随即销毁."""
    return shown(moderating.blacken(current_principal(), seen(exposure_id), number, given["boxes"]))


@blueprint.route("/<record_id:exposure_id>/photos/<int:number>", methods=["GET"])
@requires(MODERATE)
@may_answer("not_found")
@blueprint.response(200, content_type="image/jpeg")
def get_photo(exposure_id: ObjectId, number: int) -> Response:
    """查看审核用的照片：不含拍摄信息，人脸未遮挡."""
    exposure = moderating.find_exposure(current_principal(), exposure_id, MODERATE)
    photo = moderating.photo_of(exposure, number)
    if not photo.copy:
        raise Problem("not_found")
    return streamed(photo.copy, exposure.area)


@blueprint.route("/<record_id:exposure_id>/photos/<int:number>/masked", methods=["GET"])
@requires(VIEW)
@may_answer("not_found")
@blueprint.response(200, content_type="image/jpeg")
def get_masked_photo(exposure_id: ObjectId, number: int) -> Response:
    """查看已脱敏的照片."""
    exposure = moderating.find_exposure(current_principal(), exposure_id)
    photo = moderating.photo_of(exposure, number)
    if not photo.masked:
        raise Problem("not_found")
    return streamed(photo.masked, exposure.area)


@blueprint.route("/<record_id:exposure_id>/clip", methods=["GET"])
@requires(MODERATE)
@may_answer("not_found")
@blueprint.response(200, content_type="video/mp4")
def get_clip(exposure_id: ObjectId) -> Response:
    """下载视频原件；每次下载均留痕."""
    exposure = moderating.find_exposure(current_principal(), exposure_id, MODERATE)
    if exposure.clip is None:
        raise Problem("not_found")
    about = {"subject": "publicity.exposure", "subject_id": str(exposure.id), "area": exposure.area}
    audit.record("publicity.clip.reveal", **about)
    answer = streamed(exposure.clip.sha256, exposure.area, MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{exposure.number}.mp4"'
    return answer


@blueprint.route("/<record_id:exposure_id>/identity-requests", methods=["POST"])
@requires(MODERATE)
@idempotent
@may_answer("not_found")
@blueprint.arguments(ExposureReasonSchema)
@blueprint.response(201, ExposureRequestSchema)
def ask_for_reporter(given: dict[str, str], exposure_id: ObjectId) -> dict[str, Any]:
    """申请查看上报人；由保管人决定."""
    by = current_principal()
    exposure = moderating.find_exposure(by, exposure_id, MODERATE)
    return identities.request_view(dict(identities.ask(by, exposure, given["reason"]).to_mongo()))


@requests.route("", methods=["GET"])
@requires()
@requests.arguments(PageArgs, location="query")
@requests.response(200, paged(ExposureRequestSchema))
def list_requests(asked: dict[str, Any]) -> dict[str, Any]:
    """查询查看上报人的申请，新的在前."""
    by = current_principal()
    if not (permitted(by, MODERATE) or permitted(by, CUSTODIAN)):
        raise Forbidden
    query = identities.requests_for(by)
    page = read_page(IdentityRequest._get_collection(), query, sort=NEWEST_REQUEST, **asked)
    return page.shown(identities.request_view)


@requests.route("/<record_id:request_id>/open", methods=["POST"])
@requires(CUSTODIAN)
@if_match
@may_answer("conflict", "no_identity")
@requests.arguments(ExposureReasonSchema)
@requests.response(200, ExposureReporterSchema)
def open_request(given: dict[str, str], request_id: ObjectId) -> dict[str, Any]:
    """查看上报人；申请人本人不能操作，每项申请只能查看一次."""
    by = current_principal()
    wanted = identities.find_request(by, request_id)
    check_if_match(wanted)
    return identities.open_reporter(by, wanted, given["reason"])


@requests.route("/<record_id:request_id>/refuse", methods=["POST"])
@requires(CUSTODIAN)
@if_match
@may_answer("conflict")
@requests.arguments(ExposureReasonSchema)
@requests.response(200, ExposureRequestSchema)
def refuse_request(given: dict[str, str], request_id: ObjectId) -> dict[str, Any]:
    """拒绝查看上报人的申请."""
    by = current_principal()
    wanted = identities.find_request(by, request_id)
    check_if_match(wanted)
    return identities.request_view(dict(identities.refuse(by, wanted, given["reason"]).to_mongo()))


def seen(exposure_id: ObjectId) -> Exposure:
    """Return the exposure that a moderator changes, if it is still as he or she saw it."""
    exposure = moderating.find_exposure(current_principal(), exposure_id, MODERATE)
    check_if_match(exposure)
    return exposure


def shown(exposure: Exposure) -> dict[str, Any]:
    """Return a changed exposure as staff see it."""
    return exposure_view(exposure.to_mongo(), categories())


def exposure_view(row: Mapping[str, Any], known: Mapping[str, Category]) -> dict[str, Any]:
    """Return an exposure as staff see it."""
    names = (
        "number", "area", "category", "reported_at", "point", "point_name", "source", "media_url", "state", "due_at",
        "stars", "published_at", "steps",
    )  # fmt: skip
    texts = {name: decrypt_field(Exposure, row["_id"], name, row.get(name)) or "" for name in TEXTS}
    longitude, latitude = (row.get("place") or {}).get("coordinates", (None, None))
    return {
        **{name: row.get(name) for name in names},
        **{name: row.get(name) or "" for name in ("reason", "alert", "alert_number", "result", "published_text")},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "category_title": known[row["category"]].title,
        "text": texts["edited"] or texts["text"],
        "original_text": texts["text"],
        "longitude": longitude,
        "latitude": latitude,
        "named": bool(row.get("named")),
        "state_title": FLOW.states[row["state"]],
        "hidden": bool(row.get("hidden")),
        "supports": row.get("supports", 0),
        "photos": [
            {
                "ready": bool(photo.get("copy")),
                "masked": bool(photo.get("masked")),
                "faces": photo.get("faces"),
                "boxes": photo.get("boxes", []),
            }
            for photo in row.get("photos", ())
        ],
        "clip": bool(row.get("clip")),
        "rating": texts["rating"],
        "asked_again": texts["asked_again"],
    }

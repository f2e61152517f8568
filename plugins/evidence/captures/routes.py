"""The API of captures: devices send them, staff look at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from flask import Response, request

from backend.plugin_api import (
    Blueprint,
    PageArgs,
    Problem,
    check_if_match,
    current_principal,
    district_of,
    find_device,
    find_place,
    idempotent,
    if_match,
    may_answer,
    open_blob,
    paged,
    read_json,
    read_page,
    requires,
)
from plugins.evidence.captures.drawing import draw
from plugins.evidence.captures.extraction import retry
from plugins.evidence.captures.forms import MetadataForm, OriginalsForm, originals_of, with_clip
from plugins.evidence.captures.intake import recognise, take_in
from plugins.evidence.captures.looking import look_at_record, open_clip, open_exhibit, open_original
from plugins.evidence.captures.models import Capture
from plugins.evidence.captures.reading import VIEW, VIEW_UNMASKED, conditions, find_capture, receipt, summary
from plugins.evidence.captures.schemas import (
    CaptureDetailSchema,
    CaptureFilters,
    CaptureSchema,
    DrawnSchema,
    ObservationSchema,
    PromisedSchema,
    PurposeSchema,
    ReceiptSchema,
)

blueprint = Blueprint("evidence", __name__, url_prefix="/api/v1/evidence", description="取证固证")

NEWEST_FIRST = (("_id", -1),)


class CaptureList(PageArgs, CaptureFilters):
    """The query of the list of captures."""


@blueprint.route("/captures", methods=["POST"])
@with_clip
@may_answer(
    "device_not_recognised", "device_time_in_future", "device_time_too_old", "unreadable_image", "image_too_large",
    "unreadable_clip", "clip_too_long", "clip_too_large", "event_id_reused", "unknown_point", "malformed_json",
    "json_too_deep",
)  # fmt: skip
@blueprint.arguments(MetadataForm, location="form")
@blueprint.arguments(OriginalsForm, location="files")
@blueprint.response(202, ReceiptSchema)
def send_capture(form: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    """设备上传一次观察的照片和视频.

    The device signs with its key: see `X-Signature` in docs/evidence.md. The same `event_id` with the same photos and
    the same clip is taken in once.
    """
    metadata = form["metadata"].encode()
    observation = ObservationSchema().load(read_json(metadata))
    originals = originals_of(files, observation["before"])
    device = recognise(find_device(observation["device"]), request.headers.get("X-Signature", ""), metadata, originals)
    place = find_place(observation.get("point") or device.point)
    if place is None:
        raise Problem("unknown_point")
    return receipt(take_in(device, place, observation, originals, request.remote_addr or ""))


@blueprint.route("/captures", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(CaptureList, location="query")
@blueprint.response(200, paged(CaptureSchema))
def list_captures(asked: dict[str, Any]) -> dict[str, Any]:
    """查询取证记录，新的在前."""
    cursor, limit, count = asked.pop("cursor", None), asked.pop("limit"), asked.pop("count")
    query = conditions(current_principal(), asked)
    page = read_page(Capture._get_collection(), query, sort=NEWEST_FIRST, cursor=cursor, limit=limit, count=count)
    return page.shown(summary)


@blueprint.route("/captures/<record_id:capture_id>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, CaptureDetailSchema)
def get_capture(capture_id: ObjectId) -> dict[str, Any]:
    """查看取证记录和有权查看的图片；每次查看均留痕."""
    return look_at_record(current_principal(), capture_id)


@blueprint.route("/captures/<record_id:capture_id>/retry", methods=["POST"])
@requires("evidence:edit")
@if_match
@may_answer("conflict")
@blueprint.response(202, CaptureSchema)
def retry_capture(capture_id: ObjectId) -> dict[str, Any]:
    """重新提取失败的取证记录."""
    by = current_principal()
    check_if_match(find_capture(by, capture_id, "evidence:edit"))
    retry(Capture.objects.get(id=capture_id))
    return summary(find_capture(by, capture_id))


@blueprint.route("/captures/<record_id:capture_id>/regions", methods=["POST"])
@requires(VIEW)
@idempotent
@may_answer("conflict", "not_found", "forbidden", "unreadable_image")
@blueprint.arguments(DrawnSchema)
@blueprint.response(202, PromisedSchema)
def draw_region(told: dict[str, Any], capture_id: ObjectId) -> dict[str, Any]:
    """在照片上框选垃圾或当事人；证据图片随后生成."""
    return {"id": str(draw(current_principal(), capture_id, told))}


@blueprint.route("/captures/<record_id:capture_id>/photos/<int:number>", methods=["GET"])
@requires(VIEW_UNMASKED)
@may_answer("purpose_required", "evidence_deleted")
@blueprint.arguments(PurposeSchema, location="query")
@blueprint.response(200, content_type="image/jpeg")
def get_photo(asked: dict[str, Any], capture_id: ObjectId, number: int) -> Response:
    """查看原始照片或视频截图；须填写原因，每次查看均留痕."""
    photo = open_original(current_principal(), capture_id, number, asked.get("purpose", ""), asked["download"])
    return content_of(photo, f"{capture_id}-{number}", download=asked["download"])


@blueprint.route("/captures/<record_id:capture_id>/clip", methods=["GET"])
@requires(VIEW_UNMASKED)
@may_answer("purpose_required", "evidence_deleted")
@blueprint.arguments(PurposeSchema, location="query")
@blueprint.response(200, content_type="video/mp4")
def get_clip(asked: dict[str, Any], capture_id: ObjectId) -> Response:
    """播放原始视频，可分段请求；须填写原因，每次查看均留痕."""
    clip = open_clip(current_principal(), capture_id, asked.get("purpose", ""), asked["download"])
    answer = content_of(clip, str(capture_id), download=asked["download"])
    answer.set_etag(clip["sha256"])
    answer.make_conditional(request, accept_ranges=True, complete_length=clip["size"])
    return answer


@blueprint.route("/exhibits/<record_id:exhibit_id>/picture", methods=["GET"])
@requires(VIEW)
@may_answer("purpose_required", "evidence_deleted")
@blueprint.arguments(PurposeSchema, location="query")
@blueprint.response(200, content_type="image/jpeg")
def get_exhibit(asked: dict[str, Any], exhibit_id: ObjectId) -> Response:
    """查看证据图片；未脱敏的须填写原因，每次查看均留痕."""
    exhibit = open_exhibit(current_principal(), exhibit_id, asked.get("purpose", ""), asked["download"])
    answer = content_of(exhibit, str(exhibit_id), download=asked["download"])
    # A copy that the browser keeps is looked at unseen: only the thumbnail, which is no look, may stay there.
    if exhibit["kind"] == "masked_thumbnail" and not asked["download"]:
        answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


def content_of(kept: Mapping[str, Any], name: str, *, download: bool) -> Response:
    """Send an original or an exhibit while it is decrypted."""
    answer = Response(open_blob(kept["sha256"], space=district_of(kept["area"])), mimetype=kept["media_type"])
    answer.headers["Cache-Control"] = "private, no-store"
    ending = kept["media_type"].rpartition("/")[2]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"' if download else "inline"
    return answer

"""The API of captures: devices send them, staff look at them."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Response, request
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend.plugin_api import (
    Blueprint,
    PageArgs,
    Problem,
    check_if_match,
    current_principal,
    district_of,
    find_device,
    find_place,
    if_match,
    may_answer,
    open_blob,
    paged,
    read_json,
    read_page,
    requires,
)
from plugins.evidence.captures.extraction import retry
from plugins.evidence.captures.intake import MOST_PHOTOS, recognise, take_in
from plugins.evidence.captures.models import Capture
from plugins.evidence.captures.reading import (
    MASKED,
    VIEW,
    conditions,
    detail,
    find_capture,
    open_exhibit,
    open_original,
    summary,
)
from plugins.evidence.captures.schemas import (
    CaptureDetailSchema,
    CaptureFilters,
    CaptureSchema,
    ObservationSchema,
    PurposeSchema,
    ReceiptSchema,
)

blueprint = Blueprint("evidence", __name__, url_prefix="/api/v1/evidence", description="取证固证")

NEWEST_FIRST = (("_id", -1),)


class CaptureForm(Schema):
    """The text part of a capture."""

    metadata = fields.String(required=True, metadata={"description": "观察内容，JSON，见 Observation"})


class CapturePhotos(Schema):
    """The photos of a capture."""

    photos = fields.List(
        Upload(), required=True, validate=validate.Length(1, MOST_PHOTOS), metadata={"description": "照片，1 至 9 张"}
    )


class CaptureList(PageArgs, CaptureFilters):
    """The query of the list of captures."""


@blueprint.route("/captures", methods=["POST"])
@may_answer(
    "device_not_recognised", "device_time_in_future", "device_time_too_old", "unreadable_image", "image_too_large",
    "event_id_reused", "unknown_point", "malformed_json", "json_too_deep",
)  # fmt: skip
@blueprint.arguments(CaptureForm, location="form")
@blueprint.arguments(CapturePhotos, location="files")
@blueprint.response(202, ReceiptSchema)
def send_capture(form: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    """设备上传一次观察的照片.

    The device signs with its key: see `X-Signature` in docs/evidence.md. The same `event_id` with the same photos is
    taken in once.
    """
    metadata = form["metadata"].encode()
    photos = [photo.read() for photo in files["photos"]]
    observation = ObservationSchema().load(read_json(metadata))
    device = recognise(find_device(observation["device"]), request.headers.get("X-Signature", ""), metadata, photos)
    place = find_place(observation.get("point") or device.point)
    if place is None:
        raise Problem("unknown_point")
    row = take_in(device, place, observation, photos, request.remote_addr or "")
    return {
        "id": str(row["_id"]),
        "state": row["state"],
        "received_at": row["received_at"],
        "photos": [photo["sha256"] for photo in row["photos"]],
    }


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
    """查看取证记录和有权查看的图片."""
    by = current_principal()
    return detail(by, find_capture(by, capture_id))


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


@blueprint.route("/captures/<record_id:capture_id>/photos/<int:number>", methods=["GET"])
@requires("evidence:view_unmasked")
@may_answer("purpose_required")
@blueprint.arguments(PurposeSchema, location="query")
@blueprint.response(200, content_type="image/jpeg")
def get_photo(asked: dict[str, str], capture_id: ObjectId, number: int) -> Response:
    """查看原始照片；须填写原因，每次查看均留痕."""
    photo = open_original(current_principal(), capture_id, number, asked.get("purpose", ""))
    return picture(photo, masked=False)


@blueprint.route("/exhibits/<record_id:exhibit_id>/picture", methods=["GET"])
@requires(VIEW)
@may_answer("purpose_required")
@blueprint.arguments(PurposeSchema, location="query")
@blueprint.response(200, content_type="image/jpeg")
def get_exhibit(asked: dict[str, str], exhibit_id: ObjectId) -> Response:
    """查看证据图片；未脱敏的须填写原因，每次查看均留痕."""
    exhibit = open_exhibit(current_principal(), exhibit_id, asked.get("purpose", ""))
    return picture(exhibit, masked=exhibit["kind"] in MASKED)


def picture(kept: dict[str, Any], *, masked: bool) -> Response:
    """Send a picture while it is decrypted; only masked ones may stay in the browser's cache."""
    answer = Response(open_blob(kept["sha256"], space=district_of(kept["area"])), mimetype=kept["media_type"])
    answer.headers["Cache-Control"] = "private, max-age=86400" if masked else "private, no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer

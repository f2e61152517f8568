"""The API for everybody: categories, what is near, reporting, joining in, receipts, and the public list."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from bson import ObjectId
from flask import Response, request

from backend.plugin_api import (
    Actor,
    Blueprint,
    PageArgs,
    Problem,
    acting,
    check_if_match,
    current_principal,
    current_settings,
    idempotent_in_portions,
    if_match,
    is_foreign,
    limited_by_address,
    may_answer,
    paged,
    principal_or_none,
    requires,
)
from plugins.publicity.exposure import publishing
from plugins.publicity.exposure.categories import (
    CONFIGURE,
    SHIPPED,
    Category,
    categories,
    change_category,
    etag_of_category,
)
from plugins.publicity.exposure.models import REPORT, keyed
from plugins.publicity.exposure.receipts import ask_again, open_receipt, own_exposures, rate, receipt_view
from plugins.publicity.exposure.reporting import Sender, report
from plugins.publicity.exposure.schemas import (
    ExposureAgainSchema,
    ExposureCategoryChangeSchema,
    ExposureCategoryListSchema,
    ExposureCategorySchema,
    ExposureCodeSchema,
    ExposureFollowedListSchema,
    ExposureFollowedSchema,
    ExposureJoinedSchema,
    ExposurePhotosForm,
    ExposurePublicSchema,
    ExposureRatingSchema,
    ExposureReceiptSchema,
    ExposureReportForm,
    ExposureSimilarListSchema,
    ExposureWhereSchema,
)
from plugins.publicity.exposure.similar import join_in, similar

blueprint = Blueprint("publicity_exposures", __name__, url_prefix="/api/v1/exposures", description="监督曝光")
catalogue = Blueprint(
    "publicity_categories", __name__, url_prefix="/api/v1/exposure-categories", description="监督曝光类别"
)
receipts = Blueprint("publicity_receipts", __name__, url_prefix="/api/v1/exposure-receipts", description="监督曝光回执")
public = Blueprint("publicity_public", __name__, url_prefix="/api/v1/public-exposures", description="曝光公示")

View = Callable[..., Any]


def sender() -> Sender:
    """Return who sends this request; raises Problem `login_required` where nobody may without a login."""
    by = principal_or_none()
    if by is None and not current_settings().anonymous_exposure:
        raise Problem("login_required")
    return Sender(by=by, address=request.remote_addr or "")


def anyone(view: View) -> View:
    """Decorate a view for people with or without a login; nothing of theirs gets into the logs or the trail.

    `requires` would note the person's id with the request, and whoever reads the logs could tell who reported.
    """

    @wraps(view)
    def shown(*args: Any, **kwargs: Any) -> Any:
        if request.method != "GET" and is_foreign(request):
            raise Problem("foreign_origin")
        who = sender()
        told = keyed("caller", str(who.by.id)).hex() if who.by else "anonymous"
        with acting(Actor(id=told, name="举报人", kind="reporter", address="")):
            return view(*args, who=who, **kwargs)

    return may_answer("login_required", "foreign_origin")(shown)


def by_receipt(view: View) -> View:
    """Decorate a view for holders of receipt codes: limited by address, and not for pages of other sites."""

    @wraps(view)
    def shown(*args: Any, **kwargs: Any) -> Any:
        if is_foreign(request):
            raise Problem("foreign_origin")
        return view(*args, **kwargs)

    limited = limited_by_address(lambda: current_settings().receipt_rate)(shown)
    return may_answer("receipt_code_wrong", "foreign_origin")(limited)


@blueprint.route("/similar", methods=["GET"])
@anyone
@may_answer("no_such_point", "nothing_near")
@blueprint.arguments(ExposureWhereSchema, location="query")
@blueprint.response(200, ExposureSimilarListSchema)
def list_similar(asked: dict[str, Any], who: Sender) -> dict[str, Any]:
    """查询附近同类、尚未办结的曝光，供上报前确认是否重复."""
    return {"items": similar(asked)}


@blueprint.route("/<record_id:exposure_id>/thumbnails/<int:number>", methods=["GET"])
@anyone
@may_answer("not_found")
@blueprint.response(200, content_type="image/jpeg")
def get_thumbnail(exposure_id: ObjectId, number: int, who: Sender) -> Response:
    """查看附近曝光的已脱敏照片；审核通过后才有."""
    return publishing.similar_photo(exposure_id, number)


@blueprint.route("", methods=["POST"])
@anyone
@idempotent_in_portions
@may_answer(
    "no_such_point", "nothing_near", "unreadable_image", "image_too_large", "clip_not_mp4", "upload_unfinished",
    "not_found", "forbidden", "module_off",
)  # fmt: skip
@blueprint.arguments(ExposureReportForm, location="form")
@blueprint.arguments(ExposurePhotosForm, location="files")
@blueprint.response(201, ExposureReceiptSchema)
def send_exposure(form: dict[str, Any], files: dict[str, Any], who: Sender) -> dict[str, Any]:
    """上报一次曝光，返回回执码；身份加密单独保存，办理人员看不到."""
    photos = [photo.read() for photo in files["photos"]]
    return report(who, form, photos, key=request.headers.get("Idempotency-Key", ""))


@blueprint.route("/<record_id:exposure_id>/supports", methods=["POST"])
@anyone
@idempotent_in_portions
@may_answer("not_found", "conflict")
@blueprint.response(201, ExposureJoinedSchema)
def support_exposure(exposure_id: ObjectId, who: Sender) -> dict[str, Any]:
    """“我也遇到了”：不重复上报，取得可以跟踪进度的回执码；每人一次."""
    return join_in(who, exposure_id)


@blueprint.route("/mine", methods=["GET"])
@requires(REPORT)
@blueprint.response(200, ExposureFollowedListSchema)
def list_own() -> dict[str, Any]:
    """查询自己实名上报的曝光；匿名的凭回执码查询."""
    return {"items": own_exposures(current_principal())}


@receipts.route("", methods=["POST"])
@by_receipt
@receipts.arguments(ExposureCodeSchema)
@receipts.response(200, ExposureFollowedSchema)
def follow_exposure(given: dict[str, str]) -> dict[str, Any]:
    """凭回执码查看进度；回执码放在请求内容里，不放在网址里."""
    exposure, own = open_receipt(given["code"], request.remote_addr or "")
    return receipt_view(exposure, own=own)


@receipts.route("/rating", methods=["POST"])
@by_receipt
@may_answer("conflict")
@receipts.arguments(ExposureRatingSchema)
@receipts.response(200, ExposureFollowedSchema)
def rate_exposure(given: dict[str, Any]) -> dict[str, Any]:
    """办结后评价，1 至 5 分，只能评价一次."""
    return receipt_view(rate(own_exposure(given["code"]), given["stars"], given["text"]), own=True)


@receipts.route("/reopening", methods=["POST"])
@by_receipt
@may_answer("conflict", "stale_version")
@receipts.arguments(ExposureAgainSchema)
@receipts.response(200, ExposureFollowedSchema)
def reopen_exposure(given: dict[str, Any]) -> dict[str, Any]:
    """办结后申请重办，只能申请一次."""
    return receipt_view(ask_again(own_exposure(given["code"]), given["text"]), own=True)


def own_exposure(code: str) -> Any:
    """Return the exposure that the holder of a code reported; a supporter's code does not count here."""
    exposure, own = open_receipt(code, request.remote_addr or "")
    if not own:
        raise Problem("conflict", detail="只有上报人可以评价和申请重办。")
    return exposure


@public.route("", methods=["GET"])
@public.arguments(PageArgs, location="query")
@public.response(200, paged(ExposurePublicSchema))
def list_public(asked: dict[str, Any]) -> dict[str, Any]:
    """曝光公示：已办结并经核对公开的曝光，无需登录."""
    return publishing.public_page(asked)


@public.route("/<record_id:exposure_id>/photos/<int:number>", methods=["GET"])
@may_answer("not_found")
@public.response(200, content_type="image/jpeg")
def get_public_photo(exposure_id: ObjectId, number: int) -> Response:
    """查看公示的照片，人脸已遮挡."""
    return publishing.public_photo(exposure_id, number)


@catalogue.route("", methods=["GET"])
@catalogue.response(200, ExposureCategoryListSchema)
def list_categories() -> dict[str, Any]:
    """查询可以上报的类别，无需登录."""
    return {"items": [category_view(each) for each in categories().values()]}


@catalogue.route("/<string:code>", methods=["PATCH"])
@requires(CONFIGURE)
@if_match
@catalogue.arguments(ExposureCategoryChangeSchema)
@catalogue.response(200, ExposureCategorySchema)
def edit_category(values: dict[str, Any], code: str) -> dict[str, Any]:
    """修改类别：名称、说明、对应预警、重复判断半径、是否启用."""
    if code not in SHIPPED:
        raise Problem("not_found")
    category = categories()[code]
    seen, _, version = etag_of_category(category).rpartition("-")
    check_if_match({"_id": seen, "version": version})
    return category_view(change_category(current_principal(), category, values))


def category_view(category: Category) -> dict[str, Any]:
    """Return a category as clients see it."""
    names = ("code", "title", "description", "alert_kind", "radius", "active")
    return {**{name: getattr(category, name) for name in names}, "etag": etag_of_category(category)}

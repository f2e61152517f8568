"""What goes in and out."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates_schema

from backend.plugin_api import Latitude, Longitude, PageArgs
from plugins.publicity.exposure.categories import LARGEST_RADIUS, SHIPPED
from plugins.publicity.exposure.models import FLOW, LONGEST_TEXT, MOST_PHOTOS, SHORTEST_TEXT
from plugins.publicity.exposure.moderating import MOST_BOXES

TEXT_LENGTH = validate.Length(SHORTEST_TEXT, LONGEST_TEXT, error=f"请填写 {SHORTEST_TEXT} 至 {LONGEST_TEXT} 个字。")


class ExposureWordsSchema(Schema):
    """Text of people, trimmed before it is measured."""

    @pre_load
    def trim(self, given: Any, **_options: Any) -> Any:
        """Trim every text and give it line ends of one kind."""
        items = given.items() if hasattr(given, "items") else ()
        return {name: _lasting(value) if isinstance(value, str) else value for name, value in items}


def _lasting(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


class ExposureWhereSchema(ExposureWordsSchema):
    """A category and a place: the code of a point, or degrees in WGS-84, or both."""

    category = fields.String(required=True, validate=validate.OneOf(SHIPPED, error="没有这个类别。"))
    point = fields.String(load_default="", validate=validate.Length(max=40), metadata={"description": "点位编号"})
    longitude = Longitude("经度", load_default=None, allow_none=True)
    latitude = Latitude("纬度", load_default=None, allow_none=True)

    @pre_load
    def drop_empty(self, given: Any, **_options: Any) -> Any:
        """Take an empty field of a form as none."""
        return {name: value for name, value in given.items() if name not in ("longitude", "latitude") or value != ""}

    @validates_schema
    def check_place(self, given: dict[str, Any], **_options: Any) -> None:
        """Refuse a report without a place, and half of one."""
        if (given.get("longitude") is None) != (given.get("latitude") is None):
            raise ValidationError("经度和纬度须同时填写。", "longitude")
        if not given.get("point") and given.get("longitude") is None:
            raise ValidationError("请填写点位编号，或允许定位。", "point")


class ExposureReportForm(ExposureWhereSchema):
    """One report."""

    text = fields.String(required=True, validate=TEXT_LENGTH)
    anonymous = fields.Boolean(load_default=False, metadata={"description": "登录后仍匿名上报"})
    clip_upload = fields.String(
        load_default="",
        validate=validate.Regexp(r"(?:[0-9a-f]{24})?\Z", error="应为上传编号。"),
        metadata={"description": "已完成的续传上传的编号，须登录"},
    )


class ExposurePhotosForm(Schema):
    """The photos of a report."""

    photos = fields.List(
        Upload(),
        load_default=list,
        validate=validate.Length(0, MOST_PHOTOS, error=f"最多 {MOST_PHOTOS} 张照片。"),
        metadata={"description": f"照片，最多 {MOST_PHOTOS} 张"},
    )


class ExposureReceiptSchema(Schema):
    """What a reporter gets; whoever holds the code may follow and rate."""

    number = fields.String()
    code = fields.String(metadata={"description": "回执码，只给这一次"})
    state = fields.String()


class ExposureJoinedSchema(ExposureReceiptSchema):
    """What somebody gets who joins in; `code` is empty when this network joined in today already."""

    joined = fields.Boolean()


class ExposureSimilarSchema(Schema):
    """An open exposure near by; `thumbnails` are numbers of photos with masked copies."""

    id = fields.String()
    number = fields.String()
    category_title = fields.String()
    point_name = fields.String()
    reported_on = fields.DateTime()
    metres = fields.Integer()
    state_title = fields.String()
    supports = fields.Integer()
    thumbnails = fields.List(fields.Integer())


class ExposureSimilarListSchema(Schema):
    """Open exposures near by."""

    items = fields.List(fields.Nested(ExposureSimilarSchema))


class ExposureCodeSchema(ExposureWordsSchema):
    """A receipt code."""

    code = fields.String(required=True, validate=validate.Length(1, 100), metadata={"description": "回执码"})


class ExposureRatingSchema(ExposureCodeSchema):
    """What the reporter thinks of the end."""

    stars = fields.Integer(required=True, validate=validate.Range(1, 5, error="请打 1 至 5 分。"))
    text = fields.String(load_default="", validate=validate.Length(max=500, error="最多 500 个字。"))


class ExposureAgainSchema(ExposureCodeSchema):
    """Why a handled exposure should be handled anew."""

    text = fields.String(required=True, validate=validate.Length(5, 500, error="请填写 5 至 500 个字。"))


class ExposureStepSchema(Schema):
    """One step."""

    at = fields.DateTime()
    text = fields.String()


class ExposureFollowedSchema(Schema):
    """An exposure as the holder of a receipt sees it."""

    number = fields.String()
    category_title = fields.String()
    point_name = fields.String()
    reported_at = fields.DateTime()
    text = fields.String()
    photos = fields.Integer()
    state = fields.String(validate=validate.OneOf(FLOW.states))
    state_title = fields.String()
    reason = fields.String()
    result = fields.String()
    steps = fields.List(fields.Nested(ExposureStepSchema))
    supports = fields.Integer()
    own = fields.Boolean()
    may_rate = fields.Boolean()
    may_ask_again = fields.Boolean()
    stars = fields.Integer(allow_none=True)
    published = fields.Boolean()


class ExposureFollowedListSchema(Schema):
    """The newest exposures under the own name."""

    items = fields.List(fields.Nested(ExposureFollowedSchema))


class ExposureCategorySchema(Schema):
    """What may be reported; `etag` is what a change has to name."""

    code = fields.String()
    title = fields.String()
    description = fields.String()
    alert_kind = fields.String()
    radius = fields.Integer(metadata={"description": "多少米内的同类上报视为可能重复"})
    active = fields.Boolean()
    etag = fields.String()


class ExposureCategoryListSchema(Schema):
    """All categories."""

    items = fields.List(fields.Nested(ExposureCategorySchema))


class ExposureCategoryChangeSchema(ExposureWordsSchema):
    """What may be changed of a category."""

    title = fields.String(validate=validate.Length(1, 20))
    description = fields.String(validate=validate.Length(1, 200))
    alert_kind = fields.String(validate=validate.Length(max=20))
    radius = fields.Integer(validate=validate.Range(0, LARGEST_RADIUS))
    active = fields.Boolean()


class ExposureSearchSchema(PageArgs):
    """Search conditions of moderators."""

    state = fields.String(validate=validate.OneOf(FLOW.states))
    category = fields.String(validate=validate.OneOf(SHIPPED))
    number = fields.String(validate=validate.Length(max=20))
    within = fields.String(load_default="", validate=validate.Length(max=200), metadata={"description": "区域"})


class ExposureShownPhotoSchema(Schema):
    """A photo as moderators know it: whether there is a copy, a masked one, and what is black in them."""

    ready = fields.Boolean()
    masked = fields.Boolean()
    faces = fields.Integer(allow_none=True)
    boxes = fields.List(fields.List(fields.Float()))


class ExposureSchema(Schema):
    """An exposure as staff see it: nothing of who sent it."""

    id = fields.String()
    etag = fields.String()
    number = fields.String()
    area = fields.String()
    category = fields.String()
    category_title = fields.String()
    text = fields.String(metadata={"description": "编辑后的内容；未编辑时为原文"})
    original_text = fields.String()
    reported_at = fields.DateTime()
    point = fields.String()
    point_name = fields.String()
    longitude = fields.Float(allow_none=True)
    latitude = fields.Float(allow_none=True)
    source = fields.String()
    named = fields.Boolean()
    media_url = fields.String(allow_none=True)
    state = fields.String()
    state_title = fields.String()
    due_at = fields.DateTime(allow_none=True)
    hidden = fields.Boolean()
    reason = fields.String()
    alert = fields.String()
    alert_number = fields.String()
    supports = fields.Integer()
    photos = fields.List(fields.Nested(ExposureShownPhotoSchema))
    clip = fields.Boolean()
    steps = fields.List(fields.Nested(ExposureStepSchema))
    result = fields.String()
    stars = fields.Integer(allow_none=True)
    rating = fields.String()
    asked_again = fields.String()
    published_at = fields.DateTime(allow_none=True)
    published_text = fields.String()


class ExposureEditSchema(ExposureWordsSchema):
    """What moderators may change."""

    text = fields.String(validate=TEXT_LENGTH)
    category = fields.String(validate=validate.OneOf(SHIPPED))


class ExposureReasonSchema(ExposureWordsSchema):
    """Why."""

    reason = fields.String(required=True, validate=validate.Length(2, 500, error="请填写 2 至 500 个字的理由。"))


class ExposureBoxesSchema(Schema):
    """Regions to black out: left, top, right, bottom as shares of width and height."""

    boxes = fields.List(
        fields.List(fields.Float(validate=validate.Range(0, 1)), validate=validate.Length(equal=4)),
        required=True,
        validate=validate.Length(max=MOST_BOXES),
    )

    @validates_schema
    def check_order(self, given: dict[str, Any], **_options: Any) -> None:
        """Refuse boxes without a surface."""
        for left, top, right, bottom in given.get("boxes", ()):
            if left >= right or top >= bottom:
                raise ValidationError("区域的左、上须小于右、下。", "boxes")


class ExposurePublishSchema(ExposureWordsSchema):
    """What goes on the public list; `checked` says that a person looked for faces, plates and names."""

    text = fields.String(required=True, validate=TEXT_LENGTH)
    photos = fields.List(fields.Integer(validate=validate.Range(0, MOST_PHOTOS - 1)), load_default=list)
    checked = fields.Boolean(required=True, validate=validate.Equal(True, error="请先逐张核对人脸、车牌和姓名。"))


class ExposureRequestSchema(Schema):
    """A request to learn who sent an exposure."""

    id = fields.String()
    etag = fields.String()
    area = fields.String()
    exposure = fields.String()
    asked_name = fields.String()
    reason = fields.String()
    answered_name = fields.String(allow_none=True)
    answer = fields.String(allow_none=True)
    state = fields.String()
    state_title = fields.String()
    created_at = fields.DateTime()


class ExposureReporterSchema(Schema):
    """Who sent an exposure."""

    id = fields.String()
    name = fields.String()
    phone = fields.String()
    email = fields.String()
    device = fields.String()


class ExposurePublicSchema(Schema):
    """An exposure on the public list; `photos` are numbers, to be opened below it."""

    id = fields.String()
    number = fields.String()
    category_title = fields.String()
    point_name = fields.String()
    text = fields.String()
    result = fields.String()
    reported_on = fields.DateTime()
    handled_at = fields.DateTime(allow_none=True)
    published_at = fields.DateTime()
    stars = fields.Integer(allow_none=True)
    supports = fields.Integer()
    photos = fields.List(fields.Integer())

"""What devices send and what staff see."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates, validates_schema

from plugins.evidence.captures.models import CAPTURE_FLOW, SOURCES, VIOLATIONS


class BoxSchema(Schema):
    """A box in shares (0 to 1) of a photo's width and height."""

    box = fields.List(fields.Float(validate=validate.Range(0, 1)), required=True, validate=validate.Length(equal=4))

    @validates("box")
    def check_box(self, box: list[float], data_key: str) -> None:
        """Refuse a box whose corners are not left, top, right, bottom."""
        # Of a box with a number beyond the photo less than four are left, and that is said already.
        if len(box) == 4 and not (box[0] < box[2] and box[1] < box[3]):
            raise ValidationError("区域须按左、上、右、下的顺序填写。")


class RegionSchema(BoxSchema):
    """A region that the platform's own algorithm found."""

    photo = fields.Integer(strict=True, required=True, validate=validate.Range(0, 8))
    label = fields.String(required=True, validate=validate.Length(1, 40))
    score = fields.Float(validate=validate.Range(0, 1))


class ObservationSchema(Schema):
    """The `metadata` part of a capture: what the device observed, where and when by its own clock.

    `before` are the numbers of photos that show the place as it was before the event.
    """

    device = fields.String(required=True, validate=validate.Length(1, 32))
    event_id = fields.String(required=True, validate=validate.Length(1, 64))
    device_time = fields.AwareDateTime(required=True, default_timezone=None)
    violation = fields.String(required=True, validate=validate.OneOf(tuple(VIOLATIONS)))
    point = fields.String(validate=validate.Length(1, 32))
    regions = fields.List(fields.Nested(RegionSchema), load_default=list, validate=validate.Length(max=50))
    before = fields.List(
        fields.Integer(strict=True, validate=validate.Range(0, 8)), load_default=list, validate=validate.Length(max=8)
    )


class ReportSchema(Schema):
    """The `metadata` part of a report: what a person saw, and at which point or place (WGS-84)."""

    violation = fields.String(required=True, validate=validate.OneOf(tuple(VIOLATIONS)))
    point = fields.String(validate=validate.Length(1, 32))
    longitude = fields.Float(validate=validate.Range(-180, 180))
    latitude = fields.Float(validate=validate.Range(-90, 90))
    note = fields.String(validate=validate.Length(max=500))
    device_time = fields.AwareDateTime(default_timezone=None)
    clip_upload = fields.String(validate=validate.Length(1, 100))

    @validates_schema
    def check_place(self, told: dict[str, Any], **_options: Any) -> None:
        """Refuse a report that does not say where, or says it twice."""
        if ("longitude" in told) != ("latitude" in told):
            raise ValidationError("经度和纬度须同时填写。", "longitude")
        if ("point" in told) == ("longitude" in told):
            raise ValidationError("请填写点位编码，或经度和纬度。", "point")


class DrawnSchema(BoxSchema):
    """A region that a person draws on a photo or on a frame of the clip."""

    photo = fields.Integer(strict=True, required=True, validate=validate.Range(0, 99))
    kind = fields.String(required=True, validate=validate.OneOf(("waste", "person"), labels=("垃圾", "当事人")))
    note = fields.String(validate=validate.Length(max=40), metadata={"description": "说明，如“黑色垃圾袋”"})


class PromisedSchema(Schema):
    """The exhibit that is being made."""

    id = fields.String(metadata={"description": "证据图片的编号，稍后可查看"})


class PhotoSchema(Schema):
    """An original photo, or a frame of the clip; `original` is its address for whoever may see faces."""

    number = fields.Integer()
    sha256 = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    width = fields.Integer()
    height = fields.Integer()
    sm3 = fields.String()
    before = fields.Boolean()
    frame_at = fields.Float(metadata={"description": "视频中的秒数"})
    made_by = fields.Dict()
    original = fields.String(allow_none=True)


class ClipSchema(Schema):
    """The original clip; `original` is its address for whoever may see faces."""

    sha256 = fields.String()
    sm3 = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    seconds = fields.Float()
    width = fields.Integer()
    height = fields.Integer()
    original = fields.String(allow_none=True)


class LegalSchema(Schema):
    """What the device's pictures rest on as evidence, as it stood at intake."""

    review_document = fields.String()
    reviewed_on = fields.String()
    standard = fields.String()
    sign_photo = fields.String()
    publication = fields.String()
    complete = fields.Boolean()


class ExhibitSchema(Schema):
    """A picture derived from a photo; `quality` is said of faces: height, sharpness, yaw, pitch, roll, score."""

    id = fields.String()
    photo = fields.Integer()
    kind = fields.String()
    sha256 = fields.String()
    box = fields.List(fields.Float())
    label = fields.String(allow_none=True)
    score = fields.Float(allow_none=True)
    source = fields.String(allow_none=True)
    comparable = fields.Boolean(allow_none=True)
    sm3 = fields.String()
    quality = fields.Dict()
    made_by = fields.Dict()
    picture = fields.String()


class ReceiptSchema(Schema):
    """What a sender gets back: the capture and the hashes under which its photos and its clip are kept."""

    id = fields.String()
    state = fields.String()
    received_at = fields.DateTime()
    photos = fields.List(fields.String())
    clip = fields.String(allow_none=True)


class CaptureSchema(Schema):
    """A capture as staff see it in a list."""

    id = fields.String()
    etag = fields.String()
    area = fields.String()
    source = fields.String()
    device = fields.String(allow_none=True)
    device_name = fields.String()
    point = fields.String()
    point_name = fields.String()
    violation = fields.String()
    violation_title = fields.String()
    state = fields.String()
    state_title = fields.String()
    device_time = fields.DateTime()
    received_at = fields.DateTime()
    clock_offset = fields.Float()
    thumbnail = fields.String(allow_none=True)
    found = fields.Dict()
    failure = fields.String(allow_none=True)


class CaptureDetailSchema(CaptureSchema):
    """A capture with its photos and those exhibits that the person may see."""

    note = fields.String(allow_none=True)
    case = fields.String(allow_none=True)
    legal = fields.Nested(LegalSchema, allow_none=True)
    photos = fields.List(fields.Nested(PhotoSchema))
    clip = fields.Nested(ClipSchema, allow_none=True)
    exhibits = fields.List(fields.Nested(ExhibitSchema))


class CaptureFilters(Schema):
    """Search conditions for captures."""

    state = fields.String(validate=validate.OneOf(tuple(CAPTURE_FLOW.states)))
    violation = fields.String(validate=validate.OneOf(tuple(VIOLATIONS)))
    source = fields.String(validate=validate.OneOf(tuple(SOURCES)))
    device = fields.String(validate=validate.Length(1, 32))
    point = fields.String(validate=validate.Length(1, 32))
    since = fields.AwareDateTime()
    until = fields.AwareDateTime()
    within = fields.String(validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"))


class PurposeSchema(Schema):
    """Why a person looks at a picture that shows faces."""

    purpose = fields.String(validate=validate.Length(2, 200), metadata={"description": "查看原因"})
    download = fields.Boolean(load_default=False, metadata={"description": "作为文件下载，另行留痕"})


class OwnReportSchema(Schema):
    """A report as its reporter sees it."""

    id = fields.String()
    violation = fields.String()
    violation_title = fields.String()
    point = fields.String()
    point_name = fields.String()
    note = fields.String(allow_none=True)
    findings = fields.List(fields.String())
    device_time = fields.DateTime()
    received_at = fields.DateTime()
    photos = fields.Integer(metadata={"description": "照片张数"})
    clip = fields.Boolean(metadata={"description": "是否有视频"})
    state = fields.String(metadata={"description": "办理情况"})


class ReporterReasonSchema(Schema):
    """Why a person asks for a reporter's identity, or how that is answered."""

    reason = fields.String(required=True, validate=validate.Length(2, 500), metadata={"description": "理由"})


class ReporterRequestSchema(Schema):
    """A request to learn who sent a report."""

    id = fields.String()
    etag = fields.String()
    area = fields.String()
    capture = fields.String()
    asked_name = fields.String()
    reason = fields.String()
    answered_name = fields.String(allow_none=True)
    answer = fields.String(allow_none=True)
    state = fields.String()
    state_title = fields.String()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class ReporterSchema(Schema):
    """Who sent a report; given once."""

    id = fields.String(metadata={"description": "账号编号"})
    name = fields.String()
    phone = fields.String()
    address = fields.String(metadata={"description": "网络地址"})

"""What devices send and what staff see."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates

from plugins.evidence.captures.models import CAPTURE_FLOW, VIOLATIONS


class RegionSchema(Schema):
    """A region that the platform's own algorithm found, in shares (0 to 1) of the photo's width and height."""

    photo = fields.Integer(strict=True, required=True, validate=validate.Range(0, 8))
    label = fields.String(required=True, validate=validate.Length(1, 40))
    box = fields.List(fields.Float(validate=validate.Range(0, 1)), required=True, validate=validate.Length(equal=4))
    score = fields.Float(validate=validate.Range(0, 1))

    @validates("box")
    def check_box(self, box: list[float], data_key: str) -> None:
        """Refuse a box whose corners are not left, top, right, bottom."""
        if not (box[0] < box[2] and box[1] < box[3]):
            raise ValidationError("区域须按左、上、右、下的顺序填写。")


class ObservationSchema(Schema):
    """The `metadata` part of a capture: what the device observed, where and when by its own clock."""

    device = fields.String(required=True, validate=validate.Length(1, 32))
    event_id = fields.String(required=True, validate=validate.Length(1, 64))
    device_time = fields.AwareDateTime(required=True, default_timezone=None)
    violation = fields.String(required=True, validate=validate.OneOf(tuple(VIOLATIONS)))
    point = fields.String(validate=validate.Length(1, 32))
    regions = fields.List(fields.Nested(RegionSchema), load_default=list, validate=validate.Length(max=50))


class PhotoSchema(Schema):
    """An original photo; `masked_copy` and `masked_thumbnail` are addresses once they exist."""

    number = fields.Integer()
    sha256 = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    width = fields.Integer()
    height = fields.Integer()
    original = fields.String(allow_none=True)


class ExhibitSchema(Schema):
    """A picture derived from a photo."""

    id = fields.String()
    photo = fields.Integer()
    kind = fields.String()
    sha256 = fields.String()
    box = fields.List(fields.Float())
    label = fields.String(allow_none=True)
    score = fields.Float(allow_none=True)
    source = fields.String(allow_none=True)
    comparable = fields.Boolean(allow_none=True)
    made_by = fields.Dict()
    picture = fields.String()


class ReceiptSchema(Schema):
    """What a device gets back: the capture and the hashes under which its photos are kept."""

    id = fields.String()
    state = fields.String()
    received_at = fields.DateTime()
    photos = fields.List(fields.String())


class CaptureSchema(Schema):
    """A capture as staff see it in a list."""

    id = fields.String()
    etag = fields.String()
    area = fields.String()
    device = fields.String()
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

    photos = fields.List(fields.Nested(PhotoSchema))
    exhibits = fields.List(fields.Nested(ExhibitSchema))


class CaptureFilters(Schema):
    """Search conditions for captures."""

    state = fields.String(validate=validate.OneOf(tuple(CAPTURE_FLOW.states)))
    violation = fields.String(validate=validate.OneOf(tuple(VIOLATIONS)))
    device = fields.String(validate=validate.Length(1, 32))
    point = fields.String(validate=validate.Length(1, 32))
    since = fields.AwareDateTime()
    until = fields.AwareDateTime()
    within = fields.String(validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"))


class PurposeSchema(Schema):
    """Why a person looks at a picture that shows faces."""

    purpose = fields.String(validate=validate.Length(2, 200), metadata={"description": "查看原因"})

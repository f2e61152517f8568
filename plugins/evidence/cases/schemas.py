"""What goes in and out of the API of cases."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from backend.plugin_api import PageArgs
from plugins.evidence.captures.models import VIOLATIONS
from plugins.evidence.cases.models import CASE_FLOW
from plugins.evidence.cases.review import VERBS

LONGEST_REASON = 500
NUMBER = validate.Regexp(r"^[0-9A-Za-z-]{1,40}\Z")


class Id(fields.String):
    """The id of a record."""

    def __init__(self, **options: object) -> None:
        super().__init__(validate=validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号有误。"), **options)  # type: ignore[arg-type]


class Reason(fields.String):
    """Why somebody decided so; trimmed, so that blanks are no reason."""

    def __init__(self, title: str) -> None:
        super().__init__(load_default="", validate=validate.Length(max=LONGEST_REASON), metadata={"description": title})

    def _deserialize(self, value: object, *args: object, **options: object) -> str:
        return str(super()._deserialize(value, *args, **options)).strip()


class CaseFilters(PageArgs):
    """Search conditions for cases."""

    state = fields.String(validate=validate.OneOf(tuple(CASE_FLOW.states)))
    violation = fields.String(validate=validate.OneOf(tuple(VIOLATIONS)))
    point = fields.String(validate=validate.Length(1, 32))
    number = fields.String(validate=NUMBER, metadata={"description": "案号"})
    q = fields.String(validate=NUMBER, metadata={"description": "案号的开头部分"})
    penalty = fields.Boolean()
    since = fields.AwareDateTime(metadata={"description": "首次发现不早于"})
    until = fields.AwareDateTime(metadata={"description": "首次发现早于"})
    overdue = fields.Boolean(metadata={"description": "已超过复核或会签时限"})
    has_defence = fields.Boolean(metadata={"description": "当事人已申辩"})
    within = fields.String(validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"))
    order = fields.String(
        load_default="newest",
        validate=validate.OneOf(("newest", "oldest")),
        metadata={"description": "newest 新的在前，oldest 等得最久的在前"},
    )


class SubjectSchema(Schema):
    """Which exhibits show the person and the waste; null takes a choice back."""

    face = Id(required=True, allow_none=True)
    waste = Id(required=True, allow_none=True)


class DecisionSchema(Schema):
    """A decision on a case."""

    verb = fields.String(required=True, validate=validate.OneOf(VERBS))
    reason = Reason("原因；排除、退回、重新复核时必填，建议处罚而未选定当事人时也必填")
    site_visit = Reason("现场核实情况；有居民或现场人员上报的，建议处罚时必填")


class MergeSchema(Schema):
    """Into which case another one goes."""

    into = Id(required=True)
    reason = Reason("原因，必填")


class SplitSchema(Schema):
    """Which captures go into a case of their own."""

    captures = fields.List(Id(), required=True, validate=validate.Length(1, 500))
    reason = Reason("原因，必填")


class CaseSchema(Schema):
    """A case as it stands in a list."""

    id = fields.String()
    etag = fields.String()
    number = fields.String()
    area = fields.String()
    point = fields.String()
    point_name = fields.String()
    violation = fields.String()
    violation_title = fields.String()
    state = fields.String()
    state_title = fields.String()
    first_at = fields.DateTime()
    last_at = fields.DateTime()
    created_at = fields.DateTime()
    captures_count = fields.Integer()
    thumbnail = fields.String(allow_none=True)
    penalty = fields.Boolean()
    legal_complete = fields.Boolean()
    defences = fields.Integer()
    due_at = fields.DateTime(allow_none=True)
    overdue = fields.Boolean()


class FoundSchema(Schema):
    """A face or an object on a photo; `box` in shares of the photo's width and height."""

    id = fields.String()
    kind = fields.String()
    kind_title = fields.String()
    box = fields.List(fields.Float())
    label = fields.String()
    score = fields.Float()
    source = fields.String()
    comparable = fields.Boolean()
    quality = fields.Dict()
    picture = fields.String(allow_none=True)


class ReviewedPhotoSchema(Schema):
    """A photo as a reviewer sees it; `original` only for who may see faces."""

    number = fields.Integer()
    width = fields.Integer()
    height = fields.Integer()
    sha256 = fields.String()
    before = fields.Boolean()
    frame_at = fields.Float(allow_none=True)
    masked = fields.String(allow_none=True)
    thumbnail = fields.String(allow_none=True)
    original = fields.String(allow_none=True)
    exhibits = fields.List(fields.Nested(FoundSchema))


class ReviewedCaptureSchema(Schema):
    """A capture of a case."""

    id = fields.String()
    etag = fields.String()
    source = fields.String()
    source_title = fields.String()
    device = fields.String(allow_none=True)
    device_name = fields.String(allow_none=True)
    device_time = fields.DateTime()
    received_at = fields.DateTime()
    clock_offset = fields.Float()
    clip_seconds = fields.Float(allow_none=True)
    note = fields.String(allow_none=True)
    findings = fields.List(fields.String())
    photos = fields.List(fields.Nested(ReviewedPhotoSchema))


class DeviceRecordSchema(Schema):
    """What the legal record of a device lacks."""

    device = fields.String()
    name = fields.String()
    missing = fields.List(fields.String())


class TakenDecisionSchema(Schema):
    """A decision that was taken."""

    verb = fields.String()
    title = fields.String()
    name = fields.String()
    at = fields.DateTime()
    reason = fields.String(allow_none=True)
    site_visit = fields.String(allow_none=True)


class CaseStepSchema(Schema):
    """A step in a case's history."""

    title = fields.String()
    at = fields.DateTime()
    name = fields.String()
    note = fields.String()


class CaseVerbSchema(Schema):
    """What the person may do now."""

    verb = fields.String()
    title = fields.String()


class MergedIntoSchema(Schema):
    """The case that another one went into."""

    id = fields.String()
    number = fields.String()


class CaseCustodySchema(Schema):
    """What the custody ledger holds of a case."""

    entries = fields.Integer()
    by_kind = fields.Dict(keys=fields.String(), values=fields.Integer())
    last_seq = fields.Integer(allow_none=True)
    last_at = fields.DateTime(allow_none=True)
    last_hash = fields.String(allow_none=True)


class CaseHoldSchema(Schema):
    """A legal hold on a case."""

    id = fields.String()
    name = fields.String()
    at = fields.DateTime()
    reason = fields.String()


class RepeatSchema(Schema):
    """A case that may be about the same person: the faces are alike, no more is claimed."""

    case = fields.String()
    number = fields.String()
    likeness = fields.Float()


class CaseDetailSchema(CaseSchema):
    """A case with all that the person may open of it."""

    captures = fields.List(fields.Nested(ReviewedCaptureSchema))
    subject = fields.String(allow_none=True)
    waste = fields.String(allow_none=True)
    devices = fields.List(fields.Nested(DeviceRecordSchema))
    needs_visit = fields.Boolean()
    decisions = fields.List(fields.Nested(TakenDecisionSchema))
    history = fields.List(fields.Nested(CaseStepSchema))
    custody = fields.Nested(CaseCustodySchema)
    merged_into = fields.Nested(MergedIntoSchema, allow_none=True)
    retention = fields.String()
    retention_title = fields.String()
    delete_after = fields.DateTime(allow_none=True)
    held = fields.Boolean()
    holds = fields.List(fields.Nested(CaseHoldSchema))
    repeats = fields.List(fields.Nested(RepeatSchema))
    noticed_at = fields.DateTime(allow_none=True)
    defence_until = fields.DateTime(allow_none=True)
    may = fields.Dict(keys=fields.String(), values=fields.Boolean())
    verbs = fields.List(fields.Nested(CaseVerbSchema))

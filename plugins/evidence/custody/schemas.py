"""What goes in and out about the ledger."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from backend.plugin_api import PageArgs
from plugins.evidence.custody.models import KINDS

CODE = validate.Regexp(r"^[0-9A-Za-z]{1,32}\Z")
WORDS = validate.Length(1, 100)


class DistrictArgs(Schema):
    """Whose ledger."""

    district = fields.String(validate=CODE, metadata={"description": "区县编码；不填则为本人所在区县"})


class RootArgs(DistrictArgs, PageArgs):
    """Which roots to list."""


class LedgerArgs(DistrictArgs, PageArgs):
    """Which entries to list."""

    case = fields.String(validate=WORDS, metadata={"description": "案件编号"})
    subject_id = fields.String(validate=WORDS, metadata={"description": "对象编号"})
    kind = fields.String(validate=validate.OneOf(tuple(KINDS)), metadata={"description": "行为"})
    actor = fields.String(validate=WORDS, metadata={"description": "操作人编号"})
    since = fields.AwareDateTime(metadata={"description": "从此时起"})
    until = fields.AwareDateTime(metadata={"description": "到此时止"})
    within = fields.String(validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"), metadata={"description": "区域路径"})


class ActorSchema(Schema):
    """Who did it."""

    id = fields.String()
    name = fields.String()
    kind = fields.String()
    address = fields.String()


class EntrySchema(Schema):
    """An entry of the ledger."""

    district = fields.String()
    seq = fields.Integer()
    at = fields.DateTime()
    kind = fields.String()
    kind_title = fields.String()
    subject = fields.String()
    subject_id = fields.String()
    case = fields.String()
    sha256 = fields.String()
    purpose = fields.String()
    actor = fields.Nested(ActorSchema)
    area = fields.String()
    detail = fields.Dict()
    hash_name = fields.String()
    previous = fields.String()
    hash = fields.String()


class SignatureSchema(Schema):
    """A signature; `value` is hexadecimal."""

    algorithm = fields.String()
    key_id = fields.String()
    value = fields.String()


class StampSchema(Schema):
    """How the time stamp of a root stands."""

    state = fields.String()
    state_title = fields.String()
    reason = fields.String()
    authority = fields.String()
    at = fields.DateTime(allow_none=True)
    checked = fields.String()


class LedgerRootSchema(Schema):
    """A root of the ledger."""

    district = fields.String()
    number = fields.Integer()
    first = fields.Integer()
    last = fields.Integer()
    root = fields.String()
    hash_name = fields.String()
    previous_root = fields.String()
    previous_stamp = fields.String()
    at = fields.DateTime()
    signature = fields.Nested(SignatureSchema)
    stamp = fields.Nested(StampSchema)


class LastRootSchema(Schema):
    """The last root."""

    number = fields.Integer()
    at = fields.DateTime()
    last = fields.Integer()


class LastStampSchema(Schema):
    """The last time stamp."""

    number = fields.Integer()
    at = fields.DateTime(allow_none=True)
    authority = fields.String()
    checked = fields.String()


class FaultSchema(Schema):
    """The first thing wrong, with its place."""

    place = fields.String()
    number = fields.Integer()
    what = fields.String()
    sentence = fields.String()


class VerificationSchema(Schema):
    """What the last verification found."""

    at = fields.DateTime()
    seconds = fields.Float()
    entries = fields.Integer()
    roots = fields.Integer()
    stamps = fields.Integer()
    fault = fields.Nested(FaultSchema, allow_none=True)
    sentence = fields.String()


class ProofStatusSchema(Schema):
    """How the proofs of a district stand."""

    district = fields.String()
    entries = fields.Integer()
    waiting = fields.Integer()
    unrooted = fields.Integer()
    last_root = fields.Nested(LastRootSchema, allow_none=True)
    authority = fields.String()
    last_stamp = fields.Nested(LastStampSchema, allow_none=True)
    stamps_waiting = fields.Integer()
    stamps_failed = fields.Integer()
    verification = fields.Nested(VerificationSchema, allow_none=True)


class StartedSchema(Schema):
    """A verification that was started; its result shows in the status."""

    district = fields.String()
    job = fields.String()

"""What goes into and comes out of the routes of hand-overs."""

from __future__ import annotations

from marshmallow import Schema, fields, pre_load, validate

from plugins.evidence.handover.models import HAND_OVER_FLOW, HAND_OVER_KINDS


class Trimmed(Schema):
    """Texts without space around them, so that a blank is none."""

    @pre_load
    def trim(self, values: object, **_: object) -> object:
        """Cut the space off."""
        if not isinstance(values, dict):
            return values
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


class HandingSchema(Trimmed):
    """To hand a case over: as what, why and to whom."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(tuple(HAND_OVER_KINDS)),
        metadata={"description": "penalty 作为处罚证据，lead 作为案件线索"},
    )
    purpose = fields.String(required=True, validate=validate.Length(2, 200), metadata={"description": "移送事由"})
    recipient = fields.String(required=True, validate=validate.Length(2, 100), metadata={"description": "接收单位"})


class ReceivingSchema(Trimmed):
    """To confirm a receipt: for which unit, with a remark if there is one."""

    unit = fields.String(required=True, validate=validate.Length(2, 100), metadata={"description": "接收单位"})
    note = fields.String(load_default="", validate=validate.Length(max=500), metadata={"description": "备注"})


class PackagePurpose(Schema):
    """Why a person downloads a package."""

    purpose = fields.String(load_default="", validate=validate.Length(max=200), metadata={"description": "下载原因"})


class PackageSchema(Schema):
    """The package as it was made."""

    sha256 = fields.String()
    sm3 = fields.String()
    size = fields.Integer()
    files = fields.Integer()
    fingerprint = fields.String(metadata={"description": "签名密钥的指纹，核验时填入 --key"})


class ReceiptOfHandOverSchema(Schema):
    """Who took a package over."""

    unit = fields.String()
    name = fields.String()
    at = fields.DateTime()
    note = fields.String(allow_none=True)
    hash = fields.String()


class HandOverSchema(Schema):
    """A case on its way to enforcement."""

    id = fields.String()
    etag = fields.String()
    area = fields.String()
    case = fields.String()
    case_number = fields.String()
    violation = fields.String()
    violation_title = fields.String()
    kind = fields.String()
    kind_title = fields.String()
    missing = fields.List(fields.String(), metadata={"description": "作为线索移送时，作为处罚证据尚缺什么"})
    purpose = fields.String()
    recipient = fields.String()
    made_by_name = fields.String()
    made_at = fields.DateTime()
    state = fields.String()
    state_title = fields.String()
    package = fields.Nested(PackageSchema, allow_none=True)
    receipt = fields.Nested(ReceiptOfHandOverSchema, allow_none=True)
    failure = fields.String(allow_none=True)


class HandOverFilters(Schema):
    """Search conditions for hand-overs."""

    state = fields.String(validate=validate.OneOf(tuple(HAND_OVER_FLOW.states)))
    kind = fields.String(validate=validate.OneOf(tuple(HAND_OVER_KINDS)))
    case = fields.String(validate=validate.Regexp(r"^[0-9a-f]{24}\Z"))
    within = fields.String(validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"))

"""What goes in and out about legal holds."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

REASON = validate.Length(2, 300)


class HoldReasonSchema(Schema):
    """Why something is done."""

    reason = fields.String(required=True, validate=REASON, metadata={"description": "原因"})


class HoldSchema(Schema):
    """A legal hold on a case."""

    id = fields.String()
    name = fields.String()
    at = fields.DateTime()
    reason = fields.String()


class RetentionSchema(Schema):
    """How long a case is kept, and what holds it back."""

    retention = fields.String()
    retention_title = fields.String()
    delete_after = fields.DateTime(allow_none=True)
    deleted_at = fields.DateTime(allow_none=True)
    holds = fields.List(fields.Nested(HoldSchema))

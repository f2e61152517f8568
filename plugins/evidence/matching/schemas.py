"""What goes in and out about face comparison."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class SwitchOnSchema(Schema):
    """What an administrator has to state before faces may be compared in an area."""

    area = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"), metadata={"description": "区域路径"}
    )
    legal_basis = fields.String(
        required=True,
        validate=validate.Length(4, 500),
        metadata={"description": "法律依据（法律、行政法规名称和条款）"},
    )
    assessment_number = fields.String(
        required=True, validate=validate.Length(2, 100), metadata={"description": "个人信息保护影响评估编号"}
    )
    expires_at = fields.AwareDateTime(required=True, metadata={"description": "到期时间，到期自动停用并删除模板"})


class ActivationSchema(Schema):
    """Where face comparison is or was on."""

    id = fields.String()
    area = fields.String()
    legal_basis = fields.String()
    assessment_number = fields.String()
    expires_at = fields.DateTime()
    created_at = fields.DateTime()
    name = fields.String()
    ended_at = fields.DateTime(allow_none=True)
    templates = fields.Integer()


class ActivationsSchema(Schema):
    """All switches that the person may see, and how many templates there are on the whole platform."""

    items = fields.List(fields.Nested(ActivationSchema))
    templates = fields.Integer()
    most_templates = fields.Integer()

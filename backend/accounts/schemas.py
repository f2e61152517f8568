"""What goes into and comes out of the routes of accounts."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from backend.http import PageArgs
from backend.identity import AREA_LEVELS, ORGANISATION_KINDS, USER_TYPES

PATH = r"^(?:[0-9A-Za-z]{1,32}(?:/[0-9A-Za-z]{1,32}){0,3})?\Z"
USER_TYPE = validate.OneOf(list(USER_TYPES))
PASSWORD = validate.Length(1, 128)


class Id(fields.Field[ObjectId]):
    """The id of a record: 24 hex digits in JSON, ObjectId in Python."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> ObjectId:
        if not isinstance(value, str) or not ObjectId.is_valid(value):
            raise ValidationError("编号应为 24 位十六进制。")
        return ObjectId(value)


def record_id(**options: Any) -> Id:
    """Return the field of an id, documented."""
    return Id(metadata={"type": "string", "pattern": "^[0-9a-f]{24}$"}, **options)


def text(most: int, least: int = 1, **options: Any) -> fields.String:
    """Return the field of a text between two lengths."""
    return fields.String(validate=validate.Length(least, most), **options)


def path(**options: Any) -> fields.String:
    """Return the field of an area path; the empty one is the whole platform."""
    return fields.String(validate=validate.Regexp(PATH), **options)


class LoginSchema(Schema):
    """A login; a page asks for the cookie, a program for tokens."""

    account = text(64, required=True, metadata={"example": "demo_street"})
    password = fields.String(required=True, validate=PASSWORD)
    cookie = fields.Boolean(
        load_default=False, metadata={"description": "网页登录：令牌写入 HttpOnly Cookie，不在答复中给出"}
    )


class RefreshSchema(Schema):
    """A refresh token."""

    refresh_token = text(200, required=True)


class TokensSchema(Schema):
    """An opened session; without the tokens when they went into the cookie."""

    session_id = fields.String(required=True)
    access_token = fields.String()
    refresh_token = fields.String()
    expires_at = fields.AwareDateTime(required=True)
    must_change_password = fields.Boolean(required=True)


class SessionSchema(Schema):
    """A session as its owner sees it."""

    id = fields.String(required=True)
    address = fields.String(required=True)
    user_agent = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True)
    current = fields.Boolean(required=True)


class SessionsSchema(Schema):
    """The sessions of a person, last used first."""

    items = fields.List(fields.Nested(SessionSchema), required=True)


class GrantSchema(Schema):
    """A role in an area and below; with an organisation it counts for that one's records alone."""

    role = text(40, required=True)
    area = path(required=True)
    organisation = record_id(load_default=None, allow_none=True)


class GrantsSchema(Schema):
    """All grants of an account."""

    grants = fields.List(fields.Nested(GrantSchema), required=True, validate=validate.Length(0, 50))


class UserFieldsSchema(Schema):
    """What an administrator may change of an account."""

    name = text(50)
    user_type = fields.String(validate=USER_TYPE)
    area = path()
    organisation = record_id(allow_none=True)
    phone = text(30, 0)
    id_number = text(30, 0)


class NewUserSchema(UserFieldsSchema):
    """A new account; without grants it gets the role of its type in its area, without a password one is made up."""

    account = text(64, required=True)
    name = text(50, required=True)
    user_type = fields.String(required=True, validate=USER_TYPE)
    area = path(required=True)
    password = fields.String(validate=PASSWORD)
    grants = fields.List(fields.Nested(GrantSchema), validate=validate.Length(0, 50))


class UserQuerySchema(PageArgs):
    """Conditions of a search for accounts."""

    area = path(load_default="")
    account = text(64)
    name = text(50)
    user_type = fields.String(validate=USER_TYPE)
    organisation = record_id()
    active = fields.Boolean()


class ContactQuerySchema(Schema):
    """A whole phone or identity card number to search for."""

    phone = text(30)
    id_number = text(30)

    @validates_schema
    def one_is_given(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse a search for nothing."""
        if not data:
            raise ValidationError("请填写手机号或身份证号。")


class UserSchema(Schema):
    """An account; phone and identity card are masked."""

    id = fields.String(required=True)
    etag = fields.String(required=True)
    account = fields.String(required=True)
    name = fields.String(required=True)
    user_type = fields.String(required=True)
    user_type_title = fields.String(required=True)
    area = fields.String(required=True)
    organisation = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True)
    id_number = fields.String(required=True)
    grants = fields.List(fields.Nested(GrantSchema), required=True)
    must_change_password = fields.Boolean(required=True)
    active = fields.Boolean(required=True)
    last_login_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class UserWithPasswordSchema(UserSchema):
    """An account with its new first password, shown this once."""

    initial_password = fields.String(required=True)


class ContactSchema(Schema):
    """The private fields of an account in full."""

    phone = fields.String(required=True)
    id_number = fields.String(required=True)


class MeSchema(UserSchema):
    """The person's own account."""

    area_name = fields.String(required=True)
    organisation_name = fields.String(required=True)
    permissions = fields.List(fields.String(), required=True, metadata={"description": "至少在一处可用的权限"})


class ProfileSchema(Schema):
    """What a person may change of his own account."""

    name = text(50)
    phone = text(30, 0)


class PasswordChangeSchema(Schema):
    """The old and the new password."""

    old_password = fields.String(required=True, validate=PASSWORD)
    password = fields.String(required=True, validate=PASSWORD)


class MenuEntrySchema(Schema):
    """One entry of the menu."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    href = fields.String(required=True)


class MenuSchema(Schema):
    """The menu of a person, in order."""

    items = fields.List(fields.Nested(MenuEntrySchema), required=True)


class PermissionSchema(Schema):
    """A permission that roles can hold."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    module = fields.String(required=True)


class PermissionsSchema(Schema):
    """All permissions, by name."""

    items = fields.List(fields.Nested(PermissionSchema), required=True)


class RoleFieldsSchema(Schema):
    """What may be changed of a role."""

    title = text(50)
    permissions = fields.List(text(80), validate=validate.Length(0, 500))


class NewRoleSchema(RoleFieldsSchema):
    """A new role."""

    name = fields.String(required=True, validate=validate.Regexp(r"^[a-z][a-z0-9_]{1,39}\Z"))
    title = text(50, required=True)
    permissions = fields.List(text(80), required=True, validate=validate.Length(0, 500))


class RoleSchema(Schema):
    """A role."""

    id = fields.String(required=True)
    etag = fields.String(required=True)
    name = fields.String(required=True)
    title = fields.String(required=True)
    permissions = fields.List(fields.String(), required=True)
    built_in = fields.Boolean(required=True)


class RolesSchema(Schema):
    """All roles, by name."""

    items = fields.List(fields.Nested(RoleSchema), required=True)


class BoundarySchema(Schema):
    """A GeoJSON Polygon or MultiPolygon in WGS-84."""

    type = fields.String(required=True, validate=validate.OneOf(["Polygon", "MultiPolygon"]))
    coordinates = fields.List(fields.Raw(), required=True)


class AreaFieldsSchema(Schema):
    """What may be changed of an area."""

    name = text(100)
    boundary = fields.Nested(BoundarySchema, allow_none=True)
    active = fields.Boolean()


class NewAreaSchema(Schema):
    """A new area below another."""

    parent = path(load_default="")
    code = fields.String(required=True, validate=validate.Regexp(r"^[0-9A-Za-z]{1,32}\Z"))
    name = text(100, required=True)
    boundary = fields.Nested(BoundarySchema, load_default=None, allow_none=True)


class AreaQuerySchema(PageArgs):
    """Which part of the tree: all below `within`, or the children of `parent`."""

    within = path(load_default="")
    parent = path()
    level = fields.String(validate=validate.OneOf(list(AREA_LEVELS)))
    active = fields.Boolean()
    boundary = fields.Boolean(load_default=False, metadata={"description": "同时给出边界"})


class AreaSchema(Schema):
    """An area of the tree."""

    id = fields.String(required=True)
    etag = fields.String(required=True)
    path = fields.String(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(required=True)
    parent = fields.String(required=True)
    active = fields.Boolean(required=True)
    boundary = fields.Nested(BoundarySchema, allow_none=True)


class OrganisationFieldsSchema(Schema):
    """What may be changed of an organisation."""

    name = text(100)
    area = path()
    active = fields.Boolean()


class NewOrganisationSchema(Schema):
    """A new organisation."""

    kind = fields.String(required=True, validate=validate.OneOf(list(ORGANISATION_KINDS)))
    name = text(100, required=True)
    area = path(required=True)


class OrganisationQuerySchema(PageArgs):
    """Conditions of a search for organisations."""

    within = path(load_default="")
    kind = fields.String(validate=validate.OneOf(list(ORGANISATION_KINDS)))
    name = text(100)
    active = fields.Boolean()


class OrganisationSchema(Schema):
    """An office or a company."""

    id = fields.String(required=True)
    etag = fields.String(required=True)
    kind = fields.String(required=True)
    kind_title = fields.String(required=True)
    name = fields.String(required=True)
    area = fields.String(required=True)
    active = fields.Boolean(required=True)


class NewSwitchSchema(Schema):
    """A module switched on or off in an area and below."""

    module = text(40, required=True)
    area = path(required=True)
    enabled = fields.Boolean(required=True)


class SwitchSchema(NewSwitchSchema):
    """A stored switch."""

    id = fields.String(required=True)
    etag = fields.String(required=True)


class SwitchesSchema(Schema):
    """The switches in the person's areas, and the modules that there are."""

    modules = fields.List(fields.String(), required=True)
    items = fields.List(fields.Nested(SwitchSchema), required=True)

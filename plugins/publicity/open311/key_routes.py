"""The API with which a vendor's people make and end their keys."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Response
from marshmallow import Schema, fields, validate

from backend.plugin_api import (
    Blueprint,
    current_principal,
    idempotent,
    if_match,
    if_match_version,
    may_answer,
    requires,
)
from plugins.publicity.open311.keys import OPEN311, issue, key_view, keys_of, revoke

blueprint = Blueprint("publicity_keys", __name__, url_prefix="/api/v1/open311-keys", description="Open311 密钥")


class Open311NewKeySchema(Schema):
    """What a key is for."""

    title = fields.String(required=True, validate=validate.Length(1, 50), metadata={"description": "用途"})


class Open311KeySchema(Schema):
    """A key without its secret."""

    id = fields.String()
    etag = fields.String()
    title = fields.String()
    area = fields.String()
    active = fields.Boolean()
    created_at = fields.DateTime()


class Open311IssuedKeySchema(Open311KeySchema):
    """A fresh key."""

    api_key = fields.String(metadata={"description": "密钥，只显示这一次"})


class Open311KeyListSchema(Schema):
    """The keys of the own organisation."""

    items = fields.List(fields.Nested(Open311KeySchema))


@blueprint.route("", methods=["GET"])
@requires(OPEN311)
@blueprint.response(200, Open311KeyListSchema)
def list_keys() -> dict[str, Any]:
    """查询本单位的 Open311 密钥."""
    return {"items": keys_of(current_principal())}


@blueprint.route("", methods=["POST"])
@requires(OPEN311)
@idempotent
@may_answer("organisation_needed")
@blueprint.arguments(Open311NewKeySchema)
@blueprint.response(201, Open311IssuedKeySchema)
def make_key(given: dict[str, str]) -> dict[str, Any]:
    """为本单位生成 Open311 密钥；密钥只显示一次."""
    key, secret = issue(current_principal(), given["title"])
    return {**key_view(dict(key.to_mongo())), "api_key": secret}


@blueprint.route("/<record_id:key_id>", methods=["DELETE"])
@requires(OPEN311)
@if_match
@blueprint.response(204)
def end_key(key_id: ObjectId) -> Response:
    """停用 Open311 密钥."""
    revoke(current_principal(), key_id, if_match_version(key_id))
    return Response(status=204)

"""Searches that a person keeps under a name, for any list of any module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from marshmallow import Schema, fields, validate
from mongoengine import DictField, ObjectIdField, StringField

from backend.http import Blueprint, Problem, idempotent, requires
from backend.identity import current_principal
from backend.storage import Record

MOST = 100
LIST = validate.Regexp(r"^[a-z][a-z0-9_-]{0,39}\Z", error="应为列表的英文名称，如 alerts。")

blueprint = Blueprint("saved-filters", __name__, url_prefix="/api/v1/saved-filters", description="本人保存的筛选")


class SavedFilter(Record):
    """A search of one person: `query` are the parameters of the list's address, which checks them when it is asked."""

    meta = {"collection": "saved_filters", "indexes": [("user", "list", "name")]}

    user = ObjectIdField(required=True)
    list = StringField(required=True, max_length=40)
    name = StringField(required=True, max_length=40)
    query = DictField(StringField())


class SavedFilterSchema(Schema):
    """A kept search; one of the same list and name takes its place."""

    id = fields.String(dump_only=True)
    list = fields.String(required=True, validate=LIST, metadata={"description": "列表名称，如 alerts"})
    name = fields.String(required=True, validate=validate.Length(1, 40), metadata={"description": "筛选名称"})
    query = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"^[a-z][a-z0-9_]{0,39}\Z", error="筛选条件名称有误。")),
        values=fields.String(validate=validate.Length(max=200)),
        required=True,
        validate=validate.Length(max=30),
        metadata={"description": "查询参数，原样附在列表地址后"},
    )


class SavedFiltersSchema(Schema):
    """All of a person's."""

    items = fields.List(fields.Nested(SavedFilterSchema))


class ListArgs(Schema):
    """Of which list."""

    list = fields.String(validate=LIST, metadata={"description": "列表名称；不填为全部"})


@blueprint.route("", methods=["GET"])
@requires()
@blueprint.arguments(ListArgs, location="query")
@blueprint.response(200, SavedFiltersSchema, ready=True)
def list_filters(asked: dict[str, str]) -> dict[str, Any]:
    """本人保存的筛选，按名称."""
    mine = {"user": current_principal().id, **asked}
    rows = SavedFilter._get_collection().find(mine).sort([("list", 1), ("name", 1)]).limit(MOST)
    return {"items": [shown(row) for row in rows]}


@blueprint.route("", methods=["POST"])
@requires()
@idempotent
@blueprint.arguments(SavedFilterSchema)
@blueprint.response(201, SavedFilterSchema, ready=True)
def keep_filter(asked: dict[str, Any]) -> dict[str, Any]:
    """保存一个筛选；同一列表中同名的被替换."""
    kept, user = SavedFilter._get_collection(), current_principal().id
    place = {"user": user, "list": asked["list"], "name": asked["name"]}
    kept.delete_many(place)
    if kept.count_documents({"user": user}, limit=MOST) >= MOST:
        raise Problem("invalid", fields={"name": [f"至多保存 {MOST} 个筛选，请先删除不用的。"]})
    row = SavedFilter(**place, query=asked["query"]).to_mongo()
    kept.insert_one(row)
    return shown(row)


@blueprint.route("/<record_id:filter_id>", methods=["DELETE"])
@requires()
@blueprint.response(204)
def forget_filter(filter_id: ObjectId) -> None:
    """删除本人保存的筛选."""
    if not SavedFilter._get_collection().delete_one({"_id": filter_id, "user": current_principal().id}).deleted_count:
        raise Problem("not_found")


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kept search as its owner sees it."""
    return {"id": str(row["_id"]), **{name: row[name] for name in ("list", "name", "query")}}

"""The routes of base records: every `Resource` gets the same ones, so that clients learn them once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bson import ObjectId
from marshmallow import Schema, fields, validate

from backend import records
from backend.http.access import requires
from backend.http.api import Blueprint
from backend.http.describing import may_answer
from backend.http.etag import if_match, if_match_version
from backend.http.idempotency import idempotent
from backend.http.paging import PageArgs, paged, read_page
from backend.http.sheets import add_table_routes
from backend.identity import current_principal
from backend.records import Resource

View = Callable[..., Any]

ORDERS = {
    "newest": (("_id", -1),),
    "oldest": (("_id", 1),),
    "code": (("code", 1), ("_id", 1)),
}


class ReasonSchema(Schema):
    """Why a record is disabled or enabled."""

    reason = fields.String(required=True, validate=validate.Length(2, 200), metadata={"description": "原因"})


class PurposeSchema(Schema):
    """Why a person looks at private data."""

    purpose = fields.String(required=True, validate=validate.Length(2, 200), metadata={"description": "查看原因"})


class NearestArgs(Schema):
    """Where to look from; WGS-84 degrees, and how far in metres."""

    longitude = fields.Float(required=True, validate=validate.Range(-180, 180), metadata={"description": "经度"})
    latitude = fields.Float(required=True, validate=validate.Range(-90, 90), metadata={"description": "纬度"})
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100), metadata={"description": "条数"})
    metres = fields.Float(
        load_default=5000, validate=validate.Range(1, 100_000), metadata={"description": "范围（米）"}
    )


class HistoryArgs(Schema):
    """A page of changes."""

    cursor = fields.String(
        validate=validate.Regexp(r"^[0-9a-f]{24}\Z"), metadata={"description": "上一页的 next_cursor"}
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200), metadata={"description": "每页条数"})


class ChangeSchema(Schema):
    """One change of a record: who did what, when; `detail` holds [before, after] by field."""

    id = fields.String()
    at = fields.DateTime()
    action = fields.String()
    actor = fields.String()
    actor_kind = fields.String()
    detail = fields.Dict()


def search_schema(resource: Resource) -> type[Schema]:
    """Return the search conditions of a resource, without paging."""
    conditions = {name: each.schema_field() for name, each in resource.filters.items()}
    area = fields.String(
        validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域路径有误。"),
        metadata={"description": "区域路径"},
    )
    return Schema.from_dict({**conditions, "within": area}, name=f"{resource.document.__name__}Search")


def resource_blueprint(resource: Resource) -> Blueprint:
    """Return the routes of `resource` below /api/v1/<name>."""
    blueprint = Blueprint(resource.name, __name__, url_prefix=f"/api/v1/{resource.name}", description=resource.title)
    schema = resource.schema
    nearest = type(
        f"Nearest{schema.__name__}", (schema,), {"distance": fields.Float(dump_only=True, metadata={"label": "距离"})}
    )
    search = search_schema(resource)
    order = fields.String(
        load_default="newest", validate=validate.OneOf(list(ORDERS)), metadata={"description": "排序"}
    )
    listing = type(f"{resource.document.__name__}List", (PageArgs, search), {"order": order})
    reveal = Schema.from_dict(
        {name: fields.String(allow_none=True) for name in resource.private}, name=f"{resource.document.__name__}Private"
    )

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        return records.present(resource, row)

    def route(rule: str, method: str, name: str, summary: str) -> Callable[[View], View]:
        """Name and describe a route."""

        def decorator(view: View) -> View:
            view.__name__, view.__doc__ = name, f"{summary}{resource.title}"
            return blueprint.route(rule, methods=[method], endpoint=name)(view)

        return decorator

    @route("", "GET", "list", "查询")
    @requires(resource.permission("view"))
    @blueprint.arguments(listing, location="query")
    @blueprint.response(200, paged(schema), ready=True)
    def list_records(asked: dict[str, Any]) -> dict[str, Any]:
        order, within = ORDERS[asked.pop("order")], asked.pop("within", "")
        paging = {name: asked.pop(name) for name in ("cursor", "limit", "count") if name in asked}
        query = records.search(resource, current_principal(), asked, within)
        return read_page(resource.document._get_collection(), query, sort=order, **paging).shown(shown)

    @route("", "POST", "create", "新增")
    @requires(resource.permission("edit"))
    @idempotent
    @may_answer("duplicate")
    @blueprint.arguments(schema)
    @blueprint.response(201, schema, ready=True)
    def create_record(values: dict[str, Any]) -> dict[str, Any]:
        return shown(records.create(resource, current_principal(), values))

    @route("/<record_id:record_id>", "GET", "get", "查看")
    @requires(resource.permission("view"))
    @blueprint.response(200, schema, ready=True)
    def get_record(record_id: ObjectId) -> dict[str, Any]:
        return shown(records.find(resource, current_principal(), record_id))

    @route("/<record_id:record_id>", "PATCH", "change", "修改")
    @requires(resource.permission("edit"))
    @if_match
    @blueprint.arguments(schema(partial=True))
    @blueprint.response(200, schema, ready=True)
    def change_record(changes: dict[str, Any], record_id: ObjectId) -> dict[str, Any]:
        version = if_match_version(record_id)
        return shown(records.change(resource, current_principal(), record_id, version, changes))

    def switch(active: bool) -> View:
        @requires(resource.permission("edit"))
        @if_match
        @blueprint.arguments(ReasonSchema)
        @blueprint.response(200, schema, ready=True)
        def switch_record(asked: dict[str, str], record_id: ObjectId) -> dict[str, Any]:
            version = if_match_version(record_id)
            by = current_principal()
            return shown(records.set_active(resource, by, record_id, version, active, asked["reason"]))

        return switch_record

    route("/<record_id:record_id>/disable", "POST", "disable", "停用")(switch(False))
    route("/<record_id:record_id>/enable", "POST", "enable", "启用")(switch(True))

    @route("/<record_id:record_id>/reveal", "POST", "reveal", "查看完整联系方式：")
    @requires(resource.permission("reveal"))
    @blueprint.arguments(PurposeSchema)
    @blueprint.response(200, reveal, ready=True)
    def reveal_record(asked: dict[str, str], record_id: ObjectId) -> dict[str, Any]:
        by = current_principal()
        return records.reveal(resource, by, records.find(resource, by, record_id), asked["purpose"])

    @route("/<record_id:record_id>/history", "GET", "history", "变更记录：")
    @requires(resource.permission("view"))
    @blueprint.arguments(HistoryArgs, location="query")
    @blueprint.response(200, paged(ChangeSchema))
    def list_changes(asked: dict[str, Any], record_id: ObjectId) -> dict[str, Any]:
        limit = asked.pop("limit")
        entries = records.history(resource, current_principal(), record_id, limit=limit + 1, **asked)
        items = [
            {
                "id": entry.id,
                "at": entry.at,
                "action": entry.action,
                "actor": entry.actor.name,
                "actor_kind": entry.actor.kind,
                "detail": dict(entry.detail),
            }
            for entry in entries[:limit]
        ]
        return {"items": items, "next_cursor": items[-1]["id"] if len(entries) > limit else None}

    if "place" in resource.document._fields:
        items: dict[str, fields.Field[Any]] = {"items": fields.List(fields.Nested(nearest))}
        found = Schema.from_dict(items, name=f"{resource.document.__name__}Nearest")

        @route("/nearest", "GET", "nearest", "由近及远查询")
        @requires(resource.permission("view"))
        @blueprint.arguments(NearestArgs, location="query")
        @blueprint.response(200, found, ready=True)
        def list_nearest(asked: dict[str, Any]) -> dict[str, Any]:
            rows = records.nearest(resource, current_principal(), **asked)
            return {"items": [{**shown(row), "distance": row["distance"]} for row in rows]}

    add_table_routes(resource, route, blueprint, search)
    return blueprint

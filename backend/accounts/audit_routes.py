"""The audit trail for those who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from backend.http import Blueprint, PageArgs, paged, read_page, requires
from backend.identity import current_principal, scope_filter
from backend.protection import audit

blueprint = Blueprint("audit", __name__, url_prefix="/api/v1/audit-entries", description="审计记录")

PERMISSION = "platform:audit"
WORDS = validate.Length(1, 100)


class AuditArgs(PageArgs):
    """Which entries to list."""

    action = fields.String(validate=WORDS, metadata={"description": "操作，如 base_info.compound.change"})
    subject = fields.String(validate=WORDS, metadata={"description": "对象种类，如 base_info.compound"})
    subject_id = fields.String(validate=WORDS, metadata={"description": "对象编号"})
    actor = fields.String(validate=WORDS, metadata={"description": "操作人编号"})
    since = fields.AwareDateTime(metadata={"description": "从此时起"})
    until = fields.AwareDateTime(metadata={"description": "到此时止"})
    within = fields.String(validate=validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z"), metadata={"description": "区域路径"})


class AuditEntrySchema(Schema):
    """One entry; `seq` is null until the entry is sealed. One of an import tells of `subjects` records."""

    id = fields.String()
    seq = fields.Integer(allow_none=True)
    at = fields.DateTime()
    actor = fields.String()
    actor_id = fields.String()
    actor_kind = fields.String()
    address = fields.String()
    action = fields.String()
    subject = fields.String()
    subject_id = fields.String(allow_none=True)
    subjects = fields.Integer()
    area = fields.String()
    detail = fields.Dict()


@blueprint.route("")
@requires(PERMISSION)
@blueprint.arguments(AuditArgs, location="query")
@blueprint.response(200, paged(AuditEntrySchema), ready=True)
def list_entries(asked: dict[str, Any]) -> Any:
    """查询审计记录，新的在前；只见本人负责区域内的."""
    paging = {name: asked[name] for name in ("cursor", "limit", "count") if name in asked}
    equal: dict[str, Any] = {name: asked[name] for name in ("action", "subject", "subject_id") if name in asked}
    if "actor" in asked:
        equal["actor.id"] = asked["actor"]
    times = {operator: asked[name] for name, operator in (("since", "$gte"), ("until", "$lt")) if name in asked}
    if times:
        equal["at"] = times
    scope = scope_filter(current_principal(), PERMISSION, within=asked.get("within", ""))
    query = {"$and": [part for part in (scope, equal) if part]} if scope or equal else {}
    return read_page(audit.entries(), query, sort=(("_id", -1),), **paging).shown(
        lambda row: shown_entry(row, asked.get("subject_id", ""))
    )


def shown_entry(row: Mapping[str, Any], subject_id: str) -> dict[str, Any]:
    """Return an entry as people see it; of one that tells of many records, what it tells of the one asked for."""
    subjects = row["subject_id"] if isinstance(row["subject_id"], list) else [row["subject_id"]]
    shown = subject_id or (subjects[0] if len(subjects) == 1 else None)
    return {
        **{name: row[name] for name in ("at", "action", "subject", "area")},
        "id": str(row["_id"]),
        "seq": row.get("seq"),
        "actor": row["actor"]["name"],
        "actor_id": row["actor"]["id"],
        "actor_kind": row["actor"]["kind"],
        "address": row["actor"]["address"],
        "subject_id": shown,
        "subjects": len(subjects),
        "detail": {} if shown is None else audit.detail_of(row, shown),
    }

"""For administrators: how templates are worded, and messages that could not be sent."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.events import DeadDelivery
from backend.http import Blueprint, Problem, if_match, if_match_version, may_answer, paged, requires
from backend.identity import User, current_principal, require, scope_filter
from backend.inbox.schemas import (
    FailedListSchema,
    HistoryArgs,
    TemplateSchema,
    TemplatesSchema,
    WordingChangeSchema,
    WordingSchema,
)
from backend.messages import (
    Message,
    MessageTemplate,
    Wording,
    WordingChanged,
    WordingError,
    change_wording,
    channels,
    dead_messages,
    send_again,
    template_of,
    templates,
    unknown_channels,
    wordings_of,
)
from backend.protection import audit

blueprint = Blueprint("message_management", __name__, url_prefix="/api/v1", description="消息管理")

PERMISSION = "platform:messages"


@blueprint.route("/message-templates")
@requires(PERMISSION)
@blueprint.response(200, TemplatesSchema, ready=True)
def list_templates() -> Any:
    """全部消息模板."""
    return {
        "items": [shown_template(template, wording) for template, wording in wordings_of(templates())],
        "channels": [{"name": each.name, "meaning": each.title} for each in channels()],
    }


@blueprint.route("/message-templates/<name>", methods=["PATCH"])
@requires(PERMISSION)
@if_match
@blueprint.arguments(WordingSchema)
@blueprint.response(200, TemplateSchema, ready=True)
def change_template(values: dict[str, Any], name: str) -> Any:
    """修改消息模板；模板用于全平台，须在全部区域有此权限."""
    require(current_principal(), PERMISSION, "")
    template = _template(name)
    if unknown := unknown_channels(values.get("channels", ())):
        raise Problem("invalid", fields={"channels": [f"没有渠道 {'、'.join(unknown)}。"]})
    try:
        return shown_template(template, change_wording(template, if_match_version(template.name), values))
    except WordingError as error:
        raise Problem("invalid", fields={error.field: [str(error)]}) from error
    except WordingChanged as error:
        raise Problem("stale_version") from error


@blueprint.route("/message-templates/<name>/history")
@requires(PERMISSION)
@may_answer("not_found")
@blueprint.arguments(HistoryArgs, location="query")
@blueprint.response(200, paged(WordingChangeSchema), ready=True)
def list_wordings(asked: dict[str, Any], name: str) -> Any:
    """消息模板的变更记录，新的在前."""
    limit = asked["limit"]
    entries = audit.history("message_template", _template(name).name, limit + 1, asked.get("cursor"))
    items = [
        {"id": entry.id, "at": entry.at, "actor": entry.actor.name, "detail": dict(entry.detail)}
        for entry in entries[:limit]
    ]
    return {"items": items, "next_cursor": items[-1]["id"] if len(entries) > limit else None}


@blueprint.route("/failed-messages")
@requires(PERMISSION)
@blueprint.response(200, FailedListSchema, ready=True)
def list_failed() -> Any:
    """本人负责区域内发送失败的消息，新的在前，至多 200 条."""
    return {"items": failed_messages(scope_filter(current_principal(), PERMISSION))}


@blueprint.route("/failed-messages/<record_id:delivery_id>/retry", methods=["POST"])
@requires(PERMISSION)
@may_answer("not_found")
@blueprint.response(204)
def retry_failed(delivery_id: ObjectId) -> None:
    """重新发送."""
    if not send_again(scope_filter(current_principal(), PERMISSION), str(delivery_id)):
        raise Problem("not_found")


def shown_template(template: MessageTemplate, wording: Wording) -> dict[str, Any]:
    """Return a template as administrators see it."""
    return {
        "etag": f"{template.name}-{wording.version}",
        "name": template.name,
        "title": wording.title,
        "text": wording.text,
        "channels": list(wording.channels),
        "urgent": template.urgent,
        "own_title": template.title,
        "own_text": template.text,
        "fields": [{"name": name, "meaning": template.fields.get(name, "")} for name in sorted(template.known_fields)],
    }


def failed_messages(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of these areas that could not be sent, with names and titles in two round trips."""
    dead = dead_messages(scope)
    ids = [ObjectId(each.payload["message"]) for each in dead if "message" in each.payload]
    found = {row["_id"]: row for row in Message._get_collection().find({"_id": {"$in": ids}}, {"template": 1, "to": 1})}
    meant = {row["to"] for row in found.values()}
    names = {row["_id"]: row["name"] for row in User._get_collection().find({"_id": {"$in": [*meant]}}, {"name": 1})}
    known = {each.name: each.title for each in templates()}
    ways = {each.name: each.title for each in channels()}

    def shown(each: DeadDelivery) -> dict[str, Any]:
        message = found.get(ObjectId(each.payload.get("message")), {})
        template = message.get("template") or each.payload.get("template", "")
        channel = each.payload.get("channel", "")
        return {
            "id": each.event_id,
            "template": template,
            "title": known.get(template, template),
            "to": names.get(message.get("to"), ""),
            "channel": channel,
            "channel_title": ways.get(channel, channel) if channel else "站内消息",
            "area": each.area,
            "attempts": each.attempts,
            "error": each.error,
            "ended_at": each.ended_at,
        }

    return [shown(each) for each in dead]


def _template(name: str) -> MessageTemplate:
    try:
        return template_of(name)
    except LookupError as error:
        raise Problem("not_found") from error

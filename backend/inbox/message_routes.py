"""A person's own messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.http import Blueprint, Page, Problem, may_answer, paged, read_page, requires
from backend.identity import Principal, current_principal
from backend.inbox.schemas import InboxArgs, MessageSchema, ReadAllSchema, ReadSchema, UnreadSchema, unread
from backend.messages import MOST_COUNTED, Message, count_unread, inbox_filter, mark_all_read, mark_read, text_of
from backend.protection import decrypt_field

blueprint = Blueprint("messages", __name__, url_prefix="/api/v1/messages", description="本人的消息")

NEWEST_FIRST = (("_id", -1),)
PLAIN = ("template", "title", "href", "subject", "subject_id", "area", "urgent", "summed", "created_at")


@blueprint.route("")
@requires()
@blueprint.arguments(InboxArgs, location="query")
@blueprint.response(200, paged(MessageSchema), ready=True)
def list_messages(asked: dict[str, Any]) -> Any:
    """本人的消息，新的在前."""
    return read_inbox(current_principal(), **asked).shown(shown_message)


@blueprint.route("/unread")
@requires()
@blueprint.response(200, UnreadSchema, ready=True)
def count_messages() -> Any:
    """本人的未读消息数."""
    return unread(count_unread(current_principal().id), MOST_COUNTED)


@blueprint.route("/<record_id:message_id>/read", methods=["POST"])
@requires()
@may_answer("not_found")
@blueprint.response(204)
def read_message(message_id: ObjectId) -> None:
    """标为已读；重复提交没有影响."""
    if not mark_read(current_principal().id, message_id):
        raise Problem("not_found")


@blueprint.route("/read-all", methods=["POST"])
@requires()
@blueprint.arguments(ReadAllSchema)
@blueprint.response(200, ReadSchema, ready=True)
def read_all_messages(asked: dict[str, Any]) -> Any:
    """全部标为已读."""
    until = ObjectId(asked["until"]) if "until" in asked else None
    return {"marked": mark_all_read(current_principal().id, until)}


def read_inbox(person: Principal, *, unread: bool = False, **paging: Any) -> Page:
    """Return a page of the person's messages; raises Problem `invalid_cursor`."""
    return read_page(Message._get_collection(), inbox_filter(person.id, unread=unread), sort=NEWEST_FIRST, **paging)


def shown_message(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as its person sees it."""
    text = decrypt_field(Message, row["_id"], "text", row["text"])
    return {
        "id": str(row["_id"]),
        **{name: row[name] for name in PLAIN},
        "text": text_of(text, row["summed"]),
        "read_at": row.get("read_at"),
    }

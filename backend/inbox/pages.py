"""The pages: a person's inbox, and the administration of messages."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from marshmallow import ValidationError

from backend import settings
from backend.http import Problem
from backend.http.pages import page
from backend.identity import area_names, current_principal, permitted, scope_filter
from backend.inbox.choice_routes import shown_choice
from backend.inbox.management_routes import PERMISSION, failed_messages, shown_template
from backend.inbox.message_routes import read_inbox, shown_message
from backend.inbox.schemas import InboxArgs
from backend.messages import ALL, channels, choice_of, templates, wordings_of

pages = Blueprint(
    "inbox", __name__, template_folder="templates", static_folder="static", static_url_path="/static/inbox"
)


@pages.route("/messages")
@page()
def messages() -> str:
    """消息：本人收到的消息."""
    principal = current_principal()
    try:
        asked = InboxArgs().load({name: request.args[name] for name in ("cursor", "unread") if name in request.args})
        found = read_inbox(principal, **{**asked, "limit": 20})
    except (Problem, ValidationError):
        # An address that somebody has cut or kept for too long shows the beginning.
        asked, found = {"unread": False}, read_inbox(principal, limit=20)
    return render_template(
        "messages.html",
        items=[shown_message(row) for row in found.items],
        next_cursor=found.next_cursor,
        first=not asked.get("cursor"),
        unread_only=asked["unread"],
    )


@pages.route("/messages/settings")
@page()
def message_settings() -> str:
    """消息设置：接收渠道与免打扰时段."""
    choice = shown_choice(choice_of(current_principal().id))
    return render_template("message_settings.html", choice=choice, platform_hours=settings.current().quiet_hours)


@pages.route("/messages/manage")
@page(PERMISSION)
def manage() -> str:
    """消息管理：模板与发送失败的消息."""
    principal = current_principal()
    failed = failed_messages(scope_filter(principal, PERMISSION))
    return render_template(
        "manage_messages.html",
        templates=[shown_template(template, wording) for template, wording in wordings_of(templates())],
        channels=channels(),
        all_channels=ALL,
        may_edit=permitted(principal, PERMISSION, ""),
        failed=failed,
        areas=area_names(each["area"] for each in failed),
    )

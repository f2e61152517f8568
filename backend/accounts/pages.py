"""The pages: login, home with the person's menu, own account; and the frame that other pages extend (`base.html`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.accounts.me_routes import shown_me
from backend.accounts.menu import menu_of
from backend.accounts.session_routes import shown_session
from backend.http.pages import dressed, page, sent_elsewhere
from backend.identity import (
    COOKIE,
    USER_TYPES,
    NotLoggedIn,
    Principal,
    area_names,
    current_principal,
    end_session,
)
from backend.identity.errors import IdentityError
from backend.identity.people import own_user
from backend.identity.sessions import sessions_of
from backend.messages import MOST_COUNTED, count_unread
from backend.storage import LOCAL_ZONE

pages = Blueprint(
    "accounts", __name__, template_folder="templates", static_folder="static", static_url_path="/static/accounts"
)


@pages.route("/login")
def login() -> AnyResponse:
    """登录页."""
    wanted = own_address(request.args.get("next", ""))
    try:
        current_principal(before_password_change=True)
    except NotLoggedIn:
        return dressed(render_template("login.html", next=wanted, account_page=url_for("accounts.account")))
    return redirect(wanted)


@pages.post("/logout")
def logout() -> AnyResponse:
    """退出登录."""
    try:
        principal = current_principal(before_password_change=True)
    except NotLoggedIn:
        return redirect(url_for("accounts.login"), 303)
    if principal.session is not None:
        end_session(principal.session)
    answer = redirect(url_for("accounts.login"), 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@pages.route("/")
@page()
def home() -> str:
    """首页：本人可用的模块."""
    principal = current_principal()
    grants = {grant.area for grant in principal.grants}
    names = area_names(grants)
    return render_template(
        "home.html",
        menu=menu_of(principal),
        greeting=greeting(datetime.now(LOCAL_ZONE).hour),
        user_type=USER_TYPES[principal.user_type],
        areas=[names.get(area, area) if area else "全部区域" for area in sorted(grants)],
    )


@pages.route("/account")
def account() -> AnyResponse:
    """本人账号页；须修改初始密码的人也可打开."""
    try:
        principal = current_principal(before_password_change=True)
    except NotLoggedIn:
        return sent_elsewhere() or redirect(url_for("accounts.login"))
    return dressed(
        render_template(
            "account.html",
            me=shown_me(principal, own_user(principal)),
            sessions=[shown_session(session, principal.session) for session in sessions_of(principal.id)],
        )
    )


def own_address(wanted: str) -> str:
    """Return where to go after the login: an address of this server, the home page for anything else."""
    parts = urlsplit(wanted)
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if plain and not parts.netloc and not parts.scheme else "/"


def greeting(hour: int) -> str:
    """Return how one greets at this hour."""
    for end, words in ((5, "夜深了"), (9, "早上好"), (12, "上午好"), (14, "中午好"), (18, "下午好")):
        if hour < end:
            return words
    return "晚上好"


@pages.app_context_processor
def frame() -> dict[str, Any]:
    """Give every page the person whose name stands in the frame, and how many messages wait for him or her."""
    return {"signed_in_person": _person_or_none, "unread_messages": _unread}


def _person_or_none() -> Principal | None:
    try:
        return current_principal(before_password_change=True)
    except IdentityError:
        return None


def _unread(person: Principal) -> str:
    count = count_unread(person.id)
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count or "")


@pages.app_template_filter("local_time")
def local_time(moment: datetime | None) -> str:
    """Show a time of the store as people here read it: 2026-01-31 08:30."""
    return moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else "—"


@pages.app_template_filter("device")
def device(user_agent: str) -> str:
    """Name the device and the browser behind a user agent, roughly."""
    systems = {
        "iPhone": "iPhone", "iPad": "iPad", "HarmonyOS": "鸿蒙设备", "Android": "安卓设备",
        "Windows": "Windows 电脑", "Mac OS X": "Mac 电脑", "Linux": "Linux 电脑",
    }  # fmt: skip
    browsers = {
        "TaurusApp": "浙政钉", "DtDreamWeb": "浙里办", "MicroMessenger": "微信", "Edg/": "Edge", "Firefox/": "Firefox",
        "Chrome/": "Chrome", "Safari/": "Safari",
    }  # fmt: skip
    system = next((name for mark, name in systems.items() if mark.lower() in user_agent.lower()), "其他设备")
    browser = next((name for mark, name in browsers.items() if mark.lower() in user_agent.lower()), "程序")
    return f"{system} · {browser}"

"""Login, refresh, logout, and the list of one's sessions."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Response, jsonify, make_response, request

from backend import settings
from backend.accounts.schemas import LoginSchema, RefreshSchema, SessionsSchema, TokensSchema
from backend.accounts.signed_in import signed_in
from backend.http import Blueprint, Problem, limited_by_address, may_answer
from backend.identity import COOKIE, Session, current_client, current_principal, end_session, log_in, refresh
from backend.identity.requests import is_foreign
from backend.identity.sessions import Tokens, sessions_of

blueprint = Blueprint("sessions", __name__, url_prefix="/api/v1/sessions", description="登录、续期、退出")


@blueprint.route("", methods=["POST"])
@limited_by_address(lambda: settings.current().login_rate)
@may_answer("wrong_credentials", "account_locked", "account_disabled", "foreign_origin")
@blueprint.arguments(LoginSchema)
@blueprint.response(201, TokensSchema, ready=True)
def create_session(values: dict[str, Any]) -> Any:
    """账号密码登录."""
    if values["cookie"] and is_foreign(request):
        # Nobody may be signed in to another's account by a page of another site.
        raise Problem("foreign_origin")
    tokens = log_in(values["account"], values["password"], current_client(), for_pages=values["cookie"])
    if not values["cookie"]:
        return _shown(tokens)
    answer = make_response(jsonify(_shown(tokens)), 201)
    answer.set_cookie(COOKIE, tokens.access, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return answer


@blueprint.route("/refresh", methods=["POST"])
@limited_by_address(lambda: settings.current().login_rate)
@may_answer("refresh_refused")
@blueprint.arguments(RefreshSchema)
@blueprint.response(200, TokensSchema, ready=True)
def refresh_session(values: dict[str, Any]) -> Any:
    """用续期令牌换取新令牌；旧续期令牌再次出现时，该登录即被注销."""
    return _shown(refresh(values["refresh_token"]))


@blueprint.route("")
@signed_in
@blueprint.response(200, SessionsSchema, ready=True)
def list_sessions() -> Any:
    """本人的登录."""
    principal = current_principal(before_password_change=True)
    return {"items": [shown_session(session, principal.session) for session in sessions_of(principal.id)]}


@blueprint.route("/current", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def delete_current_session() -> Any:
    """退出登录."""
    end_session(_current())
    answer = Response(status=204)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@blueprint.route("/<record_id:session_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def delete_session(session_id: ObjectId) -> None:
    """注销本人的某个登录."""
    principal = current_principal(before_password_change=True)
    if session_id not in {session.id for session in sessions_of(principal.id)}:
        raise Problem("not_found")
    end_session(session_id)


def shown_session(session: Session, current: ObjectId | None = None) -> dict[str, Any]:
    """Return a session as people see it; nothing of its tokens."""
    return {
        "id": session.id,
        "address": session.address or "",
        "user_agent": session.user_agent or "",
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "current": session.id == current,
    }


def _current() -> ObjectId:
    session = current_principal(before_password_change=True).session
    if session is None:
        raise Problem("not_found")
    return session


def _shown(tokens: Tokens) -> dict[str, Any]:
    secret = {"access_token": tokens.access, "refresh_token": tokens.refresh} if tokens.refresh else {}
    return {
        "session_id": tokens.session,
        **secret,
        "expires_at": tokens.access_expires_at,
        "must_change_password": tokens.must_change_password,
    }

"""Administration of accounts."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.accounts.present import shown_user
from backend.accounts.schemas import (
    ContactQuerySchema,
    ContactSchema,
    GrantsSchema,
    NewUserSchema,
    SessionsSchema,
    UserFieldsSchema,
    UserQuerySchema,
    UserSchema,
    UserWithPasswordSchema,
)
from backend.accounts.session_routes import shown_session
from backend.http import (
    Blueprint,
    Problem,
    check_if_match,
    idempotent,
    if_match,
    may_answer,
    paged,
    read_page,
    requires,
)
from backend.identity import User, current_principal, end_session, people
from backend.identity.sessions import sessions_of

blueprint = Blueprint("users", __name__, url_prefix="/api/v1/users", description="用户管理")


@blueprint.route("")
@requires("platform:users")
@blueprint.arguments(UserQuerySchema, location="query")
@blueprint.response(200, paged(UserSchema), ready=True)
def list_users(query: dict[str, Any]) -> Any:
    """查询用户."""
    page = {name: query.pop(name) for name in ("cursor", "limit", "count") if name in query}
    found = people.user_filter(current_principal(), **query)
    return read_page(User._get_collection(), found, sort=[("_id", 1)], **page).shown(shown_user)


@blueprint.route("/search", methods=["POST"])
@requires("platform:users")
@blueprint.arguments(ContactQuerySchema)
@blueprint.response(200, paged(UserSchema), ready=True)
def search_users(query: dict[str, Any]) -> Any:
    """按完整的手机号或身份证号查询；不用 GET，以免号码留在地址与日志中."""
    found = people.user_filter(current_principal(), **query)
    return read_page(User._get_collection(), found, sort=[("_id", 1)], limit=200).shown(shown_user)


@blueprint.route("", methods=["POST"])
@requires("platform:users")
@idempotent
@may_answer("already_exists")
@blueprint.arguments(NewUserSchema)
@blueprint.response(201, UserWithPasswordSchema, ready=True)
def create_user(values: dict[str, Any]) -> Any:
    """新增用户；初始密码只在此答复中出现一次."""
    user, password = people.add_user(current_principal(), values)
    return {**_shown(user), "initial_password": password}


@blueprint.route("/<record_id:user_id>")
@requires("platform:users")
@blueprint.response(200, UserSchema, ready=True)
def get_user(user_id: ObjectId) -> Any:
    """用户资料."""
    return _shown(people.find_user(current_principal(), user_id))


@blueprint.route("/<record_id:user_id>", methods=["PATCH"])
@requires("platform:users")
@if_match
@blueprint.arguments(UserFieldsSchema)
@blueprint.response(200, UserSchema, ready=True)
def change_user(values: dict[str, Any], user_id: ObjectId) -> Any:
    """修改用户资料."""
    return _shown(people.change_user(current_principal(), _to_change(user_id), values))


@blueprint.route("/<record_id:user_id>/contact")
@requires("platform:unmask")
@blueprint.response(200, ContactSchema, ready=True)
def get_contact(user_id: ObjectId) -> Any:
    """完整手机号、身份证号；每次查看均留痕."""
    principal = current_principal()
    return people.reveal_contact(principal, people.find_user(principal, user_id))


@blueprint.route("/<record_id:user_id>/disable", methods=["POST"])
@requires("platform:users")
@if_match
@blueprint.response(200, UserSchema, ready=True)
def disable_user(user_id: ObjectId) -> Any:
    """停用用户，其登录立即失效."""
    return _shown(people.set_active(current_principal(), _to_change(user_id), active=False))


@blueprint.route("/<record_id:user_id>/enable", methods=["POST"])
@requires("platform:users")
@if_match
@blueprint.response(200, UserSchema, ready=True)
def enable_user(user_id: ObjectId) -> Any:
    """启用用户."""
    return _shown(people.set_active(current_principal(), _to_change(user_id), active=True))


@blueprint.route("/<record_id:user_id>/grants", methods=["PUT"])
@requires("platform:users")
@if_match
@blueprint.arguments(GrantsSchema)
@blueprint.response(200, UserSchema, ready=True)
def set_grants(values: dict[str, Any], user_id: ObjectId) -> Any:
    """设置用户的角色与区域；只能授予本人拥有的权限."""
    return _shown(people.set_grants(current_principal(), _to_change(user_id), values["grants"]))


@blueprint.route("/<record_id:user_id>/reset-password", methods=["POST"])
@requires("platform:users")
@if_match
@blueprint.response(200, UserWithPasswordSchema, ready=True)
def reset_password(user_id: ObjectId) -> Any:
    """重置密码并解除锁定；新的初始密码只在此答复中出现一次."""
    user, password = people.reset_password(current_principal(), _to_change(user_id))
    return {**_shown(user), "initial_password": password}


@blueprint.route("/<record_id:user_id>/sessions")
@requires("platform:users")
@blueprint.response(200, SessionsSchema, ready=True)
def list_sessions(user_id: ObjectId) -> Any:
    """用户的登录."""
    user = people.find_user(current_principal(), user_id)
    return {"items": [shown_session(session, current_principal().session) for session in sessions_of(user.id)]}


@blueprint.route("/<record_id:user_id>/sessions/<record_id:session_id>", methods=["DELETE"])
@requires("platform:users")
@blueprint.response(204)
def delete_session(user_id: ObjectId, session_id: ObjectId) -> None:
    """注销用户的某个登录."""
    principal = current_principal()
    user = people.find_user(principal, user_id)
    people.check_may_administer(principal, user)
    if session_id not in {session.id for session in sessions_of(user.id)}:
        raise Problem("not_found")
    end_session(session_id)


def _to_change(user_id: ObjectId) -> User:
    user = people.find_user(current_principal(), user_id)
    check_if_match(user)
    return user


def _shown(user: User) -> dict[str, Any]:
    return shown_user(user.to_mongo())

"""A person's own account: profile, password, menu."""

from __future__ import annotations

from typing import Any

from backend.accounts.menu import menu_of
from backend.accounts.present import shown_user
from backend.accounts.schemas import MenuSchema, MeSchema, PasswordChangeSchema, ProfileSchema
from backend.accounts.signed_in import signed_in
from backend.http import Blueprint, check_if_match, if_match, may_answer, requires
from backend.identity import Organisation, Principal, User, area_names, current_principal, permitted
from backend.identity.people import change_own_password, change_own_profile, own_user

blueprint = Blueprint("me", __name__, url_prefix="/api/v1/me", description="本人的账号")


@blueprint.route("")
@signed_in
@blueprint.response(200, MeSchema, ready=True)
def get_me() -> Any:
    """本人资料与权限."""
    principal = current_principal(before_password_change=True)
    return shown_me(principal, own_user(principal))


@blueprint.route("", methods=["PATCH"])
@requires()
@if_match
@blueprint.arguments(ProfileSchema)
@blueprint.response(200, MeSchema, ready=True)
def change_me(values: dict[str, Any]) -> Any:
    """修改本人姓名、手机号."""
    principal = current_principal()
    check_if_match(own_user(principal))
    return shown_me(principal, change_own_profile(principal, values))


@blueprint.route("/password", methods=["POST"])
@signed_in
@may_answer("stale_version")
@blueprint.arguments(PasswordChangeSchema)
@blueprint.response(204)
def change_password(values: dict[str, Any]) -> None:
    """修改密码；本人的其他登录随即失效."""
    principal = current_principal(before_password_change=True)
    change_own_password(principal, values["old_password"], values["password"])


@blueprint.route("/menu")
@requires()
@blueprint.response(200, MenuSchema, ready=True)
def get_menu() -> Any:
    """本人可用的菜单."""
    entries = menu_of(current_principal())
    return {"items": [{"name": entry.name, "title": entry.title, "href": entry.href} for entry in entries]}


def shown_me(principal: Principal, user: User) -> dict[str, Any]:
    """Return the person's account with names and permissions."""
    organisation = Organisation.objects(id=user.organisation).only("name").first() if user.organisation else None
    held = {name for grant in principal.grants for name in grant.permissions}
    return {
        **shown_user(user.to_mongo()),
        "area_name": area_names([user.area]).get(user.area, ""),
        "organisation_name": organisation.name if organisation else "",
        "permissions": sorted(name for name in held if permitted(principal, name)),
    }

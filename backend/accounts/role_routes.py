"""Roles, and the permissions that they are made of."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.accounts.present import shown_role
from backend.accounts.schemas import NewRoleSchema, PermissionsSchema, RoleFieldsSchema, RoleSchema, RolesSchema
from backend.http import Blueprint, Problem, check_if_match, idempotent, if_match, may_answer, requires
from backend.identity import Role, current_principal, known_permissions
from backend.identity import roles as service

blueprint = Blueprint("roles", __name__, url_prefix="/api/v1", description="角色与权限")


@blueprint.route("/permissions")
@requires()
@blueprint.response(200, PermissionsSchema, ready=True)
def list_permissions() -> Any:
    """全部权限."""
    return {"items": [{"name": each.name, "title": each.title, "module": each.module} for each in known_permissions()]}


@blueprint.route("/roles")
@requires()
@blueprint.response(200, RolesSchema, ready=True)
def list_roles() -> Any:
    """全部角色."""
    return {"items": [shown_role(row) for row in Role._get_collection().find().sort("name")]}


@blueprint.route("/roles", methods=["POST"])
@requires("platform:roles")
@idempotent
@may_answer("already_exists")
@blueprint.arguments(NewRoleSchema)
@blueprint.response(201, RoleSchema, ready=True)
def create_role(values: dict[str, Any]) -> Any:
    """新增角色."""
    return shown_role(service.add_role(current_principal(), **values).to_mongo())


@blueprint.route("/roles/<record_id:role_id>", methods=["PATCH"])
@requires("platform:roles")
@if_match
@blueprint.arguments(RoleFieldsSchema)
@blueprint.response(200, RoleSchema, ready=True)
def change_role(values: dict[str, Any], role_id: ObjectId) -> Any:
    """修改角色；对持有者立即生效."""
    return shown_role(service.change_role(current_principal(), _to_change(role_id), values).to_mongo())


@blueprint.route("/roles/<record_id:role_id>", methods=["DELETE"])
@requires("platform:roles")
@if_match
@may_answer("conflict")
@blueprint.response(204)
def delete_role(role_id: ObjectId) -> None:
    """删除无人使用的角色."""
    service.delete_role(current_principal(), _to_change(role_id))


def _to_change(role_id: ObjectId) -> Role:
    role = Role.objects(id=role_id).first()
    if role is None:
        raise Problem("not_found")
    check_if_match(role)
    return role

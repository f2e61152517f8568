"""Roles: named sets of permissions that administrators make and edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backend.identity import changes
from backend.identity.errors import Forbidden, IdentityError, Invalid
from backend.identity.models import Role, User
from backend.identity.permissions import known_permissions
from backend.identity.principal import Principal
from backend.identity.scope import may_hand_on, require
from backend.storage import atomically


class RoleInUse(IdentityError):
    """A role that somebody holds, or that is built in, cannot be deleted."""

    code = "conflict"
    status = 409
    detail = "该角色为内置角色或仍有人使用，不能删除。"


def add_role(principal: Principal, name: str, title: str, permissions: Iterable[str]) -> Role:
    """Make a role; raises Forbidden, Invalid or Taken."""
    require(principal, "platform:roles", "")
    wanted = _checked(principal, permissions, already=())
    return changes.add(Role(name=name, title=title, permissions=wanted), "platform.role.add", {"permissions": wanted})


def change_role(principal: Principal, role: Role, values: Mapping[str, Any]) -> Role:
    """Change title or permissions of a role that was read; all who hold it are affected from their next request on.

    Raises Forbidden, Invalid or Stale.
    """
    require(principal, "platform:roles", "")

    def apply(record: Role) -> Mapping[str, Any]:
        record.title = values.get("title", record.title)
        before = set(record.permissions)
        record.permissions = _checked(principal, values.get("permissions", before), already=before)
        after = set(record.permissions)
        return {"added": sorted(after - before), "removed": sorted(before - after)}

    return changes.change(Role, role.id, role.version, apply, "platform.role.change")


def delete_role(principal: Principal, role: Role) -> None:
    """Delete a role that was read and that nobody holds; raises Forbidden, RoleInUse or Stale."""
    require(principal, "platform:roles", "")

    def work() -> None:
        if role.built_in or User.objects(grants__role=role.name).only("id").first():
            raise RoleInUse
        changes.remove(role, "platform.role.remove", {"name": role.name})

    atomically(work)


def _checked(principal: Principal, permissions: Iterable[str], *, already: Iterable[str]) -> list[str]:
    wanted, known = set(permissions), {permission.name for permission in known_permissions()}
    # A permission of a plugin that is not loaded now may stay in a role; it cannot be added.
    if unknown := wanted - known - set(already):
        raise Invalid(fields={"permissions": [f"没有这些权限：{'、'.join(sorted(unknown))}。"]})
    if not may_hand_on(principal, wanted - set(already), ""):
        raise Forbidden("您只能授予自己拥有的权限。")
    return sorted(wanted)

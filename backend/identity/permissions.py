"""Permissions, the types of people, and the built-in role of each type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from backend.identity.models import Role
from backend.identity.vocabulary import PLATFORM, USER_TYPES
from backend.storage import DUPLICATE_KEY, utcnow


@dataclass(frozen=True)
class Permission:
    """What a person may be allowed to do: `name` is `module:action`, `roles` are the user types that hold it at first.

    The built-in role of a user type has the type's name. Administrators hold every permission at first.
    """

    name: str
    title: str
    roles: Sequence[str] = ()

    def __post_init__(self) -> None:
        module, _, action = self.name.partition(":")
        if not module or not action:
            raise ValueError(f"A permission is called module:action, not {self.name!r}.")
        if unknown := set(self.roles) - set(USER_TYPES):
            raise ValueError(f"{self.name}: no user type is called {', '.join(sorted(unknown))}.")

    @property
    def module(self) -> str:
        """Return the part before the colon."""
        return module_of(self.name)


def module_of(permission: str) -> str:
    """Return the module that a permission's name begins with."""
    return permission.partition(":")[0]


PLATFORM_PERMISSIONS = (
    Permission("platform:users", "管理用户", ("district_staff", "street_staff")),
    Permission("platform:unmask", "查看用户完整联系方式"),
    Permission("platform:roles", "管理角色"),
    Permission("platform:areas", "管理区域"),
    Permission("platform:organisations", "管理单位", ("district_staff", "street_staff")),
    Permission("platform:modules", "启用和停用模块"),
    Permission("platform:audit", "查看审计记录"),
    Permission("platform:messages", "管理消息模板和发送"),
    Permission("platform:guests", "生成驾驶舱访客链接", ("district_staff", "street_staff")),
    Permission("platform:boards", "编排驾驶舱面板"),
    Permission("platform:health", "查看系统运行状况", ("district_staff",)),
)

_known: dict[str, Permission] = {}


def known_permissions() -> list[Permission]:
    """Return every permission that this process installed, by name."""
    return sorted(_known.values(), key=lambda permission: permission.name)


def known_modules() -> list[str]:
    """Return the modules that can be switched on and off, by name."""
    return sorted({permission.module for permission in _known.values()} - {PLATFORM})


def know_permissions(permissions: Iterable[Permission]) -> None:
    """Make these and the platform's own the permissions of this process."""
    _known.clear()
    _known.update({permission.name: permission for permission in (*PLATFORM_PERMISSIONS, *permissions)})


def install_roles(permissions: Iterable[Permission]) -> None:
    """Make the built-in roles, and give each the permissions that it was never offered before.

    What an administrator took out of a role stays out, and what he added stays in. Safe to run in many processes.
    """
    know_permissions(permissions)
    roles = Role._get_collection()
    now = utcnow()
    _write_ignoring_duplicates(
        [
            UpdateOne(
                {"name": name},
                {
                    "$setOnInsert": {
                        "title": title,
                        "built_in": True,
                        "permissions": [],
                        "offered": [],
                        "version": 1,
                        "created_at": now,
                        "updated_at": now,
                    }
                },
                upsert=True,
            )
            for name, title in USER_TYPES.items()
        ]
    )
    # One conditional update for each permission, so that two processes starting together cannot undo an edit.
    offered = {row["name"]: set(row["offered"]) for row in roles.find({"built_in": True}, {"name": 1, "offered": 1})}
    _write_ignoring_duplicates(
        [
            UpdateOne(
                {"name": role, "offered": {"$ne": permission.name}},
                {
                    "$addToSet": {"permissions": permission.name, "offered": permission.name},
                    "$inc": {"version": 1},
                    "$set": {"updated_at": now},
                },
            )
            for permission in known_permissions()
            for role in sorted({*permission.roles, "administrator"})
            if permission.name not in offered.get(role, ())
        ]
    )


def _write_ignoring_duplicates(updates: list[UpdateOne]) -> None:
    if not updates:
        return
    try:
        Role._get_collection().bulk_write(updates, ordered=False)
    except BulkWriteError as error:
        # Two processes upserted the same role; one of them made it, which is all that is wanted.
        if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise

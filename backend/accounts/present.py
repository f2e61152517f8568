"""Stored rows as the API shows them: private fields masked, hashes never."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.http import etag_of
from backend.identity import ORGANISATION_KINDS, USER_TYPES, User
from backend.protection import decrypt_field, mask

Row = Mapping[str, Any]


def shown_user(row: Row) -> dict[str, Any]:
    """Return an account; phone and identity card are masked."""
    return {
        **_identified(row),
        **{name: row[name] for name in ("account", "name", "user_type", "area", "must_change_password", "active")},
        "user_type_title": USER_TYPES[row["user_type"]],
        "organisation": row.get("organisation"),
        "phone": _masked(row, "phone"),
        "id_number": _masked(row, "id_number"),
        "grants": [
            {"role": grant["role"], "area": grant["area"], "organisation": grant.get("organisation")}
            for grant in row.get("grants", ())
        ],
        "last_login_at": row.get("last_login_at"),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def shown_role(row: Row) -> dict[str, Any]:
    """Return a role."""
    shown = {name: row[name] for name in ("name", "title", "built_in")}
    return {**_identified(row), **shown, "permissions": row.get("permissions", [])}


def shown_area(row: Row) -> dict[str, Any]:
    """Return an area, with its boundary when that was read."""
    shown = {name: row[name] for name in ("path", "code", "name", "level", "active")}
    boundary = {"boundary": row["boundary"] or None} if "boundary" in row else {}
    return {**_identified(row), **shown, "parent": row.get("parent", ""), **boundary}


def shown_organisation(row: Row) -> dict[str, Any]:
    """Return an organisation."""
    shown = {name: row[name] for name in ("kind", "name", "area", "active")}
    return {**_identified(row), **shown, "kind_title": ORGANISATION_KINDS[row["kind"]]}


def shown_switch(row: Row) -> dict[str, Any]:
    """Return a module switch."""
    return {**_identified(row), **{name: row[name] for name in ("module", "area", "enabled")}}


def _identified(row: Row) -> dict[str, Any]:
    return {"id": str(row["_id"]), "etag": etag_of(row).strip('"')}


def _masked(row: Row, field: str) -> str:
    return mask(field, decrypt_field(User, row["_id"], field, row.get(field)))

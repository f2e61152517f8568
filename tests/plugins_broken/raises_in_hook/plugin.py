"""Raises in a hook."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import MenuEntry, Permission, hookimpl


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Return one permission, which must not be left behind."""
    return [Permission("raises_in_hook:view", "查看")]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Raise."""
    raise KeyError("menu of 13812345678")

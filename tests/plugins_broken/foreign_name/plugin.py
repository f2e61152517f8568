"""Adds a permission of `sound`."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import Permission, hookimpl


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Return a permission of another module."""
    return [Permission("sound:everything", "冒用", ("resident",))]

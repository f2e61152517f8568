"""Is slow."""

from __future__ import annotations

import time
from collections.abc import Sequence

from backend.plugin_api import Permission, hookimpl


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Return a permission, late."""
    time.sleep(0.3)
    return [Permission("slow_hook:view", "查看")]

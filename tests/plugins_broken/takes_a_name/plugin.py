"""Uses a taken name."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import Theme, hookimpl


@hookimpl
def register_themes() -> Sequence[Theme]:
    """Return a theme that `sound` opens already."""
    return [Theme(name="sound_theme", title="重名")]

"""Adds a little of most things."""

from __future__ import annotations

from collections.abc import Sequence

from mongoengine import StringField

from backend.plugin_api import (
    Blueprint,
    DeviceFacts,
    Figure,
    Figures,
    Health,
    HealthCheck,
    MenuEntry,
    Panel,
    Permission,
    Record,
    Theme,
    hookimpl,
)

routes = Blueprint("sound", __name__, url_prefix="/api/v1/sounds")


class SoundReading(Record):
    """Something heard."""

    meta = {"collection": "sound_readings"}
    text = StringField()


@routes.route("")
def answer() -> dict[str, str]:
    """Say that all is well."""
    return {"sound": "yes"}


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Return two permissions, not in order."""
    return [Permission("sound:view", "查看"), Permission("sound:edit", "修改")]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return the document."""
    return [SoundReading]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return the route."""
    return [routes]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Return the menu entry."""
    return [MenuEntry(name="sound", title="完好", permission="sound:view", href="/sounds")]


@hookimpl
def register_themes() -> Sequence[Theme]:
    """Return the theme."""
    return [Theme(name="sound_theme", title="完好")]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return the panel."""
    return [
        Panel(
            name="sound.panel",
            title="完好",
            theme="sound_theme",
            permission="sound:view",
            show=lambda view: Figures([Figure("完好", 1, "个")]),
        )
    ]


@hookimpl
def register_health_checks() -> Sequence[HealthCheck]:
    """Return the check."""
    return [HealthCheck(name="sound.check", title="完好", run=lambda: Health("ok", "一切正常"))]


@hookimpl
def find_device(code: str) -> DeviceFacts | None:
    """Know one device."""
    if code != "D1":
        return None
    return DeviceFacts(code=code, name="甲", kind="camera", area="330110", active=True, secret="s")

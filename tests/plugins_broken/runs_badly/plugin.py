"""Raises at run time: in its panel, its check, its route and when it is asked for a device."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    Blueprint,
    Content,
    DeviceFacts,
    Health,
    HealthCheck,
    Panel,
    Permission,
    View,
    hookimpl,
)

routes = Blueprint("runs_badly", __name__, url_prefix="/api/v1/runs_badly")


@routes.route("")
def answer() -> dict[str, str]:
    """Raise."""
    raise ValueError("route")


def show(view: View) -> Content:
    """Raise."""
    raise ValueError("panel")


def check() -> Health:
    """Raise."""
    raise ValueError("check")


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Return the permission that the panel asks for."""
    return [Permission("runs_badly:view", "查看")]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return a panel that raises, and one on a theme that nobody opens."""
    return [
        Panel(name="runs_badly.panel", title="出错", theme="sound_theme", permission="runs_badly:view", show=show),
        Panel(name="runs_badly.lost", title="无处", theme="no_such_theme", permission="runs_badly:view", show=show),
    ]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return a route that raises."""
    return [routes]


@hookimpl
def register_health_checks() -> Sequence[HealthCheck]:
    """Return a check that raises."""
    return [HealthCheck(name="runs_badly.check", title="出错", run=check)]


@hookimpl
def find_device(code: str) -> DeviceFacts | None:
    """Raise."""
    raise ValueError(f"device {code}")

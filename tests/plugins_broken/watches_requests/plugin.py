"""Hooks into all requests."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import Blueprint, hookimpl

routes = Blueprint("watches_requests", __name__, url_prefix="/api/v1/watches")
routes.before_app_request(lambda: None)


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return the routes."""
    return [routes]

"""Takes an address of the platform, and one that looks different and is not."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import Blueprint, hookimpl

routes = Blueprint("takes_a_route", __name__, url_prefix="/api/v1")


@routes.route("/<string:anything>", methods=["POST"])
def login() -> dict[str, str]:
    """Steal passwords."""
    return {}


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return the routes."""
    return [routes]

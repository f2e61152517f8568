"""Count what a plugin's routes do wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request

from backend.monitoring import faults
from backend.plugin_api.registry import PLATFORM, Registry

Handler = Callable[[Exception], Any]


def observe_plugins(app: Flask, registry: Registry) -> None:
    """Count unexpected errors in plugins' routes as their faults; to be called when all routes are on `app`.

    The answer stays what the app's own handler of unexpected errors makes of it.
    """
    owners = {blueprint.name: registry.owner_of(blueprint) for blueprint in registry.blueprints}
    answer: Handler = app.error_handler_spec[None][None][Exception]

    def counted(error: Exception) -> Any:
        owner = owners.get(request.blueprint or "", PLATFORM)
        if owner != PLATFORM:
            # The template and not the address: an address may hold a person's number.
            rule = request.url_rule.rule if request.url_rule else ""
            faults.record(owner, f"route {request.method} {rule}", error)
        return answer(error)

    app.register_error_handler(Exception, counted)

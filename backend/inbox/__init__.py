"""The routes and pages of messages: a person's inbox and choice of channels, and their administration."""

from __future__ import annotations

from flask import Flask

from backend.http import Api
from backend.inbox import choice_routes, management_routes, message_routes
from backend.inbox.pages import pages

__all__ = ["BLUEPRINTS", "install"]

#: The API routes.
BLUEPRINTS = (message_routes.blueprint, choice_routes.blueprint, management_routes.blueprint)


def install(app: Flask, api: Api) -> None:
    """Add the routes to the API and the pages to the app; pages of `backend.accounts` have to be there."""
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(pages)

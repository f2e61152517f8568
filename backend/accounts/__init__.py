"""The routes and pages of identity: login, own account, users, roles, areas, organisations, module switches."""

from __future__ import annotations

from flask import Flask

from backend.accounts import (
    audit_routes,
    me_routes,
    role_routes,
    saved_filters,
    session_routes,
    territory_routes,
    user_routes,
)
from backend.accounts.menu import install as install_menu
from backend.accounts.menu import menu_of
from backend.accounts.pages import pages
from backend.http import Api

__all__ = ["BLUEPRINTS", "DOCUMENTS", "install", "install_menu", "menu_of"]

#: The API routes.
BLUEPRINTS = (
    session_routes.blueprint,
    me_routes.blueprint,
    user_routes.blueprint,
    role_routes.blueprint,
    territory_routes.blueprint,
    audit_routes.blueprint,
    saved_filters.blueprint,
)
#: What is stored here.
DOCUMENTS = (saved_filters.SavedFilter,)


def install(app: Flask, api: Api) -> None:
    """Add the routes to the API and the pages to the app."""
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(pages)

"""A platform of its own with the plugins that must be refused, and two people."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import accounts, health, http, storage
from backend.events import DOCUMENTS as EVENT_DOCUMENTS
from backend.identity import DOCUMENTS as IDENTITY_DOCUMENTS
from backend.identity import PLATFORM_PERMISSIONS, Area, Client, install_roles, log_in
from backend.identity.people import make_user
from backend.jobs import DOCUMENTS as JOB_DOCUMENTS
from backend.plugin_api import registry
from backend.plugin_api.registry import Registry
from backend.plugins_host import Folder, load_plugins
from backend.protection import ensure_keys
from backend.settings import Settings

PASSWORD = "Sorted-Waste-4711"
BROKEN = Folder(Path(__file__).parent.parent / "plugins_broken", "tests.plugins_broken")


@pytest.fixture
def app(clean: Settings) -> Flask:
    """Return the platform with whatever could be loaded."""
    storage.ensure_indexes([*http.DOCUMENTS, *IDENTITY_DOCUMENTS, *EVENT_DOCUMENTS, *JOB_DOCUMENTS])
    ensure_keys()
    app = Flask("platform")
    api = http.install(app, clean)
    accounts.install(app, api)
    health.install(app, api)
    found = load_plugins(
        clean,
        core=Registry(permissions=PLATFORM_PERMISSIONS, health_checks=health.CHECKS),
        url_map=app.url_map,
        folders=(BROKEN,),
        with_installed=False,
    )
    registry.install(found)
    install_roles(found.permissions)
    for blueprint in found.blueprints:
        api.register_blueprint(blueprint)
    health.observe_plugins(app, found)
    Area(path="330110", code="330110", name="清序区", level="district").save()
    for account, kind in (("keeper", "district_staff"), ("visitor", "resident")):
        make_user(PASSWORD, must_change=False, account=account, name="张三", user_type=kind, area="330110")
    return app


def client_of(app: Flask, account: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {log_in(account, PASSWORD, Client()).access}"
    return client


@pytest.fixture
def keeper(app: Flask) -> FlaskClient:
    """Return a client of somebody who may look after the platform."""
    return client_of(app, "keeper")


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """Return a client of somebody who may not."""
    return client_of(app, "visitor")

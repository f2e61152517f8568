"""An app with the API's habits and the routes of accounts, and people in a small district."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend import accounts, http, storage
from backend.identity import DOCUMENTS, Permission, User, install_roles, keep_areas
from backend.identity.attempts import ensure_attempt_indexes
from backend.identity.people import make_user
from backend.plugin_api.records import MenuEntry
from backend.settings import Settings

PASSWORD = "Gute-Nacht-2026"

PERMISSIONS = (
    Permission("base_info:view", "查看基础信息", ("district_staff", "street_staff", "community_staff")),
    Permission("base_info:change", "修改基础信息", ("district_staff",)),
    Permission("evidence:unmask", "查看未脱敏证据", ("enforcement_officer",)),
)
MENU = (
    MenuEntry(name="base_info", title="基础信息", permission="base_info:view", href="/base-info", order=1),
    MenuEntry(name="evidence", title="取证固证", permission="evidence:unmask", href="/evidence", order=2),
    MenuEntry(name="users", title="用户管理", permission="platform:users", href="/users", order=3),
)
AREAS = {
    "33": "甲区",
    "33/1": "东街道",
    "33/1/1": "一社区",
    "33/1/1/C1": "花园小区",
    "33/10": "西街道",
    "33/10/1": "二社区",
}


@pytest.fixture(scope="session")
def app(store: Settings) -> Flask:
    """Build the app once; the tests share it."""
    app = Flask("accounts_under_test")
    accounts.install(app, http.install(app, store))
    storage.ensure_indexes(DOCUMENTS)
    ensure_attempt_indexes()
    return app


@pytest.fixture
def client(app: Flask, clean: Settings) -> FlaskClient:
    """Return a client that keeps no cookies, over an empty district with roles and areas."""
    install_roles(PERMISSIONS)
    accounts.install_menu(MENU)
    keep_areas(AREAS)
    return app.test_client(use_cookies=False)


@dataclass
class Signed:
    """A signed-in person's way to the API."""

    client: FlaskClient
    user: User
    tokens: dict[str, Any]

    def call(self, method: str, address: str, json: Any = None, etag: str = "") -> TestResponse:
        """Ask with the person's token, and with If-Match when an ETag is given."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        if etag:
            headers["If-Match"] = f'"{etag}"'
        return self.client.open(address, method=method, json=json, headers=headers)


@pytest.fixture
def signed(client: FlaskClient) -> Any:
    """Return a function that makes a person of a type in an area and signs him in."""

    def sign(account: str, user_type: str, area: str, **values: Any) -> Signed:
        user = make_user(
            PASSWORD, must_change=False, account=account, name="测试", user_type=user_type, area=area, **values
        )
        return Signed(client, user, log_in(client, account).json)

    return sign


def log_in(client: FlaskClient, account: str, password: str = PASSWORD, **more: Any) -> TestResponse:
    """Try to log in."""
    return client.post("/api/v1/sessions", json={"account": account, "password": password, **more})

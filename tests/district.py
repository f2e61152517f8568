"""A small district with the real app: two streets, three communities, and people who sign in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from werkzeug.test import TestResponse

from backend.identity import User, passwords, people, sessions
from backend.identity.people import make_user
from backend.settings import Settings

PASSWORD = "Gute-Nacht-2026"
DISTRICT, EAST, WEST = "33", "33/331", "33/332"
EAST_ONE, EAST_TWO, WEST_ONE = "33/331/33101", "33/331/33102", "33/332/33201"
AREAS = {
    DISTRICT: "甲区",
    EAST: "东街道",
    WEST: "西街道",
    EAST_ONE: "一社区",
    EAST_TWO: "二社区",
    WEST_ONE: "三社区",
}

COMPOUND = {
    "code": "C1",
    "name": "阳光花园",
    "area_code": "33101",
    "address": "文澜路 8 号",
    "longitude": 120.1,
    "latitude": 30.27,
    "households": 800,
    "contact_name": "王芳",
    "contact_phone": "13812345678",
}
POINT = {
    "code": "T1",
    "name": "阳光花园 1 号投放点",
    "area_code": "C1",
    "longitude": 120.101,
    "latitude": 30.271,
    "streams": ["food", "residual"],
}
CAMERA = {"code": "D1", "name": "1 号摄像机", "kind": "camera", "point": "T1", "model": "QX-CAM4"}


@contextmanager
def hash_once() -> Iterator[None]:
    """Compute the costly hash of the password that everybody here has once, and check it once.

    For everything else, the wrong passwords too, hashing and checking are as they are.
    """
    known = passwords.hash_password(PASSWORD)
    assert passwords.password_fits(PASSWORD, known)

    def hashed(password: str) -> str:
        return known if password == PASSWORD else passwords.hash_password(password)

    def fits(password: str, stored: str) -> bool:
        return (password, stored) == (PASSWORD, known) or passwords.password_fits(password, stored)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(people, "hash_password", hashed)
        patched.setattr(sessions, "password_fits", fits)
        yield


@dataclass
class Caller:
    """A signed-in person's way to the API."""

    app: Flask
    user: User
    token: str

    def call(self, method: str, address: str, **options: Any) -> TestResponse:
        """Ask with the person's token; `etag` becomes If-Match."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if etag := options.pop("etag", ""):
            headers["If-Match"] = f'"{etag}"'
        return self.app.test_client(use_cookies=False).open(address, method=method, headers=headers, **options)

    def get(self, address: str, **query: Any) -> Any:
        """Return the JSON of a GET that succeeds."""
        answer = self.call("GET", address, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def add(self, register: str, **values: Any) -> dict[str, Any]:
        """Return the record that a POST added."""
        answer = self.call("POST", f"/api/v1/{register}", json=values)
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})


@dataclass
class District:
    """The areas, and who works in them."""

    app: Flask
    settings: Settings
    numbers: count[int] = field(default_factory=lambda: count(1))

    def sign_in(self, user_type: str = "district_staff", area: str = DISTRICT, **values: Any) -> Caller:
        """Make a person of a type, holding that type's role in `area`, and sign him or her in."""
        account = f"person{next(self.numbers)}"
        user = make_user(
            PASSWORD, must_change=False, account=account, name="测试", user_type=user_type, area=area, **values
        )
        answer = self.anyone("POST", "/api/v1/sessions", json={"account": account, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return Caller(self.app, user, answer.json["access_token"])

    def anyone(self, method: str, address: str, **options: Any) -> TestResponse:
        """Ask without a login."""
        return self.app.test_client(use_cookies=False).open(address, method=method, **options)

    def furnish(self, by: Caller) -> dict[str, dict[str, Any]]:
        """Add a compound, a drop-off point in it and a camera at that; returns them by kind."""
        return {
            "compound": by.add("compounds", **COMPOUND),
            "point": by.add("drop-off-points", **POINT),
            "camera": by.add("devices", **CAMERA),
        }


def no_id() -> ObjectId:
    """Return the id of no record."""
    return ObjectId()

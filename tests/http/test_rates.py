"""Nobody asks too often, and nobody is kept out because Redis is away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from limits import parse

from backend.http import install, limited_by_address
from backend.http.rates import Rates
from tests.http.conftest import Person, blueprint

pytestmark = pytest.mark.usefixtures("clean_counts")
URL = "/api/v1/things"


@pytest.fixture
def clean_counts(store):
    import redis

    redis.Redis.from_url(store.redis_url).flushall()


def test_each_account_has_its_own_limit(app, store):
    limited = Flask("limited")
    install(limited, replace(store, api_rate="6/minute")).register_blueprint(blueprint())
    editor, other = Person(limited, "editor"), Person(limited, "other")
    assert [editor.get(URL).status_code for _ in range(7)] == [200] * 6 + [429]
    refused = editor.get(URL)
    assert (refused.json["code"], refused.content_type) == ("too_many_requests", "application/problem+json")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert other.get(URL).status_code == 200
    assert limited.test_client().get("/api/docs").status_code == 200


def test_processes_share_one_limit(store):
    limit = parse("100/minute")
    processes = [Rates(store.redis_url) for _ in range(3)]
    allowed = sum(each.allows(limit, "account:1") for _ in range(100) for each in processes)
    assert allowed == 100


def test_without_redis_requests_go_on():
    rates = Rates("redis://127.0.0.1:1/0")
    assert [rates.allows(parse("3/minute"), "a") for _ in range(4)] == [True, True, True, False]


def test_an_outage_hands_nothing_out_twice(store):
    rates, limit = Rates(store.redis_url), parse("3/minute")
    assert [rates.allows(limit, "a") for _ in range(2)] == [True, True]
    rates.shared = Rates("redis://127.0.0.1:1/0").shared
    assert [rates.allows(limit, "a") for _ in range(2)] == [True, False]
    assert rates.spent(limit, "a") and not rates.spent(limit, "b")


def test_a_limit_for_each_address(store):
    app = Flask("logins")
    install(app, replace(store, trusted_proxies=1))
    app.add_url_rule("/api/login", "login", limited_by_address(lambda: "2/minute")(lambda: "ok"), methods=["POST"])
    client = app.test_client()

    def log_in(address: str) -> int:
        return client.post("/api/login", headers={"X-Forwarded-For": f"6.6.6.6, {address}"}).status_code

    assert [log_in("10.0.0.1") for _ in range(3)] == [200, 200, 429]
    assert log_in("10.0.0.2") == 200

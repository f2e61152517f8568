"""What machines ask: is the process alive, may it be sent requests, and how much does it do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from backend import settings as settings_module
from backend import storage
from backend.plugin_api import registry
from backend.plugin_api.registry import PluginStatus
from backend.settings import Settings
from backend.storage import migrations


@pytest.fixture
def other_settings(clean: Settings) -> Iterator[type]:
    """Change settings for one test."""

    def change(**values: object) -> None:
        settings_module.configure(dataclasses.replace(clean, **values))

    yield change
    settings_module.configure(clean)


def test_alive_and_ready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert (client.get("/readyz").status_code, client.get("/readyz").json) == (200, {"status": "ready", "failed": []})


def test_with_a_migration_that_has_not_run_it_is_not_ready(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    script = tmp_path / "migrations" / "2026_01_31_rename_colour.py"
    script.write_text('"""Colours have a new name."""\n\n\ndef migrate(db):\n    pass\n')
    before = registry.installed()
    status = PluginStatus(name="late", state="loaded", folder=tmp_path)
    registry.install(dataclasses.replace(before, plugins=(status,)))
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, [each["name"] for each in answer.json["failed"]]) == (503, ["platform.migrations"])
    assert "db migrate" in answer.json["failed"][0]["detail"]
    migrations.migrate(registry.installed().migration_folders())
    assert app.test_client().get("/readyz").status_code == 200


def test_without_redis_it_is_alive_and_not_ready(app: Flask, other_settings: object) -> None:
    other_settings(redis_url="redis://127.0.0.1:1/0")  # type: ignore[operator]
    client = app.test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, [each["name"] for each in answer.json["failed"]]) == (503, ["platform.redis"])
    assert "Redis" in answer.json["failed"][0]["detail"]
    assert client.get("/healthz").status_code == 200
    assert b"qingxu_outbox_age_seconds" in client.get("/metrics").data


def test_without_the_store_it_is_alive_and_not_ready(app: Flask, clean: Settings) -> None:
    storage.disconnect()
    storage.connect("mongodb://127.0.0.1:1/?directConnection=true", "nowhere")
    try:
        client = app.test_client()
        answer = client.get("/readyz")
        assert (answer.status_code, [each["name"] for each in answer.json["failed"]]) == (503, ["platform.store"])
        assert client.get("/healthz").status_code == 200
    finally:
        storage.disconnect()
        storage.connect(clean.mongodb_url, clean.mongodb_database)


def test_metrics_count_by_route_and_never_by_address(app: Flask) -> None:
    client = app.test_client()
    client.get("/api/v1/sounds?secret=1")
    client.get("/no/such/page/13812345678")
    text = client.get("/metrics").text
    assert 'qingxu_http_requests_total{method="GET",route="/api/v1/sounds",status="200"}' in text
    assert 'qingxu_queue_waiting{queue="vision"} 0.0' in text
    assert 'qingxu_dead{kind="jobs"} 0.0' in text
    assert "13812345678" not in text and "no/such" not in text


@pytest.mark.parametrize(
    ("address", "headers", "token", "status"),
    [
        ("127.0.0.1", {}, "", 200),
        ("::1", {}, "", 200),
        ("10.0.0.7", {}, "", 403),
        # A proxy on this machine that nobody said to trust: the caller may be anyone.
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, "", 403),
        ("10.0.0.7", {"Authorization": "Bearer right"}, "right", 200),
        ("10.0.0.7", {"Authorization": "Bearer wrong"}, "right", 403),
        ("10.0.0.7", {"Authorization": "Bearer "}, "", 403),
        ("10.0.0.7", {"Authorization": "Bearer 错"}, "right", 403),
    ],
)
def test_metrics_are_for_this_machine_or_for_the_token(
    app: Flask, other_settings: object, address: str, headers: dict[str, str], token: str, status: int
) -> None:
    other_settings(metrics_token=token)  # type: ignore[operator]
    client = app.test_client()
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    answer = client.get("/metrics", headers=encoded, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status

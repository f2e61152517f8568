"""Whoever looks after the platform sees what is wrong with it, and nobody else does."""

from __future__ import annotations

import re

from bson import ObjectId
from flask import Flask
from flask.testing import FlaskClient

from backend import storage
from backend.monitoring import faults


def row_of(html: str, plugin: str) -> str:
    (row,) = [row for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL) if f"<small>{plugin}</small>" in row]
    return re.sub(r"<[^>]+>|\s+", " ", row)


def test_the_page_lists_every_plugin_with_its_state_and_reason(keeper: FlaskClient) -> None:
    answer = keeper.get("/health")
    assert answer.status_code == 200
    html = answer.text
    assert "已加载" in row_of(html, "sound")
    assert "损坏" in row_of(html, "raises_on_import") and "licence server is away" in row_of(html, "raises_on_import")
    assert "累计 1 次" in row_of(html, "raises_on_import")
    assert "未接受" in row_of(html, "wrong_version") and "适用平台版本 &gt;=2,&lt;3" in row_of(html, "wrong_version")
    assert "已被插件 sound 使用" in row_of(html, "takes_a_name")
    assert "与平台的地址 /api/v1/" in row_of(html, "takes_a_route")
    assert "没有主题舱 no_such_theme" in row_of(html, "runs_badly")
    assert "SecantusDB" in html or "MongoDB" in html
    assert "13812345678" not in html


def test_a_route_that_raises_answers_as_the_platform_does_and_counts(keeper: FlaskClient, app: Flask) -> None:
    for _ in range(2):
        answer = keeper.get("/api/v1/runs_badly")
        assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert keeper.get("/api/v1/sounds").status_code == 200
    counted = {fault.where: fault.count for fault in faults.listed() if fault.plugin == "runs_badly"}
    assert counted == {"route GET /api/v1/runs_badly": 2}
    assert "route GET /api/v1/runs_badly" in row_of(keeper.get("/health").text, "runs_badly")


def test_the_same_over_the_api(keeper: FlaskClient) -> None:
    report = keeper.get("/api/v1/health").json
    states = {plugin["name"]: plugin["state"] for plugin in report["plugins"]}
    assert (states["sound"], states["wrong_version"], states["raises_on_import"]) == ("loaded", "refused", "broken")
    checks = {check["name"]: check["state"] for check in report["checks"]}
    assert checks["platform.store"] == checks["platform.redis"] == checks["sound.check"] == "ok"
    assert checks["runs_badly.check"] == "fail" and report["state"] == "fail"
    assert [queue["name"] for queue in report["queues"]] == ["default", "vision", "outbound", "reports"]


def test_work_that_failed_for_good_is_shown_without_private_data(keeper: FlaskClient) -> None:
    now = storage.utcnow()
    failed = {"state": "dead", "attempts": 8, "error": "no answer for 13812345678", "ended_at": now}
    delivery = {"handler": "sound.note", "queue": "default", **failed}
    storage.database()["events"].insert_one(
        {
            "_id": ObjectId(),
            "name": "a.b",
            "area": "",
            "occurred_at": now,
            "payload": {},
            "open": True,
            "deliveries": [delivery],
        }
    )
    storage.database()["job_runs"].insert_one({"_id": "1", "job": "sound.sum", "arguments": {}, **failed})
    report = keeper.get("/api/v1/health").json
    assert [each["handler"] for each in report["dead_deliveries"]] == ["sound.note"]
    assert [each["job"] for each in report["dead_jobs"]] == ["sound.sum"]
    assert {check["name"]: check["state"] for check in report["checks"]}["platform.outbox"] == "warn"
    html = keeper.get("/health").text
    assert "sound.note" in html and "no answer for [removed]" in html and "13812345678" not in html


def test_others_are_sent_away(app: Flask, visitor: FlaskClient) -> None:
    nobody = app.test_client().get("/health")
    assert nobody.status_code == 302 and nobody.headers["Location"].startswith("/login?next=")
    assert visitor.get("/health").status_code == 403
    assert visitor.get("/api/v1/health").json["code"] == "forbidden"
    assert app.test_client().get("/api/v1/health").status_code == 401

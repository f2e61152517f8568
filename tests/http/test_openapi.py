"""The document says what every address takes and answers, and so does the page made from it."""

from __future__ import annotations

import re

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from backend.http import Blueprint, code_table, install
from tests.http.conftest import Person


@pytest.fixture(scope="module")
def document(app):
    return app.test_client().get("/api/openapi.json").json


def test_problems_are_documented(document):
    create = document["paths"]["/api/v1/things"]["post"]
    assert set(create["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"}
    for status, answer in create["responses"].items():
        if status >= "400":
            assert answer["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "`idempotency_key_reused`" in create["responses"]["422"]["description"]
    assert {"Idempotency-Key"} == {each["name"] for each in create["parameters"]}
    assert create["security"] == [{"bearer": []}]

    change = document["paths"]["/api/v1/things/{thing_id}"]["patch"]
    assert {"404", "412", "428"} <= set(change["responses"])
    assert "ETag" in change["responses"]["200"]["headers"]
    listed = document["paths"]["/api/v1/things"]["get"]
    assert "304" in listed["responses"] and "413" not in listed["responses"]
    assert {each["name"] for each in listed["parameters"]} == {"cursor", "limit", "count", "name", "If-None-Match"}
    assert document["components"]["schemas"]["Thing"]["properties"]["name"]["title"] == "名称"
    assert "required" not in document["components"]["schemas"]["ThingChange"]


def test_the_page_is_chinese_and_asks_nobody_else(app, document):
    answer = app.test_client().get("/api/docs")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and answer.mimetype == "text/html"
    assert not re.search(r"(src|href)=.?(https?:)?//", page) and "<script" not in page
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    for path in document["paths"]:
        assert path in page
    for each in code_table():
        assert f'id="{each.code}"' in page
    assert "查询物品" in page and "名称" in page


def test_routes_lie_below_api(store):
    blp = Blueprint("outside", __name__)
    blp.route("/elsewhere")(lambda: "x")
    with pytest.raises(ValueError, match="/elsewhere"):
        install(Flask("x"), store).register_blueprint(blp)


def test_no_input_finds_an_undocumented_answer(app, monkeypatch):
    monkeypatch.setattr(app.extensions["qingxu-rates"], "allows", lambda *_: True)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
    schemathesis.checks.load_all_checks()
    named = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in named]
    bearer = {"Authorization": f"Bearer {Person(app, 'editor').token}"}
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(("/broken", "/unreachable")):  # they fail on purpose
            continue
        cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=cases)
        def try_one(case):
            tried.add(case.call_and_validate(headers=bearer, checks=checks).status_code)

        try_one()
    assert {200, 201, 412, 422} <= tried and not {status for status in tried if status >= 500}

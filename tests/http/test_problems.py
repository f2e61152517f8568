"""Whatever is wrong with a request, the answer is a problem that a program and a person can use."""

from __future__ import annotations

import io

import pytest
from werkzeug.exceptions import ImATeapot

from backend.http import Problem, ProblemCode, code_table, register

URL = "/api/v1/things"


def problem(answer, status: int, code: str) -> dict:
    assert (answer.status_code, answer.json and answer.json.get("code")) == (status, code), answer.data
    assert answer.content_type == "application/problem+json"
    told = answer.json
    assert told["status"] == status and told["type"] == f"/api/docs#{code}" and told["title"]
    assert told["request_id"] == answer.headers["X-Request-Id"]
    assert any("\u4e00" <= char <= "\u9fff" for char in told["detail"])
    return told


def test_what_the_framework_refuses(app, editor):
    client = app.test_client()
    problem(client.get("/nowhere"), 404, "not_found")
    problem(editor.get(f"{URL}/not-an-id"), 404, "not_found")
    problem(editor.get(f"{URL}/%00"), 404, "not_found")
    refused = client.delete(URL)
    problem(refused, 405, "method_not_allowed")
    assert "GET" in refused.headers["Allow"]


def test_login_and_permission(app, reader):
    client = app.test_client()
    answer = client.get(URL)
    problem(answer, 401, "login_required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    problem(client.get(URL, headers={"Authorization": "Bearer nonsense"}), 401, "login_required")
    problem(reader.post(URL, json={"name": "x"}), 403, "forbidden")
    assert reader.get(URL).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b'{"name": "a", "name": "b"}', 400, "malformed_json"),
        (b'{"name": "a", "amount": NaN}', 400, "malformed_json"),
        (b'{"name": "a", "amount": Infinity}', 400, "malformed_json"),
        (b'{"name": "a", "anything": 1e999}', 400, "malformed_json"),
        (b'{"name": "a", "anything": 9223372036854775808}', 400, "malformed_json"),
        (b'{"name": "a", "amount": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
        (b'{"name": "\\ud800"}', 400, "malformed_json"),
        (b'{"name": "a", "anything": {"\\udfff": 1}}', 400, "malformed_json"),
        (b'{"name": "a\\u0000b"}', 422, "invalid"),
        (b'{"name": "a", "anything": [{"\\u0000": 1}]}', 422, "invalid"),
        (b'{"name": "a", "anything": ' + b"[" * 33 + b"]" * 33 + b"}", 400, "json_too_deep"),
        (b"[" * 100_000, 400, "json_too_deep"),
        (b'{"name": {"$gt": ""}}', 422, "invalid"),
        (b'{"name": ["a"]}', 422, "invalid"),
        (b'{"name": "a", "$where": "1"}', 422, "invalid"),
        (b'{"name": "a", "amount": "many"}', 422, "invalid"),
        (b'["a"]', 422, "invalid"),
        (b'"a"', 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"", 422, "invalid"),
        (b'{"name": "' + b"a" * 1_000_000 + b'"}', 413, "too_large"),
    ],
)
def test_bodies(editor, body, status, code):
    problem(editor.post(URL, data=body, content_type="application/json"), status, code)
    assert editor.get(URL).json["items"] == []


def test_a_body_of_ten_megabytes_is_not_read(app, editor):
    class Unread(io.BytesIO):
        def read(self, size=-1):
            raise AssertionError("the body was read")

        readinto = readline = readlines = read

    length = {"CONTENT_LENGTH": "10000000"}
    answer = editor.post(URL, input_stream=Unread(), content_type="application/json", environ_overrides=length)
    problem(answer, 413, "too_large")


def test_a_body_in_pieces_may_not_be_larger(editor):
    pieces = io.BytesIO(b'{"name": "a"}' + b" " * 1_000_000)
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    for headers in ({}, {"Idempotency-Key": "in-pieces"}):
        answer = editor.post(
            URL, input_stream=pieces, content_type="application/json", environ_overrides=environ, headers=headers
        )
        problem(answer, 413, "too_large")
        pieces.seek(0)


def test_escapes_and_depth_that_are_fine(editor):
    nested: object = "\\u0000"
    for _ in range(30):
        nested = [nested]
    assert editor.post(URL, json={"name": "阳光\U0001f600", "anything": nested}).status_code == 201


def test_other_content_types(editor):
    problem(editor.post(URL, data="name=a", content_type="text/plain"), 415, "unsupported_media_type")
    problem(editor.post(URL, data={"name": "a"}), 415, "unsupported_media_type")
    problem(editor.post(f"{URL}/photos", json={}), 415, "unsupported_media_type")


def test_query_strings(editor):
    told = problem(editor.get(f"{URL}?name[$gt]=&limit=0&colour=red"), 422, "invalid")
    assert told["fields"] == {
        "name[$gt]": ["没有这个字段。"],
        "limit": ["应不小于 1 且不大于 200。"],
        "colour": ["没有这个字段。"],
    }
    problem(editor.get(f"{URL}?name=a%00b"), 422, "invalid")
    assert editor.get(URL, query_string={"name": '{"$gt": ""}'}).json["items"] == []
    assert editor.get(f"{URL}?name=%ED%A0%80").status_code == 200


def test_messages_are_chinese_and_say_where(editor):
    told = problem(editor.post(URL, json={"name": "", "amount": 1001, "tags": ["ok", "too long"]}), 422, "invalid")
    assert told["fields"] == {
        "name": ["长度应为 1 至 50。"],
        "amount": ["应不小于 0 且不大于 1000。"],
        "tags.1": ["长度最多为 5。"],
    }
    told = problem(editor.post(URL, json={"made_at": "2026-01-01T00:00:00"}), 422, "invalid")
    assert told["fields"] == {"name": ["必填。"], "made_at": ["时间须写明时区，如 2026-01-31T08:30:00+08:00。"]}


def test_our_own_faults_tell_nothing(app, capsys):
    answer = app.test_client().get(f"{URL}/broken", headers={"X-Request-Id": "abcdefgh12"})
    told = problem(answer, 500, "internal_error")
    assert told["request_id"] == "abcdefgh12"
    assert b"hunter2" not in answer.data and b"RuntimeError" not in answer.data


def test_a_store_that_is_away(app):
    answer = app.test_client().get(f"{URL}/unreachable")
    problem(answer, 503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_unsafe_request_ids_are_replaced(app):
    answer = app.test_client().get("/nowhere", headers={"X-Request-Id": "a b<script>"})
    assert "<" not in answer.headers["X-Request-Id"]


def test_codes_are_registered_once():
    with pytest.raises(ValueError, match="twice"):
        register([ProblemCode("not_found", 410, "没了")])
    with pytest.raises(LookupError):
        Problem("never_heard_of")
    assert all(each.title and 400 <= each.status < 600 for each in code_table())


def test_every_answer_has_its_headers(app, editor):
    for answer in (editor.get(URL), app.test_client().get("/nowhere"), app.test_client().get("/api/docs")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"]
    assert editor.get(URL).headers["Cache-Control"] == "no-store"


def test_an_odd_refusal_of_the_framework_is_a_problem_too(app):
    with app.test_request_context("/api/v1/things"):
        app.preprocess_request()
        assert app.handle_user_exception(ImATeapot()).json["code"] == "bad_request"

"""Login, lock-out, first password, refresh, logout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from statistics import median
from time import perf_counter

import pytest

from backend import settings
from backend.identity import Session, User
from backend.identity.passwords import password_fits
from backend.identity.people import make_user
from backend.storage import database, utcnow
from tests.accounts.conftest import PASSWORD, log_in


def test_a_login_opens_a_session_that_the_api_accepts(signed):
    person = signed("wang", "street_staff", "33/1", phone="138 0013 8000")
    me = person.call("GET", "/api/v1/me")
    assert me.status_code == 200
    assert me.json["account"] == "wang"
    assert me.json["phone"] == "138****8000"
    assert me.json["area_name"] == "东街道"
    assert "base_info:view" in me.json["permissions"]
    assert "password" not in me.json and "password_history" not in me.json


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}])
def test_without_a_session_nothing_is_answered(client, headers):
    answer = client.get("/api/v1/me", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "login_required")


def test_unknown_account_and_wrong_password_answer_the_same(client, signed):
    signed("wang", "street_staff", "33/1")
    unknown, wrong = (log_in(client, account, "Falsch-Falsch-1") for account in ("nobody", "wang"))
    ignored = {"request_id"}
    assert {k: v for k, v in unknown.json.items() if k not in ignored} == {
        k: v for k, v in wrong.json.items() if k not in ignored
    }
    assert unknown.status_code == wrong.status_code == 401


def test_unknown_account_takes_as_long_as_a_known_one(client, signed, monkeypatch):
    monkeypatch.setattr(
        settings, "_current", type(settings.current())(**{**vars(settings.current()), "login_attempts": 99})
    )
    signed("wang", "street_staff", "33/1")
    log_in(client, "warm-up", "Falsch-Falsch-1")

    def seconds(account: str) -> float:
        start = perf_counter()
        log_in(client, account, "Falsch-Falsch-1")
        return perf_counter() - start

    known, unknown = zip(*((seconds("wang"), seconds("nobody")) for _ in range(7)), strict=True)
    assert 0.6 < median(known) / median(unknown) < 1.6


@pytest.mark.parametrize("account", ["wang", "nobody"])
def test_many_guesses_at_once_get_no_more_than_the_allowed_number(app, client, signed, account):
    signed("wang", "street_staff", "33/1")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: log_in(app.test_client(), account, "Falsch-Falsch-1"), range(12)))
    codes = sorted(answer.json["code"] for answer in answers)
    assert codes == ["account_locked"] * 7 + ["wrong_credentials"] * 5
    locked = log_in(client, account)
    assert (locked.status_code, locked.json["code"]) == (429, "account_locked")
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60


def test_a_lock_ends_by_itself_and_a_right_password_starts_the_count_anew(client, signed):
    signed("wang", "street_staff", "33/1")
    for _ in range(6):
        log_in(client, "wang", "Falsch-Falsch-1")
    database()["login_attempts"].update_many({}, {"$set": {"expires_at": utcnow() - timedelta(seconds=1)}})
    for _ in range(3):
        for _ in range(4):
            assert log_in(client, "wang", "Falsch-Falsch-1").status_code == 401
        assert log_in(client, "wang").status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"account": {"$gt": ""}, "password": {"$gt": ""}},
        {"account": "wang", "password": ["x"]},
        {"account": "wang", "password": "x" * 1000},
        {"account": "wang", "password": "x", "admin": True},
    ],
)
def test_malformed_logins_are_refused_in_words(client, body):
    answer = client.post("/api/v1/sessions", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


@pytest.mark.parametrize("account", ["王伟", "a b", "$where", "x" * 64, "\u3000", "' or 1=1"])
def test_strange_account_names_are_unknown_accounts(client, account):
    assert log_in(client, account).json["code"] == "wrong_credentials"


def test_the_first_password_opens_nothing_but_its_change(client):
    make_user(PASSWORD, must_change=True, account="neu", name="新人", user_type="district_staff", area="33")
    tokens = log_in(client, "neu").json
    assert tokens["must_change_password"] is True
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    refused = client.get("/api/v1/users", headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (403, "password_change_required")
    assert client.get("/api/v1/me/menu", headers=bearer).status_code == 403

    change = {"old_password": PASSWORD, "password": "Ganz-Anders-77"}
    assert client.post("/api/v1/me/password", json=change, headers=bearer).status_code == 204
    assert client.get("/api/v1/users", headers=bearer).status_code == 200
    assert log_in(client, "neu").json["code"] == "wrong_credentials"
    assert log_in(client, "neu", "Ganz-Anders-77").json["must_change_password"] is False


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("Kurz-1", "长度"),
        ("alllowercase1", "三种"),
        ("Zhangsan-99-x", "账号"),
        ("Nr13800138000Ab", "账号"),
        ("Password@2026!", "常见"),
        ("P@ssw0rd12345", "常见"),
        ("Admin@123456", "常见"),
        ("1qaz@WSX3edc", "常见"),
        (PASSWORD, "最近"),
        ("Tab\tTab-Tab-1", "无法使用"),
    ],
)
def test_bad_new_passwords_are_refused_with_the_reason(signed, password, words):
    person = signed("zhangsan", "street_staff", "33/1", phone="13800138000")
    answer = person.call("POST", "/api/v1/me/password", {"old_password": PASSWORD, "password": password})
    assert answer.status_code == 422
    assert words in answer.json["fields"]["password"][0]


def test_the_last_three_passwords_cannot_come_back_and_the_fourth_can(signed):
    person = signed("wang", "street_staff", "33/1")
    used = [PASSWORD, "Zweites-Wort-2", "Drittes-Wort-3", "Viertes-Wort-4"]
    for old, new in pairwise(used):
        answer = person.call("POST", "/api/v1/me/password", {"old_password": old, "password": new})
        assert answer.status_code == 204
    again = [
        person.call("POST", "/api/v1/me/password", {"old_password": used[-1], "password": password}).status_code
        for password in used[1:]
    ]
    assert again == [422, 422, 422]
    assert (
        person.call("POST", "/api/v1/me/password", {"old_password": used[-1], "password": used[0]}).status_code == 204
    )


def test_changing_the_password_ends_the_other_sessions(client, signed):
    person = signed("wang", "street_staff", "33/1")
    other = log_in(client, "wang").json
    person.call("POST", "/api/v1/me/password", {"old_password": PASSWORD, "password": "Ganz-Anders-77"})
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {other['access_token']}"}).status_code == 401
    assert person.call("GET", "/api/v1/me").status_code == 200


def test_refreshing_gives_new_tokens_and_an_old_one_ends_the_session(client, signed):
    first = signed("wang", "street_staff", "33/1").tokens
    second = client.post("/api/v1/sessions/refresh", json={"refresh_token": first["refresh_token"]}).json
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.get("/api/v1/me", headers=bearer).status_code == 200
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {first['access_token']}"}).status_code == 401

    reused = client.post("/api/v1/sessions/refresh", json={"refresh_token": first["refresh_token"]})
    assert (reused.status_code, reused.json["code"]) == (401, "refresh_refused")
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    latest = client.post("/api/v1/sessions/refresh", json={"refresh_token": second["refresh_token"]})
    assert latest.status_code == 401
    assert "platform.session.reuse" in actions()


def test_two_refreshes_at_once_never_both_win(app, signed):
    token = signed("wang", "street_staff", "33/1").tokens["refresh_token"]

    def exchange(_number: int) -> int:
        return app.test_client().post("/api/v1/sessions/refresh", json={"refresh_token": token}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(exchange, range(4)))
    assert sorted(answers)[1:] == [401, 401, 401]


def test_a_forged_refresh_token_harms_nobody(client, signed):
    person = signed("wang", "street_staff", "33/1")
    for forged in ("x" * 65, person.tokens["session_id"], person.tokens["access_token"]):
        assert client.post("/api/v1/sessions/refresh", json={"refresh_token": forged}).status_code == 401
    assert person.call("GET", "/api/v1/me").status_code == 200


def test_tokens_run_out(client, signed):
    person = signed("wang", "street_staff", "33/1")
    Session.objects.update(set__access_expires_at=utcnow() - timedelta(seconds=1))
    assert person.call("GET", "/api/v1/me").status_code == 401
    Session.objects.update(set__expires_at=utcnow() - timedelta(seconds=1))
    gone = client.post("/api/v1/sessions/refresh", json={"refresh_token": person.tokens["refresh_token"]})
    assert gone.status_code == 401


def test_logout_ends_access_and_refresh(client, signed):
    person = signed("wang", "street_staff", "33/1")
    assert person.call("DELETE", "/api/v1/sessions/current").status_code == 204
    assert person.call("GET", "/api/v1/me").status_code == 401
    gone = client.post("/api/v1/sessions/refresh", json={"refresh_token": person.tokens["refresh_token"]})
    assert gone.status_code == 401


def test_sessions_are_listed_and_one_is_ended_at_once(client, signed):
    person = signed("wang", "street_staff", "33/1")
    headers = {"User-Agent": "Mozilla/5.0 (iPhone)"}
    other = client.post("/api/v1/sessions", json={"account": "wang", "password": PASSWORD}, headers=headers).json
    listed = person.call("GET", "/api/v1/sessions").json["items"]
    assert {item["user_agent"] for item in listed} >= {"Mozilla/5.0 (iPhone)"}
    assert [item["id"] for item in listed if item["current"]] == [person.tokens["session_id"]]
    assert not any("token" in key or key in ("access", "refresh", "family") for item in listed for key in item)

    assert person.call("DELETE", f"/api/v1/sessions/{other['session_id']}").status_code == 204
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {other['access_token']}"}).status_code == 401


def test_nobody_ends_a_strangers_session(signed):
    wang, liu = signed("wang", "street_staff", "33/1"), signed("liu", "street_staff", "33/1")
    assert wang.call("DELETE", f"/api/v1/sessions/{liu.tokens['session_id']}").status_code == 404
    assert liu.call("GET", "/api/v1/me").status_code == 200


def test_neither_tokens_nor_passwords_are_stored(signed):
    person = signed("wang", "street_staff", "33/1", phone="13800138000")
    stored = repr([list(database()[name].find()) for name in database().list_collection_names()])
    secrets = [PASSWORD, "13800138000", person.tokens["access_token"], person.tokens["refresh_token"]]
    assert not [secret for secret in secrets if secret in stored]
    assert password_fits(PASSWORD, User.objects.get(account="wang").password)


def test_logins_refused_and_opened_are_audited(client, signed):
    signed("wang", "street_staff", "33/1")
    log_in(client, "wang", "Falsch-Falsch-1")
    assert {"platform.session.open", "platform.session.refuse"} <= set(actions())
    refusal = database()["audit_entries"].find_one({"action": "platform.session.refuse"})
    assert refusal["actor"]["address"] == "127.0.0.1"


def actions() -> list[str]:
    return [row["action"] for row in database()["audit_entries"].find()]

"""The pages: who gets which, where the login leads, and that nothing comes from outside."""

from __future__ import annotations

import re

import pytest

from backend.identity import COOKIE
from backend.identity.people import make_user
from tests.accounts.conftest import PASSWORD


@pytest.fixture
def browser(app, client):
    """Return a client that keeps cookies, like a browser."""
    return app.test_client()


def sign_in(browser, account="wang", **values):
    given = {"account": account, "name": "王<b>芳", "user_type": "street_staff", "area": "33/1", "must_change": False}
    make_user(PASSWORD, **given | values)
    return browser.post("/api/v1/sessions", json={"account": account, "password": PASSWORD, "cookie": True})


def test_a_page_sends_strangers_to_the_login_and_back(browser):
    answer = browser.get("/?tab=1")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=%2F%3Ftab%3D1")
    assert 'data-next="/?tab=1"' in browser.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_login_never_leads_away(browser, wanted):
    assert 'data-next="/"' in browser.get("/login", query_string={"next": wanted}).text


def test_the_cookie_is_hidden_from_scripts_and_the_answer_holds_no_token(browser):
    answer = sign_in(browser)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert "access_token" not in answer.json and "refresh_token" not in answer.json


def test_the_cookie_is_secure_over_https(app, client):
    make_user(PASSWORD, must_change=False, account="wang", name="王芳", user_type="street_staff", area="33/1")
    body = {"account": "wang", "password": PASSWORD, "cookie": True}
    answer = app.test_client().post("/api/v1/sessions", json=body, base_url="https://qingxu.example")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_home_shows_the_persons_menu_alone(browser):
    sign_in(browser)
    html = browser.get("/").text
    assert "基础信息" in html and "用户管理" in html and "取证固证" not in html
    assert "东街道" in html and "王&lt;b&gt;芳" in html


def test_home_says_so_when_there_is_nothing_to_open(browser):
    sign_in(browser, user_type="resident", area="33/1/1/C1")
    assert "暂无可用的模块" in browser.get("/").text


def test_the_account_page_masks_the_phone_and_lists_sessions(browser):
    sign_in(browser, phone="13800138000")
    html = browser.get("/account").text
    assert "138****8000" in html and "13800138000" not in html
    assert html.count("<li data-id=") == 1 and "当前" in html


def test_with_the_first_password_every_page_leads_to_its_change(browser):
    sign_in(browser, must_change=True)
    assert browser.get("/").headers["Location"] == "/account"
    html = browser.get("/account").text
    assert "初始密码" in html and 'id="change-password"' in html and 'id="profile"' not in html


def test_logging_out_of_a_page_ends_the_session(browser):
    sign_in(browser)
    token = browser.get_cookie(COOKIE).value
    assert browser.delete("/api/v1/sessions/current").status_code == 204
    assert browser.get_cookie(COOKIE) is None
    browser.set_cookie(COOKIE, token)
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_changes_nothing_with_the_cookie(browser, headers):
    sign_in(browser)
    answer = browser.delete("/api/v1/sessions/current", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin")
    assert browser.get("/api/v1/me").status_code == 200
    login = {"account": "wang", "password": PASSWORD, "cookie": True}
    assert browser.post("/api/v1/sessions", json=login, headers=headers).status_code == 403


def test_our_own_page_changes_with_the_cookie(browser):
    sign_in(browser)
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert browser.delete("/api/v1/sessions/current", headers=headers).status_code == 204


def test_pages_ask_nothing_of_other_servers(browser):
    sign_in(browser)
    for address in ("/", "/account"):
        answer = browser.get(address)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        for link in re.findall(r'(?:src|href|action)="([^"]*)"', answer.text):
            assert link.startswith(("/", "#")) and not link.startswith("//")
        for own in re.findall(r'(?:src|href)="(/static/[^"]*)"', answer.text):
            assert browser.get(own).status_code == 200
        assert "style=" not in answer.text and "onclick" not in answer.text

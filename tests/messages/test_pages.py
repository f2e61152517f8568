"""The inbox, the settings and the administration in a real browser: on a desk, on a phone, with large type."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from backend import settings
from backend.identity import COOKIE
from tests.browser import watching
from tests.district import EAST, Caller
from tests.messages.conftest import VALUES, Post

#: Where pictures of the pages go, to be looked at; none are taken without it.
PICTURES = os.environ.get("QINGXU_TEST_PICTURES", "")


@pytest.fixture
def base(post: Post) -> Iterator[str]:
    """Serve the platform on a free port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, post.district.app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def fill(post: Post, person: Caller, count: int = 3) -> None:
    for number in range(count):
        post.send(person, values={**VALUES, "number": str(number), "kind": "<b>满溢</b>"})
    post.send(person, "test.fire", area=EAST)
    post.work()


def opening(browser: Browser, base: str, person: Caller, **options: Any) -> Any:
    return watching(browser, base=base, cookies={COOKIE: person.token}, **options)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"


def test_the_badge_counts_and_reading_lowers_it(post: Post, base: str, browser: Browser) -> None:
    wang = post.district.sign_in()
    fill(post, wang)
    with opening(browser, base, wang, width=1200, height=900) as watched:
        page = watched.page
        page.goto("/")
        badge = page.locator("#messages .unread")
        expect(badge).to_have_text("4")
        page.get_by_role("link", name="消息").first.click()
        expect(page.locator(".letter")).to_have_count(4)
        first = page.locator(".letter").first
        expect(first).to_contain_text("火情")
        expect(first.locator(".urgent")).to_have_text("紧急")
        expect(page.locator(".letter").nth(1)).to_contain_text("<b>满溢</b>")
        picture(page, "inbox_desk")
        first.get_by_role("button", name="标为已读").click()
        expect(badge).to_have_text("3")
        expect(first.locator(".dot")).to_have_count(0)
        page.get_by_role("link", name="未读", exact=True).click()
        expect(page.locator(".letter")).to_have_count(3)
        page.get_by_role("button", name="全部标为已读").click()
        expect(badge).to_be_hidden()
        page.reload()
        expect(page.get_by_text("没有未读消息")).to_be_visible()
        watched.assert_clean()


def test_following_a_message_reads_it(post: Post, base: str, browser: Browser) -> None:
    wang = post.district.sign_in()
    fill(post, wang, 1)
    with opening(browser, base, wang) as watched:
        watched.page.goto("/messages")
        watched.page.get_by_role("link", name="查看详情").click()
        watched.page.wait_for_url("**/alerts/0")
        # The request outlives the page that sent it.
        deadline = time.monotonic() + 15
        while wang.get("/api/v1/messages/unread")["count"] != 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_older_messages_are_a_page_away_and_a_cut_address_shows_the_newest(
    post: Post, base: str, browser: Browser
) -> None:
    settings.configure(replace(settings.current(), messages_per_hour=100))
    wang = post.district.sign_in()
    fill(post, wang, 24)
    with opening(browser, base, wang) as watched:
        page = watched.page
        page.goto("/messages")
        expect(page.locator(".letter")).to_have_count(20)
        page.get_by_role("link", name="更早的消息").click()
        expect(page.locator(".letter")).to_have_count(5)
        page.goto("/messages?cursor=forged&unread=perhaps")
        expect(page.locator(".letter")).to_have_count(20)
        watched.assert_clean()


def test_a_phone_with_large_type_shows_all_of_it(post: Post, base: str, browser: Browser) -> None:
    wang = post.district.sign_in(phone="13812345678")
    fill(post, wang, 12)
    with opening(browser, base, wang, width=360, height=740, device_scale=2) as watched:
        page = watched.page
        for address in ("/messages", "/messages/settings"):
            page.goto(address)
            assert_fits(page)
            picture(page, f"phone_{address.rpartition('/')[2]}")
            page.get_by_role("button", name="适老化").click()
            assert_fits(page)
            picture(page, f"elder_{address.rpartition('/')[2]}")
            page.get_by_role("button", name="标准版").click()
        expect(page.locator("body")).not_to_contain_text("13812345678")
        watched.assert_clean()


def test_the_choice_is_saved_from_the_page_that_the_account_leads_to(post: Post, base: str, browser: Browser) -> None:
    wang = post.district.sign_in()
    with opening(browser, base, wang, width=1200, height=900) as watched:
        page = watched.page
        page.goto("/account")
        page.get_by_role("link", name="选择接收渠道").click()
        expect(page.get_by_label("短信")).to_be_checked()
        expect(page.get_by_text("需要先在“我的账号”中填写手机号")).to_be_visible()
        page.get_by_label("警示灯").uncheck()
        page.get_by_label("自定时段").check()
        page.locator("#quiet-from").fill("21:30")
        for _again in range(2):  # the second save knows the version of the first
            page.get_by_role("button", name="保存设置").click()
            expect(page.get_by_text("已保存。")).to_be_visible()
        picture(page, "settings_desk")
        page.reload()
        expect(page.get_by_label("警示灯")).not_to_be_checked()
        expect(page.locator("#quiet-from")).to_have_value("21:30")
        watched.assert_clean()
    choice = wang.get("/api/v1/me/message-choice")
    assert choice["own_quiet_hours"] == "21:30-07:00" and choice["channels"][0]["on"] is False


def test_an_administrator_words_a_template_and_sends_again_what_failed(post: Post, base: str, browser: Browser) -> None:
    admin, wang = post.district.sign_in("administrator", ""), post.district.sign_in()

    def refuse(_outgoing: object) -> None:
        raise ConnectionError("gateway away")

    post.fail = refuse
    post.send(wang, area=EAST)
    for _ in range(settings.current().delivery_attempts + 1):
        post.work()
        post.wake()
    with opening(browser, base, admin, width=1200, height=900) as watched:
        page = watched.page
        page.goto("/")
        page.get_by_role("link", name="消息管理").click()
        failed = page.locator("#failed li")
        expect(failed).to_contain_text("新的预警 · 警示灯 · 测试 · 东街道")
        form = page.locator("form[data-name='test.raised']")
        page.get_by_text("新的预警test.raised").click()
        form.get_by_label("正文").fill("{phone}")
        form.get_by_role("button", name="保存").click()
        expect(form.locator(".message")).to_contain_text("没有字段 phone")
        form.get_by_label("正文").fill("{point}：{kind}")
        form.get_by_role("button", name="保存").click()
        expect(form.get_by_text("已保存")).to_be_visible()
        picture(page, "manage_desk")
        post.fail = None
        failed.get_by_role("button", name="重新发送").click()
        expect(failed).to_have_count(0)
        assert [error for error in watched.errors if "422" not in error] == [] and watched.outside == []
    post.work()
    assert len(post.sent) == 1
    with opening(browser, base, wang) as watched:
        watched.page.goto("/messages/manage")
        expect(watched.page.get_by_text("没有进行此操作的权限")).to_be_visible()

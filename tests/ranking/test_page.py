"""The page in a real browser: a manager appeals on a phone, the street decides at a desk, staff enter points."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.browser import watching
from tests.district import PASSWORD, Caller
from tests.ranking.conftest import Ground, photo


@pytest.fixture
def base(ground: Ground) -> Iterator[str]:
    """Serve the platform; yields its address."""
    server = make_server("127.0.0.1", 0, ground.district.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def enter(page: Page, person: Caller, where: str = "/ranking/charges") -> None:
    """Sign in on the login page and go to the assessments."""
    page.goto(f"/login?next={where}")
    page.fill("input[name=account]", person.user.account)
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#charges li, #queue-message:not([hidden])")


def test_from_points_entered_by_hand_to_an_appeal_that_is_upheld(browser: Browser, ground: Ground, base: str) -> None:
    picture = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    with watching(browser, base=base, width=1366, height=768) as watched:
        page = watched.page
        enter(page, ground.chief)
        page.click("#enter")
        page.fill("#enter-compound", "C1")
        page.select_option("#enter-rule", "M03")
        page.fill("#enter-reason", "桶站周边有散落垃圾")
        page.click("#entering-form .primary")
        expect(page.locator("#entering-message")).to_contain_text("请上传现场照片")
        page.set_input_files("#entering-form input[name=photos]", picture)
        page.click("#entering-form .primary")
        expect(page.locator("#charge-points")).to_have_text("−1 分")
        watched.errors = [each for each in watched.errors if "422" not in each]
        watched.assert_clean()
    with watching(browser, base=base, width=390, height=844) as watched:
        page = watched.page
        enter(page, ground.manager)
        page.click("#charges .card")
        expect(page.locator("#doing-title")).to_have_text("提出申诉")
        page.click("#buttons .verb")
        expect(page.locator("#message")).not_to_be_empty()
        page.click("#chips .chip >> nth=0")
        page.set_input_files("#doing input[name=photos]", picture)
        page.click("#buttons .verb")
        expect(page.locator("#appeal-head")).to_contain_text("待裁决")
        page.click("#show-statement")
        expect(page.locator("#statement-points")).to_have_text("−1 分")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        watched.errors = [each for each in watched.errors if "422" not in each]
        watched.assert_clean()
    with watching(browser, base=base) as watched:
        page = watched.page
        enter(page, ground.street, "/ranking/charges?tab=appeals")
        page.click("#charges .card")
        page.click("#chips .chip >> nth=0")
        page.click("#buttons .calm")
        expect(page.locator("#message")).to_have_text("已裁决，扣分已冲销。")
        expect(page.locator("#charge-points")).to_have_text("0 分")
        expect(page.locator("#lines li")).to_have_count(2)
        watched.assert_clean()
    assert ground.balance() == 0

"""What a newcomer sees in a real browser after `make run`."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, Page

from tests.browser import watching
from tests.journeys.conftest import Platform
from tests.vision import weights

PASSWORD = "Demo@Qingxu2026"


def sign_in(page: Page, account: str, path: str = "/") -> None:
    """Open a page, which leads to the login, and sign in."""
    page.goto(path)
    page.wait_for_url("**/login**")
    page.fill("input[name=account]", account)
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda address: "/login" not in address)


def test_the_menu_holds_what_the_person_may_use(browser: Browser, platform: Platform) -> None:
    expected = {
        "admin": {"取证固证", "基础业务信息", "系统运行状况"},
        "street": {"取证固证", "基础业务信息"},
        "collection": {"基础业务信息"},
        "resident": set(),
    }
    for account, titles in expected.items():
        with watching(browser, base=platform.base) as watched:
            sign_in(watched.page, account)
            text = watched.page.locator("main").inner_text()
            assert {title for title in expected["admin"] if title in text} == titles, account
            watched.assert_clean()


def test_every_page_opens_in_order(browser: Browser, platform: Platform) -> None:
    with watching(browser, base=platform.base) as watched:
        page = watched.page
        sign_in(page, "admin", "/account")
        page.get_by_text("演示系统管理员").first.wait_for()
        page.goto("/health")
        page.get_by_text("视觉模型").first.wait_for()
        assert "已加载" in page.locator("main").inner_text()
        page.goto("/api/docs")
        page.get_by_text("/api/v1/evidence/captures").first.wait_for()
        page.get_by_text("/api/v1/compounds").first.wait_for()
        watched.assert_clean()


def test_the_elder_mode_makes_the_letters_larger_and_stays(browser: Browser, platform: Platform) -> None:
    with watching(browser, width=390, height=844, base=platform.base) as watched:
        page = watched.page
        sign_in(page, "resident")
        size = "() => parseFloat(getComputedStyle(document.querySelector('main')).fontSize)"
        before = page.evaluate(size)
        page.get_by_text("适老化").first.click()
        assert page.evaluate(size) > before
        page.reload()
        assert page.evaluate(size) > before
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        watched.assert_clean()


def test_a_posted_photo_of_real_people_reaches_the_cockpit_by_itself(
    browser: Browser, platform: Platform, tmp_path_factory
) -> None:
    photo = tmp_path_factory.mktemp("photo") / "people.jpg"
    photo.write_bytes(weights.six_people())
    with watching(browser, base=platform.base) as watched:
        page = watched.page
        sign_in(page, "district", "/cockpit/?theme=alerts")
        page.wait_for_selector("[data-panel='evidence.latest']")
        page.wait_for_function("() => document.querySelectorAll('.leaflet-overlay-pane path').length > 4")
        page.evaluate("() => { window.neverReloaded = true }")
        receipt = json.loads(platform.command("send-capture", str(photo), "--url", platform.base))
        ask = f"fetch('/api/v1/evidence/captures/{receipt['id']}').then(answer => answer.json())"
        page.wait_for_function(f"() => {ask}.then(shown => shown.state === 'extracted')", timeout=60_000, polling=1000)
        thumbnail = page.evaluate(f"() => {ask}.then(shown => shown.thumbnail)")
        page.wait_for_selector(".leaflet-live-pane .flag", timeout=60_000)
        picture = page.locator(f"[data-panel='evidence.latest'] img[src='{thumbnail}']")
        picture.wait_for(timeout=60_000)
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        assert page.evaluate("() => window.neverReloaded")
        page.locator("[data-panel='evidence.headline']").get_by_text("已取证").wait_for()
        shown = page.evaluate(f"() => {ask}")
        assert shown["state"] == "extracted" and shown["found"]["faces"] == 6
        assert {exhibit["kind"] for exhibit in shown["exhibits"]} == {"masked_copy", "masked_thumbnail"}
        watched.assert_clean()


def test_the_queue_of_cases_is_there_from_the_first_start(browser: Browser, platform: Platform) -> None:
    with watching(browser, base=platform.base) as watched:
        page = watched.page
        sign_in(page, "district", "/evidence/review")
        page.wait_for_selector("#cases li", timeout=60_000)
        page.locator("#cases button").first.click()
        page.locator("#case-title").wait_for()
        watched.assert_clean()


def test_the_audit_trail_verifies(platform: Platform) -> None:
    assert "审计链完整" in platform.command("verify-audit")

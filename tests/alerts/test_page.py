"""The page of alerts in a real browser: looked through and handled by keys on a desk, and by finger on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.alerts.conftest import Vendor, inline
from tests.browser import watching
from tests.district import PASSWORD, Caller


@pytest.fixture
def base(vendor: Vendor) -> Iterator[str]:
    """Serve the platform; yields its address."""
    server = make_server("127.0.0.1", 0, vendor.district.app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def enter(page: Page, person: Caller, path: str = "/alerts/") -> None:
    """Sign in on the way to the page, and wait for its list."""
    page.goto(path)
    page.fill("input[name=account]", person.user.account)
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#alerts li", state="attached")


def test_alerts_are_handled_by_keys_and_by_finger(browser: Browser, vendor: Vendor, base: str) -> None:
    vendor.sees("E02", minutes_ago=50, pictures=[inline(90)], note="<b>1 号桶</b>")
    vendor.sees("E03", minutes_ago=40)
    vendor.sees("x9", vendor="acme")
    with watching(browser, base=base, width=1366, height=768) as watched:
        page = watched.page
        enter(page, vendor.staff)
        expect(page.locator("[data-tab=raised] .badge")).to_have_text("2")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#title")).to_have_text("满溢")
        expect(page.locator("#note")).to_have_text("<b>1 号桶</b>")
        shown = "() => [...document.querySelectorAll('#pictures img')].map((each) => each.naturalWidth).join()"
        page.wait_for_function(f"() => ({shown})() === '64'")
        page.keyboard.press("x")
        page.click("#reasons .chip >> nth=0")
        page.click("#send")
        expect(page.locator("#state")).to_have_text("已排除")
        page.click("[data-tab=codes]")
        page.select_option("#upkeep select", "E07")
        page.click("#upkeep .primary")
        expect(page.locator("#upkeep li")).to_contain_text("已归类")
        watched.assert_clean()
    with watching(browser, base=base, width=390, height=844) as watched:
        page, [alert] = watched.page, vendor.alerts(kind="E03")
        enter(page, vendor.staff, f"/alerts/?alert={alert['id']}")
        page.click("#mute")
        page.fill("#mute-reason", "施工围挡")
        page.click("#mute-dialog .primary")
        expect(page.locator("#message")).to_contain_text("已屏蔽")
        page.click("#order")
        page.wait_for_url("**/dispatch/orders#*")
        watched.assert_clean()
    assert vendor.sees("E03", minutes_ago=0) == "muted"


def test_whoever_may_only_look_is_offered_nothing_else(browser: Browser, vendor: Vendor, base: str) -> None:
    vendor.sees("E02", pictures=[inline(90)])
    guard = vendor.district.sign_in("enforcement_officer", vendor.only_alert()["area"])
    with watching(browser, base=base, width=390, height=844) as watched:
        page = watched.page
        enter(page, guard)
        page.click("#alerts .card")
        expect(page.locator("#pictures img")).to_have_count(1)
        assert page.locator("#order:visible, #verbs button, .pick, [data-tab=quiet]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        watched.assert_clean()

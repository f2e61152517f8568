"""The page of orders in a real browser: dispatched by one key, replied to on a phone, verified and closed."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from backend.rollups.recompute import recompute_dirty
from tests.browser import watching
from tests.dispatch.conftest import LAT, LON, Ground, photo
from tests.district import PASSWORD, Caller

# A busy machine is no fault of the page.
expect.set_options(timeout=20_000)


@pytest.fixture
def base(ground: Ground) -> Iterator[str]:
    """Serve the platform; yields its address."""
    server = make_server("127.0.0.1", 0, ground.district.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def enter(page: Page, person: Caller) -> None:
    """Sign in on the login page and go to the orders."""
    page.goto("/login?next=/dispatch/orders")
    page.fill("input[name=account]", person.user.account)
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#orders li, #queue-message:not([hidden])")


def test_the_whole_way_by_keys_and_by_finger(browser: Browser, ground: Ground, base: str) -> None:
    order = ground.alert()
    with watching(browser, base=base) as watched:
        page = watched.page
        enter(page, ground.street)
        page.keyboard.press("Enter")
        expect(page.locator("#order-state")).to_have_text("待立案")
        expect(page.locator("#one-tap")).to_contain_text("清和物业")
        page.keyboard.press("d")
        expect(page.locator("#order-state")).to_have_text("待接单")
        watched.assert_clean()
    with watching(browser, base=base, width=390, height=844) as watched:
        page = watched.page
        page.context.grant_permissions(["geolocation"])
        page.context.set_geolocation({"longitude": LON, "latitude": LAT})
        enter(page, ground.worker)
        page.click("#orders .card")
        page.click("button[data-verb=take]")
        expect(page.locator("#order-state")).to_have_text("处置中")
        page.click("#replying .primary")
        expect(page.locator("#message")).to_contain_text("请上传处置前照片")
        for stage in ("before", "after"):
            file = {"name": f"{stage}.jpg", "mimeType": "image/jpeg", "buffer": photo()}
            page.set_input_files(f"#replying input[name={stage}]", file)
        page.click("#locate")
        expect(page.locator("#locate")).to_contain_text("已定位")
        page.fill("#note", "已清理")
        page.click("#replying .primary")
        expect(page.locator("#order-state")).to_have_text("待核查")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#elder")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        watched.errors = [each for each in watched.errors if "422" not in each]
        watched.assert_clean()
    with watching(browser, base=base) as watched:
        page = watched.page
        enter(page, ground.community)
        page.click("[data-tab=checking]")
        page.wait_for_selector("#orders li")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#replies .thumb")).to_have_count(2)
        page.keyboard.press("c")
        page.click("#send")
        expect(page.locator("#order-state")).to_have_text("已结案")
        watched.assert_clean()
    assert ground.stored(order)["state"] == "closed" and ground.stored(order)["replies"][0]["distance"] == 0


def test_several_are_dispatched_at_once(browser: Browser, ground: Ground, base: str) -> None:
    orders = [ground.alert() for _ in range(3)]
    with watching(browser, base=base) as watched:
        page = watched.page
        enter(page, ground.street)
        for box in page.locator("#orders input[type=checkbox]").all():
            box.check()
        expect(page.locator("#batch span")).to_have_text("已选 3 件")
        page.click("#batch-send")
        expect(page.locator("#queue-message")).to_contain_text("已派出 3 件")
        watched.assert_clean()
    assert {ground.stored(each)["state"] for each in orders} == {"dispatched"}


def test_reported_by_hand_merged_and_found_by_a_search_that_is_kept(
    browser: Browser, ground: Ground, base: str
) -> None:
    other = ground.alert()
    with watching(browser, base=base) as watched:
        page = watched.page
        page.context.grant_permissions(["geolocation"])
        page.context.set_geolocation({"longitude": LON, "latitude": LAT})
        enter(page, ground.street)
        page.click("#report")
        page.select_option("#report-kind", "E02")
        expect(page.locator("#report-title")).to_have_value("满溢")
        page.click("#report-here")
        expect(page.locator("#report-here")).to_contain_text("已定位")
        page.click("#reporting .primary")
        expect(page.locator("#order-number")).to_contain_text("人工上报")
        page.click("button[data-verb=merge]")
        page.check("#merge-list input")
        page.click("#merging .primary")
        expect(page.locator("#facts")).to_contain_text("并入本单")
        assert page.url.endswith(other["id"])
        page.click("[data-tab=nearby]")
        expect(page.locator("#orders li")).to_have_count(1)
        expect(page.locator("#orders")).to_contain_text("0 米")
        page.click("[data-tab=search]")
        page.select_option("#search-state", "merged")
        page.click("#more-conditions summary")
        page.fill("#search-since", "2026-01-01")
        page.click("#search .primary")
        expect(page.locator("#orders li")).to_have_count(1)
        page.click("#keep")
        page.fill("#keep-name", "今年并入的")
        page.click("#keeping .primary")
        page.select_option("#search-state", "")
        page.click("#kept .chip >> nth=0")
        expect(page.locator("#search-state")).to_have_value("merged")
        expect(page.locator("#search-since")).to_have_value("2026-01-01")
        expect(page.locator("#orders li")).to_have_count(1)
        watched.assert_clean()


def test_whoever_comes_second_is_told(browser: Browser, ground: Ground, base: str) -> None:
    order = ground.dispatch(ground.street, ground.alert())
    colleague = ground.district.sign_in("property_staff", "33", organisation=ground.company)
    with watching(browser, base=base) as watched:
        page = watched.page
        enter(page, ground.worker)
        page.click("#orders .card")
        page.wait_for_selector("button[data-verb=take]")
        ground.take(colleague, order)
        page.keyboard.press("t")
        expect(page.locator("#message")).to_contain_text("已由他人办理")
        expect(page.locator("#order-state")).to_have_text("处置中")
        assert page.locator("button[data-verb=take]").count() == 0


def test_the_calendar_of_a_year_is_marked_and_kept(browser: Browser, ground: Ground, base: str) -> None:
    with watching(browser, base=base) as watched:
        page = watched.page
        enter(page, ground.chief)
        page.goto("/dispatch/calendar")
        page.fill("#new-year", "2027")
        page.click("#add-year")
        page.click("[data-date='2027-01-01']")
        page.click("[data-date='2027-01-02']")  # a Saturday
        page.click("#save")
        expect(page.locator("#message")).to_contain_text("已保存")
        page.reload()
        expect(page.locator("[data-date='2027-01-01']")).to_have_class("holiday")
        expect(page.locator("[data-date='2027-01-02']")).to_have_class("workday")
        page.fill("#week label:first-child input", "9点到12点")
        page.click("#save")
        expect(page.locator("#message")).to_contain_text("时段")
        watched.errors = [each for each in watched.errors if "422" not in each]
        watched.assert_clean()


def test_figures_are_sorted_by_any_column(browser: Browser, ground: Ground, base: str) -> None:
    ground.step(ground.street, ground.handled(), "close")
    ground.alert(kind="E08", title="建筑垃圾乱堆")
    recompute_dirty()
    with watching(browser, base=base, width=390, height=844) as watched:
        page = watched.page
        enter(page, ground.street)
        page.goto("/dispatch/statistics")
        expect(page.locator("#figures tbody tr")).to_have_count(2)
        page.click("th[data-name=rate] button")
        expect(page.locator("#figures tbody tr").first).to_contain_text("100.0%")
        page.click("th[data-name=rate] button")
        expect(page.locator("#figures tbody tr").first).to_contain_text("一社区")
        page.click("[data-by=kind]")
        expect(page.locator("#figures tbody")).to_contain_text("满溢")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        watched.assert_clean()

"""The cockpit as people and walls use it: one long walk, the carousel, a kiosk at night, half an hour left alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import watching
from tests.cockpit import fake
from tests.cockpit.test_browser import ready

expect.set_options(timeout=45_000)
#: Noon in Shanghai, so that no test walks into the night.
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CURSOR = "() => getComputedStyle(document.querySelector('.side .panel')).cursor"


def test_a_walk_through_the_room(browser, base, platform):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page)
        # Down to a street and back.
        page.locator(".trail-below summary").click()
        page.locator(".trail-menu button").first.click()
        expect(page.locator(".trail-step")).to_have_count(2)
        page.locator(".trail-step").first.click()
        expect(page.locator(".trail-step")).to_have_count(1)
        # A panel is enlarged by key, its figure drawn anew at that size, and put back.
        panel = page.locator("[data-panel='base_info.compounds']")
        before = panel.locator(".main-svg").first.bounding_box()
        panel.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".enlarged [data-panel='base_info.compounds']")).to_be_visible()
        page.wait_for_function(
            "width => document.querySelector('.enlarged .main-svg').getBoundingClientRect().width > width * 2",
            arg=before["width"],
        )
        page.keyboard.press("Escape")
        expect(page.locator(".side [data-panel='base_info.compounds']")).to_be_visible()
        # The records behind a figure, and a panel as a workbook.
        page.locator("[data-panel='evidence.figures'] [data-drill]").first.click()
        expect(page.locator(".drill .row").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".drill")).to_have_count(0)
        panel.hover()
        with page.expect_download() as download:
            panel.locator(".panel-sheet").click()
        assert download.value.suggested_filename.endswith(".xlsx")
        # An alert comes by itself, and the map flies to its card.
        page.mouse.move(5, 5)
        page.evaluate(
            "() => cockpit.room && (window.heard = 0, document.addEventListener('cockpit:news', () => heard++))"
        )
        point = platform.violate(61, at=datetime.now(UTC))
        page.wait_for_function("() => heard > 0")
        page.locator("#ticker button", has_text=point.label).click()
        expect(page.locator("#card")).to_contain_text(point.label)
        # Themes by number and arrow; what the keys are for.
        page.keyboard.press("3")
        expect(page.locator(".theme.is-chosen")).to_have_text("派单处置管理")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".theme.is-chosen")).to_have_text("预警事件上报")
        expect(page).to_have_url(re.compile("theme=alerts"))
        page.keyboard.press("?")
        expect(page.locator(".help")).to_contain_text("轮播")
        page.keyboard.press("Escape")
        # A period stands in the address, and one that makes no sense falls back.
        page.get_by_role("button", name="今日", exact=True).click()
        expect(page).to_have_url(re.compile("period=today"))
        page.goto("/cockpit/?theme=none&period=range&since=2026-13-77&rotate=-3&wall=x&area=nowhere")
        expect(page.locator(".theme.is-chosen")).to_have_text("总览")
        expect(page.locator(".period.is-chosen")).to_have_text("本月")
        # A kiosk shows the picture and no pointer until the hand moves.
        page.keyboard.press("f")
        expect(page).to_have_url(re.compile("kiosk=1"))
        expect(page.locator(".themes")).to_be_hidden()
        expect(page.locator(".page-name")).to_have_text("总览 · 本月")
        page.wait_for_function(f"() => ({CURSOR})() === 'none'")
        page.mouse.move(400, 400)
        page.mouse.move(430, 400)
        page.wait_for_function(f"() => ({CURSOR})() !== 'none'")
        page.keyboard.press("Escape")
        expect(page.locator(".themes")).to_be_visible()
        watched.assert_clean()


def test_a_sound_is_only_made_where_somebody_switched_it_on(browser, base, platform):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        page.add_init_script(
            "window.rung = 0; AudioContext.prototype.createOscillator = function () { rung++; throw 0; }"
        )
        ready(page)
        page.evaluate("() => document.dispatchEvent(new CustomEvent('cockpit:news'))")
        assert page.evaluate("rung") == 0
        switch = page.locator(".switch-sound")
        expect(switch).to_have_attribute("aria-pressed", "false")
        page.evaluate("() => localStorage.setItem('cockpit.sound', 'on')")
        page.evaluate("() => { try { document.dispatchEvent(new CustomEvent('cockpit:news')) } catch {} }")
        assert page.evaluate("rung") == 1


@pytest.fixture
def wall(browser: Any, base: str) -> Any:
    """Return a page with a clock of its own, as a wall shows it."""
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        watched.page.clock.install(time=NOON)
        yield watched


def pass_time(page: Page, seconds: float, step: float = 1.0) -> None:
    """Let the page's clock go on; what was asked meanwhile is answered in our own time."""
    for _ in range(round(seconds / step)):
        page.clock.fast_forward(round(step * 1000))


def theme_of(page: Page) -> str:
    """Return the name of the page that is shown."""
    shown: str = page.evaluate("() => cockpit.state.theme")
    return shown


def test_the_carousel_stops_when_touched_and_goes_on_after_a_quiet_minute(wall):
    page = wall.page
    page.goto("/cockpit/?rotate=10")
    page.wait_for_function("() => window.cockpit && cockpit.state && document.querySelector('.side .panel')")
    assert theme_of(page) == "overview"
    pass_time(page, 11)
    assert theme_of(page) == "alerts"
    page.mouse.click(960, 620)
    pass_time(page, 55)
    assert theme_of(page) == "alerts"
    pass_time(page, 20)
    assert theme_of(page) != "alerts"
    # An open panel holds it as well, whoever left it open.
    page.evaluate("() => cockpit.room.enlarge(document.querySelector('.side .panel'))")
    held = theme_of(page)
    pass_time(page, 90)
    assert theme_of(page) == held


def test_the_pages_of_a_side_turn_by_themselves(wall):
    page = wall.page
    page.goto("/cockpit/?theme=overview")
    page.wait_for_selector(".side .panel")
    page.evaluate(
        """() => {
          const made = (i) => cockpit.element("section", { class: "panel", "data-panel": `p${i}` });
          const panels = (n) => Array.from({ length: n }, (_, i) => made(i));
          cockpit.sides.lay({ left: panels(5), right: panels(2) });
        }"""
    )
    shown = "() => [...document.querySelectorAll('#left .side-page.is-shown .panel')].map((each) => each.dataset.panel)"
    assert page.evaluate(shown) == ["p0", "p1", "p2"]
    assert page.locator("#left .side-dot").count() == 2
    pass_time(page, 80)  # the quiet minute after the page was opened does not count, nobody has touched it
    turned = page.evaluate(shown)
    pass_time(page, 16)
    assert page.evaluate(shown) != turned
    assert page.evaluate("() => document.querySelectorAll('#right .side-page').length") == 1


def test_a_kiosk_loads_itself_anew_at_night_if_the_server_is_there(wall, platform):
    page = wall.page
    page.goto("/cockpit/?kiosk=1")
    page.wait_for_function("() => window.cockpit && cockpit.state && document.querySelector('.side .panel')")
    page.evaluate("() => (window.old = true)")
    page.route("**/data/plan", lambda route: route.abort())
    pass_time(page, 15.9 * 3600, 1200)  # to the end of the hour
    assert page.evaluate("() => window.old") is True
    page.unroute("**/data/plan")
    page.clock.fast_forward(int(23.05 * 3600 * 1000))
    loaded: list[object] = []
    page.on("load", lambda each: loaded.append(each))
    for _ in range(60):
        page.clock.fast_forward(60_000)
        page.wait_for_timeout(50)
        if loaded:
            break
    assert len(loaded) == 1


def heap(page: Page) -> tuple[float, int]:
    """Return megabytes of live objects and how many nodes there are, after the garbage is gone."""
    session = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    session.detach()
    return used, nodes


def test_half_an_hour_alone_leaves_the_heap_flat(wall, platform):
    page = wall.page
    page.goto("/cockpit/?kiosk=1&rotate=20")
    page.wait_for_function("() => window.cockpit && cockpit.state && document.querySelector('.side .panel')")

    def minutes(count: int) -> tuple[float, int]:
        for tick in range(count * 12):
            if tick % 5 == 0:
                platform.violate(100 + len(platform.violations), at=NOON)
                del platform.violations[40:]
            page.clock.fast_forward(5000)
        page.wait_for_timeout(300)
        return heap(page)

    _, first, last = minutes(6), minutes(8), minutes(16)
    assert last[0] <= first[0] * 1.1 + 1, (first, last)
    assert last[1] <= first[1] * 1.25 + 500, (first, last)
    assert fake.NOW  # the fake's own time stands still
    wall.assert_clean()

"""The cockpit in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page
from pypdfium2 import PdfDocument

from tests.browser import watching
from tests.cockpit import fake

LAYOUT = (Path(__file__).parent / "layout.js").read_text()
CLOCK = r"() => /^\d{4}年\d+月\d+日　星期.　\d\d:\d\d:\d\d$/.test(document.getElementById('clock').textContent)"
# The ticker turns to the next line after four seconds, which a busy machine may sleep through.
WATCH_TICKER = """() => {
  window.seen = "";
  const ticker = document.getElementById("ticker");
  new MutationObserver(() => (window.seen += ticker.innerText)).observe(ticker, { childList: true, subtree: true });
}"""
POINTS = "name => cockpit.map.layers().get(name).points.size"
# Where something stands by itself, in pixels of the screen.
A_POINT = """() => {
  const map = cockpit.map.handle();
  const box = map.getContainer().getBoundingClientRect();
  const scale = box.width / map.getContainer().offsetWidth;
  const free = document.querySelector(".middle").getBoundingClientRect();
  const legend = document.getElementById("legend").getBoundingClientRect();
  const places = cockpit.points.drawn().filter((each) => each.item.members.length === 1).map((each) => {
    const at = map.layerPointToContainerPoint([each.x, each.y]);
    return [box.left + at.x * scale, box.top + at.y * scale];
  });
  return places.find(([x, y]) =>
    x > free.left && x < legend.left && y > free.top + free.height * 0.3 && y < free.bottom - 70 * scale);
}"""
FIGURES_DRAWN = "() => document.querySelectorAll('.js-plotly-plot .main-svg').length > 0"


def ready(page: Page, path: str = "/cockpit/") -> None:
    """Open the cockpit and wait until map, points and figures are drawn."""
    page.goto(path)
    page.wait_for_function(
        "() => document.querySelectorAll('.leaflet-areas-pane path, .leaflet-overlay-pane path').length > 8"
    )
    page.wait_for_function(
        "() => document.querySelectorAll('.drawing').length === document.querySelectorAll('.js-plotly-plot').length"
    )
    page.wait_for_function("() => !document.querySelector('.panel-waiting')")


def test_the_page_is_drawn_without_asking_anybody_else(browser, base):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page)
        page.wait_for_function(FIGURES_DRAWN)
        assert page.locator("h1").inner_text() == "生活垃圾分类数据驾驶舱"
        assert page.locator(".district").inner_text() == "清序区"
        page.wait_for_function(CLOCK)
        assert page.locator(".theme").all_inner_texts()[0] == "总览"
        assert page.locator(".figure-number").first.inner_text() == "160"
        assert page.evaluate(POINTS, "base_info.points") >= 300
        assert page.locator(".area-name").all_inner_texts() == [street.name for street in fake.STREETS]
        assert page.locator(".leaflet-control-attribution").count() == 0
        watched.assert_clean()


def test_a_change_of_theme_keeps_the_map_and_the_address_tells_it(browser, base):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page)
        page.evaluate("() => document.querySelector('.leaflet-container').marked = true")
        page.get_by_role("button", name="派单处置管理").click()
        page.get_by_text("PD2026112200").wait_for()
        assert page.evaluate("() => document.querySelector('.leaflet-container').marked") is True
        assert "theme=dispatch" in page.url
        page.go_back()
        page.get_by_text("小区分布").wait_for()
        page.locator(".area-part").nth(1).click()
        page.wait_for_function("() => document.querySelectorAll('.trail-step').length === 2")
        assert "area=339999" in page.url
        page.locator(".trail-step").first.click()
        page.wait_for_function("() => document.querySelectorAll('.trail-step').length === 1")
        assert "area=" not in page.url
        watched.assert_clean()


def test_a_new_violation_appears_by_itself_pulses_and_is_flown_to(browser, base, platform):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page)
        page.wait_for_function(f"() => ({POINTS})('evidence.live') === 12")
        page.evaluate(WATCH_TICKER)
        zoom = page.evaluate("() => cockpit.map.handle().getZoom()")
        point = platform.violate(41, at=datetime.now(UTC))
        page.wait_for_selector(".flag.is-new", timeout=6_000)
        page.wait_for_selector("#card.is-open")
        assert page.locator("#card strong").inner_text() == point.label
        assert page.locator(".card-photo").evaluate("image => image.complete && image.naturalWidth > 0")
        assert page.evaluate("() => cockpit.map.handle().getZoom()") > zoom
        page.wait_for_function(
            "label => document.querySelector('[data-panel=\"evidence.newest\"] .row').innerText.includes(label)",
            arg=point.label,
        )
        page.wait_for_function("label => seen.includes(label)", arg=point.label)
        watched.assert_clean()


def test_a_broken_panel_shows_its_card_and_its_neighbour_is_fine(browser, base, platform):
    platform.slow_seconds = 60
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        page.goto("/cockpit/?theme=odd")
        page.wait_for_selector("[data-panel='odd.broken'] .panel-error")
        page.wait_for_selector("[data-panel='odd.slow'] .panel-error")
        page.wait_for_selector("[data-panel='odd.fine'] .js-plotly-plot")
        platform.down = True
        page.locator("[data-panel='odd.fine'] .panel-age").get_by_text("前的数据").wait_for()
        assert page.locator("[data-panel='odd.fine'] .js-plotly-plot").count() == 1
        platform.down = False
        page.wait_for_function(
            "() => document.querySelector(\"[data-panel='odd.fine'] .panel-age\").textContent === ''"
        )
        watched.assert_clean()


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(1366, 768, 1), (1920, 1080, 1), (1920, 1080, 2), (3840, 2160, 1), (5760, 1920, 1)]
)
def test_nothing_is_cut_or_covered_at_any_size(browser, base, width, height, scale):
    with watching(
        browser, width=width, height=height, device_scale=scale, cookies={"who": "chief"}, base=base
    ) as watched:
        page = watched.page
        for theme in ("overview", "dispatch", "base"):
            ready(page, f"/cockpit/?theme={theme}")
            page.wait_for_function("() => !document.querySelector('.panel-error')")
            assert page.evaluate(LAYOUT) == []
        watched.assert_clean()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (3840, 2160), (5760, 1920)])
def test_the_pointer_meets_what_it_points_at(browser, base, width, height):
    with watching(browser, width=width, height=height, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page)
        miss = page.evaluate(
            """() => {
              const map = cockpit.map.handle();
              const box = map.getContainer().getBoundingClientRect();
              const scale = box.width / map.getContainer().offsetWidth;
              const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
              const meant = L.point(map.getSize()).divideBy(2);
              return map.mouseEventToContainerPoint(at).distanceTo(meant) * scale;
            }"""
        )
        assert miss <= 1
        bar = page.locator("[data-panel='base_info.compounds'] .bars .point").nth(1).bounding_box()
        page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
        page.wait_for_selector("[data-panel='base_info.compounds'] .hovertext")
        assert (
            fake.STREETS[1].name in page.locator("[data-panel='base_info.compounds'] .hovertext").first.text_content()
        )
        page.mouse.click(*page.evaluate(A_POINT))
        page.wait_for_selector("#card.is-open")
        watched.assert_clean()


def test_a_street_leader_sees_the_street(browser, base):
    with watching(browser, cookies={"who": "street"}, base=base) as watched:
        page = watched.page
        ready(page, "/cockpit/?area=339999")
        assert page.locator(".district").inner_text() == "云桥街道"
        assert page.locator(".figure-number").first.inner_text() == "42"
        watched.assert_clean()


def test_figures_open_their_records_by_mouse_and_keys_and_a_row_flies_the_map(browser, base, platform):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page, "/cockpit/?period=week")
        rows = page.locator(".drill .row")
        bar = page.locator("[data-panel='base_info.compounds'] .bars .point").nth(1).bounding_box()
        page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
        rows.first.wait_for()
        assert (platform.asked[-1][0].name, platform.asked[-1][1]) == ("week", fake.STREETS[1].name)
        assert page.locator(".drill h2").inner_text() == f"小区分布 · {fake.STREETS[1].name}"
        page.keyboard.press("Escape")
        page.wait_for_selector(".drill", state="detached")
        ring = page.locator("[data-panel='base_info.devices'] .ring-row").nth(2)
        ring.focus()
        page.keyboard.press("Enter")
        rows.first.wait_for()
        assert platform.asked[-1][1] == "电子围栏"
        page.keyboard.press("Escape")
        plot = page.locator("[data-panel='evidence.hours'] .nsewdrag").bounding_box()
        page.mouse.move(plot["x"] + plot["width"] / 2 - 20, plot["y"] + plot["height"] / 2)
        page.wait_for_selector(
            "[data-panel='evidence.hours'] .hoverlayer .legend, [data-panel='evidence.hours'] .hovertext"
        )
        page.mouse.click(plot["x"] + plot["width"] / 2 - 20, plot["y"] + plot["height"] / 2)
        rows.first.wait_for()
        page.keyboard.press("Escape")
        zoom = page.evaluate("() => cockpit.map.handle().getZoom()")
        page.locator("[data-drill='all']").click()
        rows.nth(1).wait_for()
        page.keyboard.press("ArrowDown")
        name = page.evaluate("() => document.activeElement.querySelector('.cell-first').textContent")
        page.keyboard.press("Enter")
        page.wait_for_selector(".drill", state="detached")
        page.wait_for_selector("#card.is-open")
        assert name in page.locator("#card").inner_text()
        assert page.evaluate("() => cockpit.map.handle().getZoom()") > zoom
        watched.assert_clean()


def test_panels_and_the_page_are_taken_away_without_asking_anybody_else(browser, base, platform):
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        ready(page)
        page.wait_for_function(FIGURES_DRAWN)
        section = page.locator("[data-panel='evidence.newest']")
        section.hover()
        with page.expect_download() as download:
            section.locator(".panel-picture").click()
        with Image.open(download.value.path()) as picture:
            box = section.evaluate("node => [node.offsetWidth, node.offsetHeight]")
            assert picture.size == (2 * box[0], 2 * (box[1] + 34))
            assert len(set(picture.convert("RGB").resize((64, 48)).getdata())) > 60, "it is not one empty surface"
        with page.expect_download() as download:
            section.locator(".panel-sheet").click()
        assert download.value.suggested_filename == "最新抓拍.xlsx"
        pages = PdfDocument(page.pdf(print_background=True, prefer_css_page_size=True))
        width, height = pages[0].get_size()
        assert width / height == pytest.approx(420 / 297, abs=0.01)
        text = pages[0].get_textpage().get_text_range()
        for words in ("小区分布", "四分类占比", "云桥街道", "导出于"):
            assert words in text
        assert [detail["as"] for *_, detail in platform.taken] == ["png", "xlsx", "print"]
        assert page.locator("#print-note").count() == 0
        watched.assert_clean()

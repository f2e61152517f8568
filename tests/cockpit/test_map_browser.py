"""The map in a real browser: the pointer hits what is drawn on its canvases, things are found, opened and flown to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from dash_cockpit.tiles import Background, TileService
from tests.browser import Watched, watching
from tests.cockpit import fake, world

# Where on the screen something is drawn that the condition holds for, out of reach of what lies over the map.
WHERE = """(condition) => {
  const wanted = eval(condition);
  const map = cockpit.map.handle();
  const box = map.getContainer().getBoundingClientRect();
  const scale = box.width / map.getContainer().offsetWidth;
  for (const each of cockpit.points.drawn()) {
    if (!wanted(each.item.members, each.item)) continue;
    const at = map.layerPointToContainerPoint([each.x, each.y]);
    const [x, y] = [box.left + at.x * scale, box.top + at.y * scale];
    const under = document.elementFromPoint(x, y);
    const reached = under && under.closest(".leaflet-container");
    if (reached && cockpit.points.at(map.layerPointToLatLng([each.x, each.y])).item === each.item) return [x, y];
  }
  return null;
}"""
READY = """() => {
  const layers = window.cockpit && cockpit.map && cockpit.map.layers();
  const ready = (name) => layers.get(name) && layers.get(name).points.size > 0;
  return layers && ready("base_info.w_points") && ready("evidence.w_live") && cockpit.points.drawn().length > 5;
}"""
ZOOM = "() => cockpit.map.handle().getZoom()"
# A flight is over when the map has not moved for a while.
RESTS = """() => new Promise((done) => {
  const map = cockpit.map.handle();
  let last = map.getCenter().toString() + map.getZoom();
  const look = () => {
    const now = map.getCenter().toString() + map.getZoom();
    if (now === last) return done(true);
    last = now;
    setTimeout(look, 250);
  };
  setTimeout(look, 400);
})"""


@pytest.fixture
def show(browser, platform: fake.Platform) -> Iterator[Callable[..., object]]:
    """Return what opens the map of a world in a browser."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    servers = []

    @contextmanager
    def open_map(here: world.World, width: int = 1920, height: int = 1080, **options: object) -> Iterator[Watched]:
        server = make_server("127.0.0.1", 0, world.application(platform, here, patience_seconds=2.5), threaded=True)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        base = f"http://127.0.0.1:{server.server_port}"
        with watching(browser, width=width, height=height, cookies={"who": "dialler"}, base=base, **options) as watched:
            watched.page.goto(f"/cockpit/?theme={world.THEME}")
            yield watched

    yield open_map
    for server in servers:
        server.shutdown()


def click_on(page: Page, condition: str) -> None:
    """Click where something is drawn."""
    at = page.evaluate(WHERE, condition)
    assert at, "nothing of this kind is drawn where it can be reached"
    page.mouse.click(*at)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (3840, 2160)])
def test_the_pointer_hits_clusters_points_and_areas(show, width, height):
    # Nothing drives between the pointer and what it was brought to.
    with show(world.World(fleet=0), width, height) as watched:
        page = watched.page
        page.wait_for_function(READY)
        page.evaluate(RESTS)
        before = page.evaluate(ZOOM)
        click_on(page, "(members) => members.length > 3")
        page.evaluate(RESTS)
        assert page.evaluate(ZOOM) >= before + 0.9, "a click on a cluster comes nearer"

        at = page.evaluate(WHERE, "(members, item) => members.length === 1 && item.layer.name === 'base_info.w_points'")
        page.mouse.move(*at)
        page.wait_for_selector(".point-name")
        hint = page.locator(".point-name").inner_text()
        page.mouse.click(*at)
        page.get_by_text("物业联系人").wait_for()
        title = page.locator("#card strong").inner_text()
        assert title in hint
        assert page.locator(".trail-point").inner_text() == title
        assert page.locator("[data-part='evidence.near'] h3 i").inner_text() == "7"
        assert page.locator("#card img").count() == 1, "only the platform's own pictures"
        page.locator(".card-close").click()

        page.locator(".trail-step.is-here").click()
        page.evaluate(RESTS)
        page.locator(".legend-choice", has_text="投放量").click()
        assert page.locator(".legend-ranges .legend-head").inner_text() == "投放量（起）"
        page.locator(".legend-choice", has_text="热力").click()
        assert page.locator(".legend-ranges").count() == 0, "heat and areas would cover each other"
        watched.assert_clean()


def test_the_way_from_district_to_point_and_back_by_search(show):
    with show(world.World(fleet=40)) as watched:
        page = watched.page
        page.wait_for_function(READY)
        for level, count in (("街道", 2), ("社区", 3)):
            page.locator(".trail-below summary").click()
            page.locator(".trail-menu button").first.click()
            page.wait_for_function("count => document.querySelectorAll('.trail-step').length === count", arg=count)
            assert page.locator(".trail-step").last.inner_text().endswith(level)
        page.evaluate(RESTS)
        page.wait_for_function("() => document.querySelectorAll('.area-part').length > 3")
        page.locator(".area-part:not(.is-covered)").last.click()
        page.wait_for_function("() => document.querySelectorAll('.trail-step').length === 4")
        page.wait_for_function("() => cockpit.points.drawn().length > 0")
        page.evaluate(RESTS)
        click_on(page, "(members, item) => members.length === 1 && item.layer.name === 'base_info.w_points'")
        page.locator("#card.is-open").wait_for()
        trail = page.locator("#trail").inner_text()
        assert trail.split("\n")[0] == "清序区" and "投放点" in page.locator(".trail-point").inner_text()

        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("花园2号")
        page.locator(".find-item").first.wait_for()
        wanted = page.locator(".find-item .line-text").first.inner_text()
        page.keyboard.press("Enter")
        page.get_by_text("138****5678").wait_for()
        assert page.locator("#card strong").inner_text() == wanted
        page.locator(".person-dial").click()
        page.locator("a[href='tel:13812345678']").wait_for()
        assert page.locator(".focus-ring").count() == 1
        page.get_by_role("button", name="进入所在区域").click()
        page.wait_for_function("() => document.querySelectorAll('.trail-step').length === 4")
        watched.assert_clean()


def test_an_alert_is_flown_to_within_two_seconds_and_others_keep_their_hands_on_the_map(show, platform):
    with show(world.World(fleet=40)) as watched:
        page = watched.page
        page.wait_for_function(READY)
        page.evaluate(RESTS)
        page.evaluate("""() => {
          window.movedAt = 0;
          cockpit.map.handle().on("movestart", () => (window.movedAt = window.movedAt || Date.now()));
        }""")
        happened = datetime.now(UTC)
        point = platform.violate(41, at=happened)
        page.wait_for_function("() => window.movedAt > 0", timeout=6_000)
        assert page.evaluate("window.movedAt") / 1000 - happened.timestamp() < 2.0
        page.locator("#card strong", has_text=point.label).wait_for()
        page.wait_for_selector(".flag.is-new")

        page.mouse.move(960, 600)
        page.mouse.wheel(0, -240)
        page.evaluate(RESTS)
        held = page.evaluate("() => cockpit.map.handle().getCenter().toString()")
        platform.violate(43, at=datetime.now(UTC))
        page.wait_for_function("() => document.querySelectorAll('.flag.is-new').length === 2")
        page.wait_for_timeout(500)
        assert page.evaluate("() => cockpit.map.handle().getCenter().toString()") == held
        watched.assert_clean()


def test_without_boundaries_with_a_stray_point_and_thousands_on_one_spot_the_map_is_of_use(show):
    here = world.World(heap=3000, stray=True, undrawn=True, fleet=0)
    with show(here) as watched:
        page = watched.page
        page.wait_for_function(READY)
        page.evaluate(RESTS)
        bounds = page.evaluate("() => cockpit.map.handle().getBounds().toBBoxString()").split(",")
        assert float(bounds[0]) > 119.5 and float(bounds[2]) < 120.7, "the stray point does not draw the map away"
        assert page.locator(".trail-below").count() == 1, "areas that were not drawn are reached by name"
        took = page.evaluate("""() => {
          const map = cockpit.map.handle();
          const began = performance.now();
          for (let i = 0; i < 10; i += 1) map.setZoom(map.getZoom() + (i % 2 ? -0.5 : 0.5), { animate: false });
          return (performance.now() - began) / 10;
        }""")
        assert took < 400, f"{took:.0f} ms to gather and draw 3,300 points"
        for _ in range(8):
            if page.locator("#card.is-open").count():
                break
            click_on(page, "(members) => members.length > 2000")
            page.evaluate(RESTS)
        assert page.locator("#card strong").inner_text().startswith("此处 30")
        assert page.locator("#card li").count() == 100
        page.locator("#card li button").nth(5).click()
        page.get_by_text("物业联系人").wait_for()
        watched.assert_clean()


def test_without_its_tile_server_the_map_goes_on_and_motion_is_reduced_on_request(show, tmp_path, platform):
    gone = TileService(
        [Background("vec", "电子地图", ("vec",))],
        {"vec": "http://127.0.0.1:9/{z}/{x}/{y}"},
        folder=tmp_path,
        most_bytes=1,
    )
    with show(world.World(tiles=gone, fleet=40)) as watched:
        page = watched.page
        page.emulate_media(reduced_motion="reduce")
        page.wait_for_function(READY)
        assert page.locator(".leaflet-container.has-tiles").count() == 1
        page.wait_for_function("() => document.querySelectorAll('.leaflet-tile-loaded').length > 3")
        page.locator(".legend-choices", has_text="底图").get_by_role("button", name="无").click()
        assert page.locator(".has-tiles").count() == 0
        page.evaluate("() => { cockpit.map.handle().on('zoom', () => (window.frames_ = (window.frames_ || 0) + 1)); }")
        platform.violate(47, at=datetime.now(UTC))
        page.wait_for_selector("#card.is-open")
        assert page.evaluate("() => window.frames_ || 0") <= 1, "it jumps and does not fly"
        click_on(page, "() => true")
        watched.assert_clean()

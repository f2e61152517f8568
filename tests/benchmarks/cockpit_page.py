"""How soon the cockpit stands in a browser, against an empty Dash page, and how soon it changes its theme.

The demo district on embedded servers, gunicorn with the cockpit and with the empty page, Chromium with an empty cache
for each load; both are loaded in turns.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator

from dash import Dash, html
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from backend.identity.demo import DEMO_PASSWORD
from backend.settings import Settings
from dash_cockpit.bundles import serve_compressed, warm
from tests.benchmarks.ground import platform
from tests.benchmarks.ratio import Ratio
from tests.benchmarks.serving import serve
from tests.browser import FLAGS

ROUNDS = 5
CHANGES = 12
MAP_SECONDS, PANELS_SECONDS, CHANGE_SECONDS = 1.5, 3.0, 0.3
TRANSFERRED = 2_200_000

MAP = "() => document.querySelectorAll('.leaflet-areas-pane path, .leaflet-overlay-pane path').length > 3"
PANELS = """() => document.querySelector('.panel') && !document.querySelector('.panel-waiting')
  && !document.querySelector('.side-page.is-shown .drawing:not(.js-plotly-plot)')"""
#: From the key to the first frame in which the other page's panels stand.
CHANGE = """(theme) => new Promise((resolve) => {
  const began = performance.now();
  cockpit.go({ theme });
  const look = () => cockpit.state.theme === theme && document.querySelector('.side .panel-body > :not(.panel-waiting)')
    ? resolve(performance.now() - began) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})"""


def empty() -> Flask:
    """Return an app with a Dash page that says one word, compressed and warmed as the cockpit is."""
    app = Flask("empty")
    serve_compressed(app, "/empty/")
    app.add_url_rule("/healthz", view_func=lambda: "")
    dash = Dash("empty", server=app, routes_pathname_prefix="/empty/", requests_pathname_prefix="/empty/")  # type: ignore[arg-type]
    dash.layout = html.Div("空", id="word")
    warm(app, "/empty/")
    return app


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which a web worker finds the benchmark's servers."""
    names = ("mode", "data_dir", "mongodb_url", "mongodb_database", "redis_url", "master_key", "api_rate", "log_level")
    return {f"QINGXU_{name.upper()}": str(getattr(settings, name)) for name in names}


def measure() -> Iterator[Ratio]:
    """Yield the first load, its bytes, and the change of theme."""
    with platform() as settings, sync_playwright() as playwright:
        variables = environment(settings)
        with (
            serve("wsgi:app", variables, config="python:backend.run.web") as cockpit,
            serve("tests.benchmarks.cockpit_page:empty()", {}) as peer,
        ):
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            ours = f"http://127.0.0.1:{cockpit.connection.port}"
            theirs = f"http://127.0.0.1:{peer.connection.port}/empty/"
            loads = [(load(browser, ours), load_empty(browser, theirs)) for _ in range(ROUNDS)]
            changes = theme_changes(browser, ours)
            browser.close()
    map_seen, panels_seen, transferred = (statistics.median(each[i] for each, _ in loads) for i in range(3))
    bare = statistics.median(each for _, each in loads)
    said = f"{bare:.2f} s (empty Dash page)"
    yield Ratio(name="cockpit, map seen", ours=f"{map_seen:.2f} s", peer=said, ratio=map_seen / bare, at_most=3.0)
    yield Ratio(
        name="cockpit, map seen against the promise",
        ours=f"{map_seen:.2f} s",
        peer=f"{MAP_SECONDS} s",
        ratio=map_seen / MAP_SECONDS,
        at_most=1.0,
    )
    yield Ratio(
        name="cockpit, all panels seen against the promise",
        ours=f"{panels_seen:.2f} s",
        peer=f"{PANELS_SECONDS} s",
        ratio=panels_seen / PANELS_SECONDS,
        at_most=1.0,
    )
    yield Ratio(name="cockpit, all panels seen", ours=f"{panels_seen:.2f} s", peer=said, ratio=panels_seen / bare)
    yield Ratio(
        name="cockpit, first load transfers",
        ours=f"{transferred / 1e6:.2f} MB",
        peer=f"{TRANSFERRED / 1e6} MB",
        ratio=transferred / TRANSFERRED,
        at_most=1.0,
    )
    median = statistics.median(changes) / 1000
    yield Ratio(
        name="cockpit, change of theme",
        ours=f"{median * 1000:.0f} ms",
        peer=f"{CHANGE_SECONDS * 1000:.0f} ms",
        ratio=median / CHANGE_SECONDS,
        at_most=1.0,
    )


def load(browser: Browser, base: str) -> tuple[float, float, float]:
    """Return the seconds until the map and until all panels are seen, and the bytes that came over the wire."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN", base_url=base)
    page = context.new_page()
    sign_in(page)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    wire: list[float] = []
    session.on("Network.loadingFinished", lambda event: wire.append(event["encodedDataLength"]))
    began = time.perf_counter()
    page.goto("/cockpit/", wait_until="commit")
    page.wait_for_function(MAP)
    map_seen = time.perf_counter() - began
    page.wait_for_function(PANELS)
    panels_seen = time.perf_counter() - began
    context.close()
    return map_seen, panels_seen, sum(wire)


def load_empty(browser: Browser, address: str) -> float:
    """Return the seconds until the empty page says its word."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#word")
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def theme_changes(browser: Browser, base: str) -> list[float]:
    """Return the milliseconds of changes of theme, each page having been seen once before."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN", base_url=base)
    page = context.new_page()
    sign_in(page)
    page.goto("/cockpit/")
    page.wait_for_function(PANELS)
    themes = page.evaluate("() => cockpit.plan().themes.map((each) => each.name)")
    for theme in themes:
        page.evaluate(CHANGE, theme)
        page.wait_for_function(PANELS)
    taken = []
    for i in range(CHANGES):
        taken.append(page.evaluate(CHANGE, themes[i % len(themes)]))
        page.wait_for_timeout(400)
    context.close()
    return taken


def sign_in(page: object) -> None:
    """Sign in as the district's administrator."""
    page.goto("/login")  # type: ignore[attr-defined]
    page.fill("input[name=account]", "district")  # type: ignore[attr-defined]
    page.fill("input[type=password]", DEMO_PASSWORD)  # type: ignore[attr-defined]
    page.click("button[type=submit]")  # type: ignore[attr-defined]
    page.wait_for_url(lambda address: "/login" not in address)  # type: ignore[attr-defined]

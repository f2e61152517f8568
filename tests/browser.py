"""A real browser for tests: Chromium with a fresh profile, and a record of what it must not do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once; without one the test is skipped, and fails where `CI` is true."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "No Chromium: `apt-get install chromium fonts-noto-cjk`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@dataclass
class Watched:
    """A page, and what went wrong on it: requests to other hosts, console errors, exceptions in scripts."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        """Fail if the page asked another host for anything or complained."""
        assert self.outside == []
        assert self.errors == []


@contextmanager
def watching(
    browser: Browser,
    *,
    width: int = 1920,
    height: int = 1080,
    device_scale: float = 1,
    cookies: dict[str, str] | None = None,
    base: str = "",
) -> Iterator[Watched]:
    """Open an empty page of the given size in a fresh profile and watch it; `cookies` are set for `base`."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=device_scale,
        locale="zh-CN",
        base_url=base or None,
    )
    context.add_cookies([{"name": name, "value": value, "url": base} for name, value in (cookies or {}).items()])
    context.set_default_timeout(45_000)
    watched = Watched(context.new_page())

    def on_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", "localhost", None):
            watched.outside.append(request.url)

    watched.page.on("request", on_request)
    watched.page.on("console", lambda message: message.type == "error" and watched.errors.append(message.text))
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    try:
        yield watched
    finally:
        context.close()  # a page that lives on would take the processor from the next test

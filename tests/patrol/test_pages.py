"""A supervisor's day on a real phone screen, without a network for a part of it, and the offices' view of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from backend.identity import COOKIE
from backend.rollups.recompute import recompute_dirty
from backend.storage import database
from tests.browser import watching
from tests.patrol.conftest import PLACES, Ground, photo

EXPECTED = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")


@pytest.fixture
def base(ground: Ground) -> Iterator[str]:
    """Serve the app to the browser."""
    server = make_server("127.0.0.1", 0, ground.district.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def keep(page: Page, name: str) -> None:
    """Leave a picture of the page to look at, where one is wanted."""
    if folder := os.environ.get("QINGXU_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"patrol-{name}.png"))


def picture() -> dict[str, Any]:
    return {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": photo()}


def stand_at(page: Page, point: str, north: float = 0) -> None:
    lon, lat = PLACES[point]
    page.context.set_geolocation({"longitude": lon, "latitude": lat + north, "accuracy": 12})


def test_a_round_is_walked_on_a_phone_partly_without_a_network(browser: Browser, base: str, ground: Ground) -> None:
    cookies = {COOKIE: ground.supervisor.token}
    with watching(browser, width=390, height=844, device_scale=2, base=base, cookies=cookies) as watched:
        page = watched.page
        page.context.grant_permissions(["geolocation"])
        stand_at(page, "T1", north=0.027)
        page.goto("/alerts/patrol/today")
        page.get_by_role("heading", name="阳光花园 1 号投放点").wait_for()
        page.evaluate("navigator.serviceWorker.ready.then(() => {})")
        keep(page, "today")

        # Three kilometres away nothing can be sent.
        page.get_by_role("button", name="到点打卡").click()
        page.get_by_text("距点位约 3.0 公里").wait_for()
        page.get_by_role("button", name="提交打卡").click()
        assert "不在点位附近" in page.locator("#checking .message").inner_text()
        stand_at(page, "T1")
        page.get_by_role("button", name="重新定位").click()
        page.get_by_text("已到点位").wait_for()
        page.get_by_role("button", name="桶外无落地垃圾：正常").click()
        page.get_by_label("桶外无落地垃圾照片").set_input_files([picture()])
        page.locator("#checking canvas.thumb").wait_for()
        keep(page, "checking")
        page.get_by_role("button", name="提交打卡").click()
        page.get_by_text("1 / 2").wait_for()
        page.locator("#sync").wait_for(state="hidden")

        # Without a network the page opens again, knows the round, and keeps what is done.
        page.context.set_offline(True)
        page.reload()
        page.get_by_role("heading", name="阳光花园 2 号投放点").wait_for()
        assert page.locator(".tool", has_text="测试").count() == 0  # the page that was kept is nobody's
        stand_at(page, "T2")
        page.get_by_role("button", name="到点打卡").click()
        page.get_by_text("已到点位").wait_for()
        page.get_by_role("button", name="提交打卡").click()
        page.get_by_text("2 / 2").wait_for()
        page.get_by_role("button", name="上报事件").click()
        keep(page, "reporting")
        page.get_by_role("button", name="满溢", exact=True).click()
        page.get_by_text("待上传 2").wait_for()
        page.get_by_role("button", name="完成巡检").click()
        page.get_by_label("小结").fill("已通知物业清运。")
        page.get_by_role("button", name="提交", exact=True).click()
        page.get_by_text("待上传 3").wait_for()
        page.reload()
        page.get_by_text("待上传 3").wait_for()
        keep(page, "offline")
        assert (ground.report()["done"], ground.report()["reports"]) == (1, 0)

        page.context.set_offline(False)
        page.locator("#sync").click()
        page.locator("#sync").wait_for(state="hidden")
        page.get_by_role("heading", name="本次巡检已完成").wait_for()
        keep(page, "finished")
        page.get_by_role("button", name="适老化").click()
        page.set_viewport_size({"width": 360, "height": 780})
        keep(page, "elder")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert watched.outside == []
        assert [each for each in watched.errors if not any(word in each for word in EXPECTED)] == []

    report = ground.report()
    assert (report["state"], report["findings"], report["reports"]) == ("finished", 1, 1)
    assert report["summary"] == "已通知物业清运。"
    assert database()["patrol_check_ins"].count_documents({}) == 2
    [alert] = ground.community.get("/api/v1/alerts")["items"]
    assert (alert["kind"], alert["point"]) == ("E02", "T2")

    recompute_dirty()
    cookies = {COOKIE: ground.community.token}
    with watching(browser, width=1280, height=900, base=base, cookies=cookies) as watched:
        page = watched.page
        page.goto("/alerts/patrol/rounds")
        page.get_by_role("button", name="阳光花园巡检").click()
        page.get_by_text("桶外无落地垃圾：有问题").wait_for()
        page.locator("#report img").evaluate("(image) => image.decode()")  # fails unless it is a picture
        keep(page, "report")
        page.get_by_role("button", name="关闭").click()
        keep(page, "rounds")
        page.get_by_role("link", name="打印点位码").click()
        page.locator("#sheet img").nth(1).wait_for()
        page.locator("#sheet img").evaluate_all("(images) => Promise.all(images.map((each) => each.decode()))")
        keep(page, "codes")
        watched.assert_clean()

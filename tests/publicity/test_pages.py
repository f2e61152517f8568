"""The pages in a real browser, on a phone and on a desk."""

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
from plugins.publicity.exposure.models import Exposure, Receipt
from tests.browser import watching
from tests.district import EAST_ONE, Caller, District
from tests.publicity.conftest import change, handled, happened, judge, picture, sent, work

SIZES = {"phone": (390, 844, 2), "desk": (1280, 900, 1)}
WORDS = "<script>document.title='坏'</script>桶满了，袋子堆到路边。"


@pytest.fixture
def base(town: District) -> Iterator[str]:
    """Serve the app to the browser."""
    server = make_server("127.0.0.1", 0, town.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def screen(request: pytest.FixtureRequest, browser: Browser, base: str) -> Iterator[Any]:
    """Open a page; at the end nothing came from another host, nothing is too wide, no script complained."""
    size = getattr(request, "param", "phone")
    width, height, scale = SIZES[size]
    with watching(browser, width=width, height=height, device_scale=scale, base=base) as watched:
        watched.size = size
        yield watched
        assert watched.outside == []
        assert [each for each in watched.errors if "status of 4" not in each and "ERR_INTERNET" not in each] == []
        assert watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def keep(page: Page, name: str) -> None:
    """Leave a picture of the page to look at, where one is wanted."""
    if folder := os.environ.get("QINGXU_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"exposure-{name}.png"), full_page=True)


def photo(name: str = "现场.jpg", content: bytes = b"") -> dict[str, Any]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content or picture("saddlebrown")}


def fill(page: Page, words: str = WORDS) -> None:
    page.get_by_text("垃圾桶满溢", exact=True).click()
    page.get_by_label("点位编号").fill("T1")
    page.get_by_label("情况说明").fill(words)


@pytest.mark.parametrize("screen", SIZES, indirect=True)
def test_somebody_reports_follows_and_rates(screen: Any, town: District, moderator: Caller):
    page = screen.page
    page.goto("/publicity/report")
    fill(page)
    page.get_by_label("照片（最多").set_input_files([photo(), photo("二.jpg", picture("gold"))])
    page.wait_for_function(
        "() => [...document.querySelectorAll('#previews img')].filter(each => each.naturalWidth).length === 2"
    )
    keep(page, f"report-{screen.size}")
    page.get_by_role("button", name="提交").click()
    page.get_by_role("heading", name="已收到您的上报").wait_for()
    code = page.locator("#code").inner_text()
    keep(page, f"sent-{screen.size}")
    page.reload()
    assert Exposure.objects.count() == 1 and page.locator("#code").inner_text() == code

    exposure = Exposure.objects.first()
    work()
    judge(moderator, exposure, "accept")
    work()
    happened("work_order.closed", exposure.area, alert="alert-1", order="o1", result="closed")
    page.get_by_role("link", name="查进度").click()
    page.get_by_label("回执码").fill(code.lower())
    page.get_by_role("button", name="查进度").click()
    page.get_by_text("核查通过，已结案").first.wait_for()
    assert code.replace(" ", "") not in page.url and page.title() != "坏"
    assert page.locator("dd.words").inner_text() == WORDS
    keep(page, f"receipt-{screen.size}")
    page.get_by_label("很满意", exact=True).check()
    page.get_by_label("想说的话").fill("谢谢")
    page.get_by_role("button", name="提交评价").click()
    page.get_by_text("感谢您的评价").wait_for()
    assert Exposure.objects.first().stars == 5
    page.goto("/publicity/report")
    page.wait_for_timeout(400)
    assert page.get_by_label("情况说明").input_value() == ""  # the draft went with the report


def test_what_is_near_is_offered_and_joined(screen: Any, town: District, moderator: Caller):
    exposure, _ = sent(town, picture("olive"))
    work()
    judge(moderator, exposure, "accept")
    page = screen.page
    page.goto("/publicity/report?point=T1")
    page.get_by_text("垃圾桶满溢", exact=True).click()
    page.get_by_role("heading", name="附近已经有人上报").wait_for()
    page.wait_for_function("() => document.querySelector('#similar img').naturalWidth > 0")
    page.get_by_role("button", name="我也遇到了").click()
    page.locator("#similar .code").wait_for()
    keep(page, "similar-phone")
    assert (Exposure.objects.count(), Receipt.objects.count()) == (1, 2)


def test_the_place_of_the_phone_is_taken(browser: Browser, base: str, town: District):
    with watching(browser, width=390, height=844, device_scale=2, base=base) as watched:
        watched.page.context.grant_permissions(["geolocation"])
        watched.page.context.set_geolocation({"longitude": 120.1012, "latitude": 30.2712, "accuracy": 12})
        watched.page.goto("/publicity/report")
        watched.page.get_by_role("button", name="使用我现在的位置").click()
        watched.page.get_by_text("误差约 12 米").wait_for()
        watched.page.get_by_text("垃圾落地", exact=True).click()
        watched.page.get_by_label("情况说明").fill("路边有五袋垃圾没有人管。")
        watched.page.get_by_role("button", name="提交").click()
        watched.page.get_by_role("heading", name="已收到您的上报").wait_for()
        assert Exposure.objects.first().point == "T1"


def test_without_a_network_the_draft_stays_with_its_photos(screen: Any, town: District):
    page = screen.page
    page.goto("/publicity/report")
    fill(page)
    page.get_by_label("照片（最多").set_input_files([photo()])
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.get_by_role("button", name="提交").click()
    page.get_by_role("alert").get_by_text("现在没有网络").wait_for()
    keep(page, "offline-phone")
    page.context.set_offline(False)
    page.goto("/publicity/receipt")
    page.goto("/publicity/report")
    page.wait_for_function("() => document.querySelectorAll('#previews img').length === 1")
    assert page.get_by_label("情况说明").input_value() == WORDS
    page.get_by_role("button", name="提交").click()
    page.get_by_role("heading", name="已收到您的上报").wait_for()
    assert len(Exposure.objects.first().photos) == 1


def test_it_works_without_any_script(browser: Browser, base: str, town: District):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, base_url=base, java_script_enabled=False, locale="zh-CN"
    )
    page = context.new_page()
    page.goto("/publicity/report")
    assert page.locator("#locate").is_hidden()
    fill(page)
    page.get_by_label("照片（最多").set_input_files([photo(content=b"<html><script>alert(1)</script></html>")])
    page.get_by_role("button", name="提交").click()
    assert "JPEG、PNG 或 WebP" in page.locator(".trouble").first.inner_text()
    assert page.get_by_label("情况说明").input_value() == WORDS
    keep(page, "refused-phone")
    page.get_by_role("button", name="提交").click()
    page.get_by_role("heading", name="已收到您的上报").wait_for()
    code = page.locator("#code").inner_text()
    page.get_by_role("link", name="查进度").click()
    page.get_by_label("回执码").fill(code)
    page.get_by_role("button", name="查进度").click()
    assert page.locator(".stamp").inner_text() == "待审核"
    context.close()


def test_where_nobody_may_without_a_login_the_page_leads_to_it(town: District):
    change(anonymous_exposure=False)
    answer = town.anyone("GET", "/publicity/report?point=T1")
    assert answer.status_code == 302 and answer.headers["Location"] == "/login?next=/publicity/report?point%3DT1"
    assert town.anyone("POST", "/publicity/report", data={"text": "x"}).status_code == 302
    assert town.anyone("GET", "/publicity/receipt").status_code == 200
    resident = town.sign_in("resident", EAST_ONE)
    page = resident.call("GET", "/publicity/report")
    assert page.status_code == 200 and "匿名上报" in page.text and "clip.js" in page.text
    assert (
        "script-src 'self'" in page.headers["Content-Security-Policy"] and page.headers["Cache-Control"] == "no-store"
    )


def test_large_type_fits_a_phone(browser: Browser, base: str, town: District):
    with watching(browser, width=360, height=780, device_scale=2, base=base) as watched:
        watched.page.goto("/publicity/report")
        watched.page.get_by_role("button", name="适老化").click()
        assert watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        tall = watched.page.get_by_role("button", name="提交").evaluate("each => each.getBoundingClientRect().height")
        assert tall >= 56
        keep(watched.page, "elder-phone")
        watched.assert_clean()


@pytest.mark.parametrize("screen", SIZES, indirect=True)
def test_the_public_list_shows_what_was_handled(screen: Any, town: District, moderator: Caller):
    for colour, words in (("saddlebrown", "桶边垃圾已清运，地面已冲洗。"), ("olive", "<b>大件</b>垃圾已清走。")):
        exposure, _ = handled(town, moderator, picture(colour), text=f"{words}（原文）")
        judge(moderator, exposure, "publish", text=words, photos=[0], checked=True)
    screen.page.goto("/publicity/exposures")
    assert screen.page.get_by_text("<b>大件</b>垃圾已清走。").is_visible()
    assert "原文" not in screen.page.content()
    screen.page.locator("img[alt^='现场照片']").first.scroll_into_view_if_needed()
    screen.page.wait_for_function(
        "() => [...document.querySelectorAll('.pictures img')].some(each => each.naturalWidth)"
    )
    keep(screen.page, f"public-{screen.size}")


@pytest.mark.parametrize("size", SIZES)
def test_a_moderator_blackens_accepts_and_publishes(
    browser: Browser, base: str, town: District, moderator: Caller, size: str
):
    exposure, _ = sent(town, picture("white"), text=WORDS)
    work()
    width, height, scale = SIZES[size]
    with watching(
        browser, width=width, height=height, device_scale=scale, base=base, cookies={COOKIE: moderator.token}
    ) as watched:
        page = watched.page
        page.goto("/publicity/moderation")
        page.get_by_role("button", name="垃圾桶满溢").click()
        page.get_by_role("heading", name="垃圾桶满溢").wait_for()
        assert page.locator("#text").input_value() == WORDS and page.title().startswith("监督曝光审核")
        page.get_by_role("button", name="涂黑").click()
        page.wait_for_function("() => document.getElementById('picture').naturalWidth > 0")
        page.locator("#canvas").scroll_into_view_if_needed()
        frame = page.locator("#canvas").bounding_box()
        assert frame is not None
        page.mouse.move(frame["x"] + 5, frame["y"] + 5)
        page.mouse.down()
        page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 3)
        page.mouse.up()
        assert page.locator(".box").count() == 1
        keep(page, f"drawing-{size}")
        page.get_by_role("button", name="保存涂黑").click()
        page.get_by_text("已保存").wait_for()
        [[left, top, right, bottom]] = Exposure.objects.get(id=exposure.id).photos[0].boxes
        assert left < 0.05 and top < 0.05 and 0.45 < right < 0.55 and 0.28 < bottom < 0.38
        work()
        page.get_by_role("button", name="受理并立案").click()
        page.get_by_text("已保存").wait_for()
        page.locator("#facts").get_by_text("已受理，正在立案").wait_for()
        work()
        happened("alert.closed", exposure.area, alert="alert-1")
        page.goto(f"/publicity/moderation?exposure={exposure.id}")
        page.get_by_label("公示", exact=True).check()
        page.get_by_role("button", name="公示", exact=True).click()
        page.get_by_text("请先逐张核对").wait_for()
        page.get_by_label("我已逐张核对").check()
        page.wait_for_function("() => document.querySelector('#photos img').naturalWidth > 0")
        keep(page, f"moderation-{size}")
        page.get_by_role("button", name="公示", exact=True).click()
        page.get_by_role("button", name="撤下公示").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert watched.outside == [] and [each for each in watched.errors if "status of 422" not in each] == []
    assert "桶满了" in town.anyone("GET", "/publicity/exposures").text

"""The page of the person concerned in a real browser, on a desk and on a phone, and the notice on paper."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from backend import settings as settings_module
from backend.identity import COOKIE
from backend.plugin_api import utcnow
from backend.protection.codes import in_groups, new_code
from plugins.evidence.cases.models import Case
from plugins.evidence.concerned.models import Defence, NoticeVisit
from tests.browser import watching
from tests.concerned.conftest import Concerned, expire, picture
from tests.district import District

SIZES = {"desk": (1280, 900, 1), "phone": (390, 844, 2)}
REASON = "当时袋子已经破了，<script>document.title='坏'</script><b>不是</b>乱扔，请再看前一段录像。"


@pytest.fixture
def base(district: District) -> Iterator[str]:
    """Serve the app to the browser."""
    server = make_server("127.0.0.1", 0, district.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def screen(request: pytest.FixtureRequest, browser: Browser, base: str) -> Iterator[Any]:
    """Open the page, on a phone if not told otherwise; at the end nothing came from another host or is too wide."""
    size = getattr(request, "param", "phone")
    width, height, scale = SIZES[size]
    with watching(browser, width=width, height=height, device_scale=scale, base=base) as watched:
        watched.size = size
        yield watched
        assert watched.outside == []
        assert [each for each in watched.errors if "status of 4" not in each] == []
        assert watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def keep(page: Page, name: str) -> None:
    """Leave a picture of the page to look at, where one is wanted."""
    if folder := os.environ.get("QINGXU_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def enter(page: Page, code: str) -> None:
    page.goto("/evidence/notice")
    page.get_by_label("告知码").fill(code)
    page.get_by_role("button", name="查看记录").click()


@pytest.mark.parametrize("screen", SIZES, indirect=True)
def test_a_person_sees_the_record_defends_and_reads_the_answer(screen, person: Concerned, case: Case, staff):
    page = screen.page
    page.goto("/evidence/notice")
    keep(page, f"code-{screen.size}")
    enter(page, in_groups(person.code).lower())
    assert page.url.endswith("/evidence/notice") and person.code not in page.url
    page.get_by_role("heading", name=f"案件 {case.number}").wait_for()
    image = page.get_by_alt_text("现场图片 1，人脸已遮挡")
    image.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.pictures img').naturalWidth === 320")

    page.get_by_label("请写明事实和理由").fill(REASON)
    page.get_by_label("照片").set_input_files(
        [{"name": "袋子.jpg", "mimeType": "image/jpeg", "buffer": picture("gold")}]
    )
    page.get_by_label("联系电话").fill("13812345678")
    page.get_by_role("button", name="提交").click()
    page.get_by_role("status").get_by_text("已收到您的陈述申辩").wait_for()
    assert page.locator(".defence .words").inner_text() == REASON and page.title() != "坏"
    assert page.locator(".defence script, .defence b").count() == 0
    page.reload()
    assert Defence.objects.count() == 1
    keep(page, f"filed-{screen.size}")

    (defence,) = staff.get(f"/api/v1/evidence/cases/{case.id}/defences")["items"]
    here = f"/api/v1/evidence/cases/{case.id}/defences/{defence['id']}/answer"
    staff.call("POST", here, json={"answer": "<i>已核实</i>，袋子确已破损。", "upheld": True}, etag=defence["etag"])
    page.goto("/evidence/notice")
    assert page.locator(".reply").get_by_text("申辩成立").is_visible()
    assert page.locator(".reply .words").inner_text() == "<i>已核实</i>，袋子确已破损。"
    assert page.locator(".stamp").inner_text() == "待复核"
    keep(page, f"answered-{screen.size}")

    page.get_by_role("button", name="结束查看").click()
    page.get_by_label("告知码").wait_for()
    page.go_back()
    page.goto("/evidence/notice")
    assert case.number not in page.content()


def test_a_wrong_code_says_so_and_nothing_else(screen, person: Concerned, case: Case):
    enter(screen.page, new_code())
    assert "告知码不正确或已失效" in screen.page.get_by_role("alert").inner_text()
    assert case.number not in screen.page.content()
    keep(screen.page, f"wrong-{screen.size}")


def test_too_many_wrong_codes_are_stopped(screen, person: Concerned):
    settings_module.configure(dataclasses.replace(settings_module.current(), notice_tries="2/hour"))
    for _ in range(3):
        enter(screen.page, new_code())
    assert "过于频繁" in screen.page.get_by_role("alert").inner_text()
    enter(screen.page, person.code)
    assert "过于频繁" in screen.page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("screen", SIZES, indirect=True)
def test_after_the_time_limit_there_is_a_record_but_no_form(screen, person: Concerned, case: Case):
    expire(case)
    enter(screen.page, person.code)
    screen.page.get_by_text("网上申辩的期限已过").wait_for()
    assert screen.page.locator("#defend").count() == 0
    keep(screen.page, f"expired-{screen.size}")


def test_a_photo_that_is_html_is_refused_and_the_words_stay(screen, person: Concerned, case: Case):
    page = screen.page
    enter(page, person.code)
    page.get_by_label("请写明事实和理由").fill(REASON)
    page.get_by_label("照片").set_input_files(
        [{"name": "照片.jpg", "mimeType": "image/jpeg", "buffer": b"<html><script>alert(1)</script></html>"}]
    )
    page.get_by_role("button", name="提交").click()
    assert "JPEG、PNG 或 WebP" in page.locator(".trouble").inner_text()
    assert page.get_by_label("请写明事实和理由").input_value() == REASON
    assert Defence.objects.count() == 0
    keep(page, f"refused-{screen.size}")


def test_when_the_time_to_look_is_over_the_code_is_asked_for_again(screen, person: Concerned, case: Case):
    enter(screen.page, person.code)
    screen.page.get_by_role("heading", name="案件").wait_for()
    NoticeVisit._get_collection().update_many({}, {"$set": {"expires_at": utcnow() - timedelta(seconds=1)}})
    screen.page.get_by_label("请写明事实和理由").fill(REASON)
    screen.page.get_by_role("button", name="提交").click()
    assert "查看时间已过" in screen.page.get_by_role("alert").inner_text()
    assert case.number not in screen.page.content()


def test_large_type_fits_a_phone(browser: Browser, base: str, person: Concerned, case: Case):
    with watching(browser, width=360, height=780, device_scale=2, base=base) as watched:
        enter(watched.page, person.code)
        watched.page.get_by_role("button", name="适老化").click()
        assert watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        size = watched.page.locator(".state p").last.evaluate("each => parseFloat(getComputedStyle(each).fontSize)")
        assert size >= 21
        tall = watched.page.get_by_role("button", name="提交").evaluate("each => each.getBoundingClientRect().height")
        assert tall >= 48
        keep(watched.page, "elder-phone")
        watched.assert_clean()


def test_no_page_of_another_site_signs_anybody_in(person: Concerned):
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = person.client.post("/evidence/notice", data={"code": person.code}, headers=foreign)
    assert answer.status_code == 403 and "Set-Cookie" not in answer.headers
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_staff_print_the_notice_on_one_sheet(browser: Browser, base: str, case: Case, staff, person, tmp_path):
    import pypdfium2

    with watching(browser, base=base, cookies={COOKIE: staff.token}) as watched:
        watched.page.goto(f"/evidence/cases/{case.id}/notice")
        assert in_groups(person.code) in watched.page.content() and f"{base}/evidence/notice" in watched.page.content()
        keep(watched.page, "notice")
        printed = watched.page.pdf(format="A4", prefer_css_page_size=True)
        if folder := os.environ.get("QINGXU_SCREENSHOTS"):
            pypdfium2.PdfDocument(printed)[0].render(scale=1.2).to_pil().save(Path(folder) / "notice-paper.png")
        assert len(pypdfium2.PdfDocument(printed)) == 1
        watched.assert_clean()
    Case._get_collection().update_one({"_id": case.id}, {"$set": {"state": "waiting"}, "$unset": {"noticed_at": ""}})
    headers = {"Authorization": f"Bearer {staff.token}"}
    untold = person.client.get(f"/evidence/cases/{case.id}/notice", headers=headers)
    assert untold.status_code == 409 and "还没有出具告知书" in untold.text and in_groups(person.code) not in untold.text
    stranger = person.client.get(f"/evidence/cases/{case.id}/notice")
    assert stranger.status_code == 302 and "/login" in stranger.headers["Location"]

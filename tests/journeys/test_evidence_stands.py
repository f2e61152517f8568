"""From a camera's event to the officer's verified package and the resident's defence, as each person would go."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import watching
from tests.journeys.conftest import Platform
from tests.journeys.test_newcomer import sign_in
from tests.vision import weights

T = TypeVar("T")

PATIENCE = 180_000  # ms: workers do their part in between


@contextmanager
def as_person(browser: Browser, platform: Platform, account: str, path: str, **size: int) -> Iterator[Page]:
    """Sign in on the way to a page, in a browser of one's own, which must not complain."""
    with watching(browser, base=platform.base, **size) as watched:
        sign_in(watched.page, account, path)
        yield watched.page
        watched.assert_clean()


@pytest.fixture(scope="module")
def number(browser: Browser, platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Let a camera see something; returns the number of the case that comes of it."""
    photo = tmp_path_factory.mktemp("camera") / "people.jpg"
    photo.write_bytes(weights.six_people())
    sent = ("--device", "D0008", "--violation", "bulky_dumped", "--url", platform.base)
    receipt = json.loads(platform.command("send-capture", str(photo), *sent))
    with as_person(browser, platform, "district", "/evidence/review") as page:

        def fetched(address: str) -> dict[str, Any]:
            return dict(page.evaluate(f"fetch('/api/v1/evidence/{address}').then(answer => answer.json())"))

        case = patiently(page, lambda: fetched(f"captures/{receipt['id']}")["case"])
        return str(fetched(f"cases/{case}")["number"])


def test_the_case_is_decided_by_two_people_and_handed_over(
    browser: Browser, platform: Platform, number: str, tmp_path: Path
) -> None:
    with as_person(browser, platform, "district", "/evidence/review") as page:
        take_case(page, number)
        page.keyboard.press("1")
        expect(page.locator("#faces [aria-checked=true]")).to_have_count(1)
        page.keyboard.press("p")
        page.keyboard.press("1")
        send(page, number)
    with as_person(browser, platform, "enforcement", "/evidence/countersign") as page:
        take_case(page, number)
        page.keyboard.press("c")
        page.locator("#reason").fill("同意，证据充分")
        send(page, number)
    with as_person(browser, platform, "district", "/evidence/hand-overs") as page:
        card = page.locator("#records li", has_text=number)
        card.get_by_text("办理移送").click()
        card.get_by_label("移送事由").fill("混投垃圾，拒不改正")
        card.get_by_label("接收单位").fill("清序区综合行政执法局")
        card.get_by_role("button", name="移送").click()
        expect(page.locator("#told")).to_contain_text("已移送")
        page.get_by_role("button", name="待领取").click()
        made = page.locator("#records li", has_text=number)
        made.wait_for(timeout=PATIENCE)
        told_by_phone = made.locator("dt", has_text="签名密钥指纹").locator("xpath=../dd").inner_text()

    package, verifier = tmp_path / "移送包.zip", tmp_path / "verify_evidence.py"
    with as_person(browser, platform, "enforcement", "/evidence/hand-overs") as page:
        card = page.locator("#records li", has_text=number)
        card.get_by_text("下载移送包").click()
        card.get_by_label("下载原因").fill("立案调查")
        with page.expect_download() as fetched:
            card.get_by_role("button", name="下载").click()
        fetched.value.save_as(package)
        page.get_by_text("如何核验移送包").click()
        with page.expect_download() as fetched:
            page.get_by_role("link", name="核验程序").click()
        fetched.value.save_as(verifier)

        whole = verified_elsewhere(verifier, package, told_by_phone)
        assert whole.returncode == 0, whole.stdout + whole.stderr
        forged, photo = one_pixel_changed(package)
        refused = verified_elsewhere(verifier, forged, told_by_phone)
        assert refused.returncode == 1 and photo in refused.stdout, refused.stdout + refused.stderr
        assert verified_elsewhere(verifier, package, "00" * 32).returncode == 1

        page.get_by_role("button", name="待签收").click()
        card.get_by_text("签收", exact=True).click()
        card.get_by_label("备注").fill("已核验，无改动")
        card.get_by_role("button", name="确认签收").click()
        expect(page.locator("#told")).to_contain_text("已签收")
        page.get_by_role("button", name="已签收").click()
        expect(page.locator("#records li", has_text=number)).to_contain_text("回执 SHA-256")


def test_the_person_concerned_sees_the_masked_record_and_is_answered(
    browser: Browser, platform: Platform, number: str
) -> None:
    with as_person(browser, platform, "district", "/evidence/review") as page:
        find_case(page, number)
        page.keyboard.press("n")
        page.get_by_role("button", name="出具", exact=True).click()
        expect(page.locator("#banner")).to_contain_text("告知书已出具")
        with page.expect_popup() as printed:
            page.locator("#print-notice").click()
        code = printed.value.locator(".codebox .big").inner_text()

    with watching(browser, base=platform.base, width=390, height=844) as resident:
        page = resident.page
        page.goto("/evidence/notice")
        page.get_by_label("告知码").fill(code)
        page.get_by_role("button", name="查看记录").click()
        page.get_by_role("heading", name=number).wait_for()
        picture = page.locator(".pictures img").first
        picture.scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('.pictures img').naturalWidth > 100")
        page.get_by_label("请写明事实和理由").fill("当时袋子已经破了，我是在重新打包。")
        page.get_by_label("联系电话").fill("13812345678")
        page.get_by_role("button", name="提交").click()
        page.get_by_role("status").get_by_text("已收到您的陈述申辩").wait_for()

        with as_person(browser, platform, "district", "/evidence/review") as staff:
            find_case(staff, number)
            expect(staff.locator("#defences")).to_contain_text("我是在重新打包")
            staff.keyboard.press("a")
            staff.locator("#answer-words").fill("录像显示未重新打包，维持原认定。")
            staff.get_by_label("不采纳").check()
            staff.get_by_role("button", name="答复", exact=True).click()
            expect(staff.locator("#defences")).to_contain_text("维持原认定")
        page.goto("/evidence/notice")
        expect(page.locator(".reply .words")).to_have_text("录像显示未重新打包，维持原认定。")
        resident.assert_clean()


def test_the_ledger_holds_every_step_and_verifies(platform: Platform, number: str) -> None:
    assert "完整" in platform.command("verify-ledger")


def find_case(page: Page, number: str) -> None:
    """Search the case by its number and open it."""
    page.locator("#show-history").click()
    page.locator("#search-number").fill(number)
    page.locator("#search button").click()
    expect(page.locator("#cases li")).to_have_count(1)
    page.locator("#cases button").click()
    expect(page.locator("#facts")).to_contain_text(number)
    page.locator("#case-title").focus()


def patiently(page: Page, ask: Callable[[], T]) -> T:
    """Return what `ask` says as soon as it is something."""
    until = time.monotonic() + PATIENCE / 1000
    while not (answer := ask()) and time.monotonic() < until:
        page.wait_for_timeout(500)
    return answer


def take_case(page: Page, number: str) -> None:
    """Step through the queue by keys until the case is open."""
    page.locator("#cases li").first.wait_for()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.locator("#opened").wait_for()
        expect(page.locator("#facts")).not_to_be_empty()
        if number in page.locator("#facts").inner_text():
            return
        before = page.locator("#facts").inner_text()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#facts")).not_to_have_text(before)
    raise AssertionError(f"{number} is not in the queue")


def send(page: Page, number: str) -> None:
    """Send what is taken up; once more if something came into the case meanwhile, as the page then asks."""
    page.keyboard.press("Enter")
    answer = page.locator("#banner:visible, #queue-message:visible, #message:not(:empty)").first
    if "已重新载入" in answer.inner_text():
        page.keyboard.press("Enter")
    expect(answer).to_contain_text(re.compile(f"{number} 已办|全部办完"))


def verified_elsewhere(verifier: Path, package: Path, fingerprint: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier in a folder and a process that know nothing of the platform."""
    return subprocess.run(
        [sys.executable, "-I", str(verifier), str(package), "--key", fingerprint],
        cwd=package.parent,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_pixel_changed(package: Path) -> tuple[Path, str]:
    """Write the package anew with one pixel of a photo painted over, as a forger with an ordinary tool would."""
    forged, changed = package.with_name("forged.zip"), ""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(forged, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if not changed and entry.filename.startswith("originals/"):
                changed = entry.filename
                photo = Image.open(io.BytesIO(content)).convert("RGB")
                photo.putpixel((5, 5), (255, 0, 0))
                out = io.BytesIO()
                photo.save(out, "JPEG", quality=95)
                content = out.getvalue()
            new.writestr(entry, content)
    return forged, changed

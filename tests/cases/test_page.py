"""The reviewer's page in a real browser: all by keys, and nothing lost when something comes in between."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from bson import ObjectId
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from backend.storage import database
from plugins.evidence.cases.bundling import bundle_capture
from tests.browser import watching
from tests.cases.conftest import CASES, Ground, cases, extracted, noted, told
from tests.district import DISTRICT, PASSWORD, Caller
from tests.evidence.conftest import work
from tests.vision import weights

DESK, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


@pytest.fixture
def base(ground: Ground) -> Iterator[str]:
    """Serve the platform and return its address."""
    server = make_server("127.0.0.1", 0, ground.district.app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def enter(page: Page, person: Caller, path: str = "/evidence/review") -> None:
    """Sign in on the way to a page of cases, and wait for its list."""
    page.goto(path)
    page.fill("input[name=account]", person.user.account)
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"**{path}")
    settled = "document.querySelector('#cases li') || !document.querySelector('#queue-message').hidden"
    page.wait_for_function(f"() => {settled}")


def open_case(page: Page) -> None:
    """Open the case that the list is at; until it is there no key decides anything."""
    page.keyboard.press("Enter")
    page.locator("#opened").wait_for()


def stored(case: dict[str, Any]) -> dict[str, Any]:
    """Return a case as it is now."""
    row = database()["evidence_cases"].find_one({"_id": ObjectId(case["id"])})
    assert row is not None
    return dict(row)


def test_a_queue_is_worked_off_without_the_mouse(browser: Browser, ground: Ground, base: str) -> None:
    first, second, third = ground.case(photo=weights.astronaut()), ground.case(30), ground.case(60)
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, ground.reviewer)
        expect(page.locator("#cases li")).to_have_count(3)
        open_case(page)
        expect(page.locator("#case-title")).to_contain_text("混投垃圾")
        expect(page.locator("#marks .face")).to_have_count(1)
        assert page.locator("#picture img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        page.keyboard.press("1")
        expect(page.locator("#faces [aria-checked=true]")).to_have_count(1)
        page.keyboard.press("p")
        expect(page.locator("#send")).to_be_focused()
        page.keyboard.press("1")
        expect(page.locator("#reason")).to_have_value("证据清晰，事实清楚")
        page.keyboard.press("Enter")
        expect(page.locator("#cases li")).to_have_count(2)
        # The next one opens by itself.
        expect(page.locator("#facts")).to_contain_text(second["number"])
        page.keyboard.press("j")
        expect(page.locator("#facts")).to_contain_text(third["number"])
        page.keyboard.press("x")
        page.keyboard.press("Enter")
        expect(page.locator("#message")).to_contain_text("请填写理由")
        page.keyboard.type("保洁作业")
        page.keyboard.press("Enter")
        expect(page.locator("#facts")).to_contain_text(second["number"])
        page.keyboard.press("c")
        page.keyboard.press("Enter")
        expect(page.locator("#queue-message")).to_contain_text("全部办完")
        page.keyboard.press("?")
        expect(page.locator("#keys-dialog")).to_be_visible()
        watched.assert_clean()
    assert [stored(each)["state"] for each in (first, second, third)] == ["countersigning", "confirmed", "rejected"]
    assert stored(first)["subject"] and stored(third)["decisions"][0]["reason"] == "保洁作业"


def test_what_is_typed_outlives_a_colleague_and_a_broken_line(browser: Browser, ground: Ground, base: str) -> None:
    case = ground.case()
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, ground.reviewer)
        open_case(page)
        page.keyboard.press("x")
        page.fill("#reason", "写了很久的理由")
        # New evidence joins the case meanwhile, and the person looks at something that is no longer so.
        joining = ground.sees(1)
        extracted(joining)
        bundle_capture(told(joining))
        page.keyboard.press("Enter")
        expect(page.locator("#banner")).to_contain_text("已重新载入")
        expect(page.locator("#reason")).to_have_value("写了很久的理由")
        expect(page.locator("#facts")).to_contain_text("2 次取证")
        page.keyboard.press("Escape")
        page.route("**/decisions", lambda route: route.abort())
        page.keyboard.press("x")
        page.locator("#send").click()
        expect(page.locator("#message")).to_contain_text("内容已保留")
        # Even the page may be gone: what was typed is there again.
        page.reload()
        page.wait_for_selector("#cases li")
        open_case(page)
        expect(page.locator("#reason")).to_have_value("写了很久的理由")
    assert stored(case)["state"] == "waiting"


def test_a_decision_whose_answer_was_lost_is_repeated_and_taken_once(
    browser: Browser, ground: Ground, base: str
) -> None:
    case = ground.case()
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, ground.reviewer)
        open_case(page)
        page.route("**/decisions", lambda route: (route.fetch(), route.abort()))
        page.keyboard.press("c")
        page.locator("#send").click()
        expect(page.locator("#message")).to_contain_text("不会重复办理")
        page.unroute("**/decisions")
        page.locator("#send").click()
        expect(page.locator("#queue-message")).to_contain_text("全部办完")
    assert stored(case)["state"] == "confirmed" and len(noted("decided")) == 1


def test_an_original_is_shown_for_a_purpose_and_covered_again(browser: Browser, ground: Ground, base: str) -> None:
    case = ground.case(photo=weights.astronaut())
    admin = ground.district.sign_in("administrator", DISTRICT)
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, admin)
        open_case(page)
        page.keyboard.press("u")
        page.keyboard.press("Enter")
        expect(page.locator("#purpose-dialog")).to_be_visible()
        assert noted("revealed") == []
        page.fill("#purpose", "辨认当事人")
        page.keyboard.press("Enter")
        expect(page.locator("#picture")).to_have_class("unmasked")
        page.keyboard.press("Escape")
        expect(page.locator("#picture")).not_to_have_class("unmasked")
        assert "exhibits" in str(page.locator("#picture img").get_attribute("src"))
        watched.assert_clean()
    [look] = noted("revealed")
    assert (look["purpose"], look["case"]) == ("辨认当事人", case["id"])


def test_whoever_may_not_see_faces_is_offered_no_original(browser: Browser, ground: Ground, base: str) -> None:
    ground.case(photo=weights.astronaut())
    with watching(browser, base=base, **DESK) as watched:
        enter(watched.page, ground.reviewer)
        open_case(watched.page)
        expect(watched.page.locator("#draw")).to_be_visible()
        expect(watched.page.locator("#unmask")).to_be_hidden()
        watched.page.keyboard.press("u")
        expect(watched.page.locator("#purpose-dialog")).to_be_hidden()


def test_a_box_that_is_drawn_becomes_the_waste(browser: Browser, ground: Ground, base: str) -> None:
    case = ground.case(photo=weights.astronaut())
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, ground.reviewer)
        open_case(page)
        page.keyboard.press("d")
        frame = page.locator("#picture .frame").bounding_box()
        assert frame is not None
        page.mouse.move(frame["x"] + frame["width"] * 0.1, frame["y"] + frame["height"] * 0.6)
        page.mouse.down()
        page.mouse.move(frame["x"] + frame["width"] * 0.4, frame["y"] + frame["height"] * 0.9)
        page.mouse.up()
        page.fill("#region-note", "黑色垃圾袋")
        page.keyboard.press("Enter")
        expect(page.locator("#region-dialog")).to_be_hidden()
        work("vision")
        drawn = page.locator("#wastes .choice", has_text="黑色垃圾袋")
        drawn.wait_for()
        drawn.click()
        expect(page.locator("#wastes [aria-checked=true]")).to_contain_text("人工框选")
        watched.assert_clean()
    [row] = database()["evidence_exhibits"].find({"label": "黑色垃圾袋"})
    assert stored(case)["waste"] == row["_id"]


def test_the_second_person_works_on_the_other_queue(browser: Browser, ground: Ground, base: str) -> None:
    case = ground.case()
    ground.decide(ground.reviewer, case, "propose_penalty", reason="清楚")
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, ground.countersigner, "/evidence/countersign")
        expect(page.locator(".tabs a")).to_have_text(["待会签1"])
        open_case(page)
        page.keyboard.press("c")
        expect(page.locator("#send")).to_contain_text("会签同意")
        page.keyboard.press("Enter")
        expect(page.locator("#queue-message")).to_contain_text("全部办完")
        watched.assert_clean()
    assert (stored(case)["state"], stored(case)["penalty"]) == ("confirmed", True)
    assert ground.countersigner.call("GET", "/evidence/review").status_code in (302, 403)


def test_it_fits_a_phone_and_large_type(browser: Browser, ground: Ground, base: str) -> None:
    ground.case(photo=weights.astronaut())
    for size, elder in ((PHONE, True), (DESK, True)):  # what fits in large type fits in small
        with watching(browser, base=base, **size) as watched:
            page = watched.page
            enter(page, ground.reviewer)
            if elder:
                page.click("#elder")
            page.locator("#cases button").first.click()
            expect(page.locator("#verbs button").first).to_be_visible()
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            page.locator("#verbs [data-verb=reject]").click()
            expect(page.locator("#send")).to_be_in_viewport()
            page.locator(".chip").first.click()
            page.keyboard.press("Escape")
            watched.assert_clean()
    assert cases()[0]["state"] == "waiting"


def test_cases_are_split_merged_and_held_by_keys(browser: Browser, ground: Ground, base: str) -> None:
    case, other = ground.case(), ground.case(60)
    joining = ground.sees(1)
    extracted(joining)
    bundle_capture(told(joining))
    note = "前后两张照片尺寸不同，无法对比。"
    repeat = {"case": other["id"], "number": other["number"], "likeness": 0.62}
    database()["evidence_captures"].update_one({"_id": ObjectId(joining)}, {"$set": {"findings": [note]}})
    database()["evidence_cases"].update_one({"_id": ObjectId(case["id"])}, {"$set": {"repeats": [repeat]}})
    staff = ground.district.sign_in("district_staff", DISTRICT)
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, staff)
        open_case(page)
        expect(page.locator("#warnings")).to_contain_text(note)
        expect(page.locator("#repeats")).to_contain_text(f"{other['number']}（相似 62%）")
        page.keyboard.press("s")
        page.locator("#split-captures input").last.focus()
        page.keyboard.press("Space")
        page.fill("#split-reason", "另一人所为")
        page.keyboard.press("Enter")
        expect(page.locator("#cases li")).to_have_count(3)
        expect(page.locator("#facts")).to_contain_text("1 次取证")
        new = cases()[2]
        assert [str(each) for each in new["captures"]] == [joining]
        page.keyboard.press("m")
        expect(page.locator("#merge-cases option")).to_have_count(2)
        page.fill("#merge-into", "33-2026-999999")
        page.fill("#merge-reason", "同一人连续投放")
        page.keyboard.press("Enter")
        expect(page.locator("#merge-dialog .message")).to_have_text("没有这个待复核的案件。")
        page.fill("#merge-into", new["number"])
        page.keyboard.press("Enter")
        expect(page.locator("#facts")).to_contain_text(new["number"])
        expect(page.locator("#cases li")).to_have_count(2)
        page.keyboard.press("h")
        page.keyboard.press("Tab")
        page.keyboard.type("行政复议期间")
        page.keyboard.press("Enter")
        expect(page.locator("#facts")).to_contain_text("行政复议期间")
        page.keyboard.press("h")
        page.locator("#hold-what").select_option(index=1)
        page.fill("#hold-reason", "复议已结束")
        page.keyboard.press("Enter")
        expect(page.locator("#facts")).not_to_contain_text("行政复议期间")
        watched.assert_clean()
    assert (stored(case)["state"], len(cases()[2]["captures"])) == ("merged", 2)
    assert [len(noted(kind)) for kind in ("split", "held", "released")] == [1, 1, 1]


def test_the_notice_is_issued_printed_and_its_defence_answered(browser: Browser, ground: Ground, base: str) -> None:
    case, quiet = ground.case(), ground.case(60)
    for each in (case, quiet):
        assert ground.decide(ground.reviewer, each, "confirm").status_code == 200
    with watching(browser, base=base, **DESK) as watched:
        page = watched.page
        enter(page, ground.reviewer)
        page.click("#show-history")
        page.locator(f"[data-id='{case['id']}'] button").click()
        page.locator("#opened").wait_for()
        expect(page.locator("#print-notice")).to_be_hidden()
        page.keyboard.press("n")
        assert stored(case).get("noticed_at") is None
        page.keyboard.press("Enter")
        expect(page.locator("#banner")).to_contain_text("告知书已出具")
        issued = stored(case)
        assert issued["noticed_at"] and issued["defence_until"]
        with page.expect_popup() as paper:
            page.keyboard.press("n")
        expect(paper.value.locator("h1")).to_have_text("生活垃圾分类违规行为告知书")
        paper.value.close()
        code = ground.reviewer.get(f"{CASES}/{case['id']}/notice")["code"]
        concerned = ground.district.app.test_client()
        assert concerned.post("/api/v1/evidence/notice/visits", json={"code": code}).status_code == 201
        told = {"text": "袋子是邻居的，<b>不是</b>我丢的。", "phone": "13812345678"}
        assert concerned.post("/api/v1/evidence/notice/defences", data=told).status_code == 201
        page.select_option("#search-defence", "true")
        page.locator("#search [type=submit]").click()
        expect(page.locator("#cases li")).to_have_count(1)
        expect(page.locator("#cases .tag").first).to_have_text("申辩 1")
        page.locator("#cases button").click()
        expect(page.locator("#defences")).to_contain_text(told["text"])
        assert "13812345678" not in page.content()
        page.locator("#defences kbd").wait_for()
        page.keyboard.press("a")
        expect(page.locator("#defence-text")).to_have_text(told["text"])
        page.fill("#answer-words", "经核对录像，确认有误。")
        page.get_by_label("采纳，申辩成立").check()
        page.locator("#answer-dialog [type=submit]").click()
        expect(page.locator("#defences .answer")).to_contain_text("采纳：经核对录像")
        expect(page.locator("#facts")).to_contain_text("待复核")
        watched.assert_clean()
    assert stored(case)["state"] == "waiting" and len(noted("noticed")) == 1 and noted("printed")

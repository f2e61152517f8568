"""Boards on the real platform: arranged by an administrator, for areas and audiences, with their history."""

from __future__ import annotations

import logging
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from werkzeug.serving import make_server

from backend.protection import audit
from backend.screens import Board
from tests.browser import watching
from tests.cockpit import fake
from tests.cockpit.test_guests import ask, cockpit
from tests.district import DISTRICT, EAST, Caller

__all__ = ["cockpit"]

FIRST = {"top": ["base_info.headline"], "left": ["base_info.device_states"], "right": ["alerts.ticker"]}


def save(cockpit: Flask, by: Caller, places: Any, version: int, **query: str) -> Any:
    query = {"theme": "base_info", **query}
    headers = {"Authorization": f"Bearer {by.token}", "If-Match": f'"{version}"'}
    client = cockpit.test_client(use_cookies=False)
    return client.put("/cockpit/data/boards", query_string=query, headers=headers, json={"places": places})


def boards(cockpit: Flask, by: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(cockpit, by, "GET", "data/plan").json["boards"]
    return found


def test_a_board_is_kept_shown_and_given_back(cockpit, district):
    admin, staff = district.sign_in("administrator", ""), district.sign_in()
    assert boards(cockpit, staff) == []
    answer = save(cockpit, admin, FIRST, 0)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert boards(cockpit, staff) == [{"theme": "base_info", "area": "", "places": FIRST}]
    changed = {**FIRST, "left": []}
    assert [each["number"] for each in save(cockpit, admin, changed, 1).json["history"]] == [2, 1]
    assert boards(cockpit, staff)[0]["places"] == changed
    back = save(cockpit, admin, {}, 2).json
    assert boards(cockpit, staff) == []
    assert [each["places"] for each in back["history"]] == [{}, changed, FIRST]
    actions = [each.action for each in audit.history("board", board_id())]
    assert actions == ["cockpit.board.change"] * 3


def board_id() -> str:
    return str(Board.objects.get().id)


def test_a_board_for_some_goes_before_one_for_all(cockpit, district):
    admin, staff, street = (district.sign_in(*each) for each in (("administrator", ""), (), ("street_staff", EAST)))
    mine = {**FIRST, "right": []}
    assert save(cockpit, admin, FIRST, 0, area=EAST).status_code == 200
    assert save(cockpit, admin, mine, 0, area=EAST, audience="street_staff").status_code == 200
    assert boards(cockpit, street) == [{"theme": "base_info", "area": EAST, "places": mine}]
    assert boards(cockpit, staff) == [{"theme": "base_info", "area": EAST, "places": FIRST}]


def test_what_somebody_else_has_saved_is_not_overwritten(cockpit, district):
    admin = district.sign_in("administrator", "")
    assert save(cockpit, admin, FIRST, 0).status_code == 200
    assert save(cockpit, admin, {**FIRST, "left": []}, 0).status_code == 412
    assert save(cockpit, admin, FIRST, 7).status_code == 412
    unversioned = ask(cockpit, admin, "PUT", "data/boards?theme=base_info", json={"places": FIRST})
    assert unversioned.status_code == 428


@pytest.mark.parametrize(
    "places",
    [
        [],
        {"middle": []},
        {"left": "base_info.headline"},
        {"left": [3]},
        {"left": ["no.such_panel"]},
        {"left": ["base_info.headline"], "right": ["base_info.headline"]},
    ],
)
def test_what_is_no_board_is_refused(cockpit, district, places):
    assert save(cockpit, district.sign_in("administrator", ""), places, 0).status_code == 422


def test_only_who_may_arranges(cockpit, district):
    staff = district.sign_in()
    assert save(cockpit, staff, FIRST, 0).status_code == 403
    assert ask(cockpit, staff, "GET", "data/boards/choices").status_code == 403
    assert ask(cockpit, staff, "GET", "boards").status_code == 403
    admin = district.sign_in("administrator", "")
    assert save(cockpit, admin, FIRST, 0, theme="nothing").status_code == 404
    assert save(cockpit, admin, FIRST, 0, area="99").status_code == 404
    assert save(cockpit, admin, FIRST, 0, audience="nobody").status_code == 404
    choices = ask(cockpit, admin, "GET", "data/boards/choices").json
    assert {each["path"] for each in choices["areas"]} >= {DISTRICT, EAST}
    assert choices["usual"]["base_info"]["top"][0] == "base_info.headline"


class Boards:
    """Boards in memory, as those of the platform."""

    PERMISSION = "base_info:view"
    MOST_PANELS = 40

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def boards_for(self, viewer: Any) -> list[dict[str, Any]]:
        """Return the one that was saved last."""
        return [{"theme": "overview", "area": "", "places": self.kept[-1].places}] if self.kept else []

    def find_board(self, *_: Any) -> Any:
        """Return the one that was saved last."""
        return self.kept[-1] if self.kept else None

    def save_board(self, _viewer: Any, _theme: str, _area: str, _audience: str, places: Any, version: int) -> Any:
        """Keep a version."""
        made = {"number": version + 1, "created_at": fake.NOW, "saved_by_name": "陈志远"}
        self.kept.append(SimpleNamespace(places=places, version=version + 1, **made))
        return self.kept[-1]

    def history_of(self, _board: Any) -> list[Any]:
        """Return all, newest first."""
        return self.kept[::-1]


def test_the_page_is_used_by_keys_and_by_dragging(browser, platform):
    kept = Boards()
    app = fake.application(platform, patience_seconds=2.5, boards=kept, audiences={"leader": "领导"})
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    with watching(browser, cookies={"who": "chief"}, base=base) as watched:
        page = watched.page
        page.goto("/cockpit/boards")
        left = page.locator("[data-place=left] .panel")
        expect(left).to_have_count(3)
        first = left.first.get_attribute("data-name")
        left.first.get_by_label("下移").focus()
        page.keyboard.press("Enter")
        expect(left.nth(1)).to_have_attribute("data-name", first)
        # The focus has stayed with the panel, so that it goes on by the same key.
        page.keyboard.press("Enter")
        expect(left.nth(2)).to_have_attribute("data-name", first)
        page.locator("#stock .panel[data-name='odd.fine']").drag_to(page.locator("[data-place=right]"))
        expect(page.locator("[data-place=right] .panel")).to_have_count(4)
        expect(page.locator("#state")).to_have_text("有未保存的改动")
        page.frame_locator("iframe").locator("[data-panel='odd.fine']").wait_for()
        page.get_by_role("button", name="保存").click()
        expect(page.locator("#state")).to_contain_text("已保存")
        expect(page.locator("#history li")).to_have_count(1)
        assert kept.kept[-1].places["left"][-1] == first
        page.goto("/cockpit/?theme=overview")
        page.locator("[data-panel='odd.fine']").wait_for(state="attached")
        watched.assert_clean()
    server.shutdown()

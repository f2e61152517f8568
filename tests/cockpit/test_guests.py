"""Links for guests on the real platform: what they open, for how long, and what stays shut."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import storage
from backend.http.failures import install_handlers
from backend.identity import scope_filter
from backend.protection import audit
from backend.screens import guests
from backend.storage import utcnow
from dash_cockpit import mount
from dash_cockpit.platform import sources
from tests.district import DISTRICT, EAST, EAST_ONE, WEST, Caller, District


@pytest.fixture
def cockpit(district: District) -> Flask:
    """Return an app with the cockpit of the real platform."""
    app = Flask("cockpit")
    install_handlers(app)
    mount(app, sources())
    return app


def ask(cockpit: Flask, by: Caller, method: str, address: str, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {by.token}"}
    return cockpit.test_client(use_cookies=False).open(f"/cockpit/{address}", method=method, headers=headers, **options)


def invite(cockpit: Flask, by: Caller, theme: str = "base_info", area: str = EAST, days: Any = 7) -> Any:
    return ask(cockpit, by, "POST", "data/guests", json={"theme": theme, "area": area, "days": days, "title": "会议室"})


def visit(cockpit: Flask, address: str) -> FlaskClient:
    """Return the browser of somebody without an account who has opened a link."""
    client = cockpit.test_client()
    answer = client.get(address.split("://", 1)[-1].partition("/")[2] and "/" + address.split("/", 3)[3])
    assert answer.status_code == 303, answer.status
    assert answer.headers["Location"].endswith("/cockpit/?theme=base_info&kiosk=1")
    return client


def test_a_guest_sees_one_page_of_one_area_and_nothing_else(cockpit, district):
    staff = district.sign_in()
    district.furnish(staff)
    client = visit(cockpit, invite(cockpit, staff).json["address"])
    plan = client.get("/cockpit/data/plan").json
    assert [each["name"] for each in plan["themes"]] == ["base_info"]
    assert (plan["home"], plan["guest"], plan["invites"]) == (EAST, True, None)
    assert all(name.startswith("base_info.") for name in plan["panels"])
    assert not any(each.get("drills") for each in plan["panels"].values())
    assert client.get("/cockpit/").status_code == 200
    panel = "/cockpit/data/panels/base_info.headline"
    assert client.get(panel).status_code == 200
    assert client.get("/cockpit/data/area").json["trail"][-1]["path"] == EAST
    # Another area is answered with the link's own; what is of another page is not there.
    assert client.get(f"/cockpit/data/area?area={WEST}").json["trail"][-1]["path"] == EAST
    assert client.get("/cockpit/data/panels/alerts.headline").status_code == 404
    for shut in (
        "data/panels/base_info.headline/rows",
        "data/panels/base_info.headline.xlsx",
        "data/find?q=a",
        "data/card/base_info.compound?key=1",
        "data/guests",
        "data/boards/choices",
        "boards",
    ):
        assert client.get(f"/cockpit/{shut}").status_code in (403, 404), shut
    assert client.post("/cockpit/data/guests", json={}).status_code == 403
    assert client.post("/cockpit/_dash-update-component", json={}).status_code == 403
    # The cookie is the cockpit's alone.
    assert client.get_cookie("qingxu_guest", path="/cockpit/").http_only
    assert district.app.test_client().get("/api/v1/compounds").status_code == 401


def test_a_link_ends_by_time_by_hand_and_with_its_maker(cockpit, district):
    staff = district.sign_in()
    made = [invite(cockpit, staff).json for _ in range(3)]
    clients = [visit(cockpit, each["address"]) for each in made]
    links = storage.database()["guest_links"]
    assert all(client.get("/cockpit/data/plan").status_code == 200 for client in clients)
    links.update_one({"_id": guests.found_link(made[0]["id"]).id}, {"$set": {"expires_at": utcnow()}})
    assert clients[0].get("/cockpit/data/plan").status_code == 401
    gone = clients[0].get("/cockpit/")
    assert (gone.status_code, "访客链接已失效" in gone.text) == (410, True)
    revoked = ask(cockpit, staff, "POST", f"data/guests/{made[1]['id']}/revoke")
    assert revoked.json["revoked"] is True
    assert clients[1].get("/cockpit/data/plan").status_code == 401
    storage.database()["users"].update_one({"_id": staff.user.id}, {"$set": {"active": False}})
    assert clients[2].get("/cockpit/data/plan").status_code == 401


def test_a_token_can_not_be_made_or_stretched(cockpit, district):
    made = invite(cockpit, district.sign_in()).json
    token = made["address"].rpartition("/")[2]
    other = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for forged in (other, token[:24], "0" * 48, "x", f"{made['id']}{'A' * 24}"):
        assert guests.guest_of(forged) is None
        assert cockpit.test_client().get(f"/cockpit/guest/{forged}").status_code == 410
    # Who can write into the store, but has no key, makes no link last longer.
    link = guests.found_link(made["id"])
    longer = link.expires_at + timedelta(days=30)
    storage.database()["guest_links"].update_one({"_id": link.id}, {"$set": {"expires_at": longer}})
    assert guests.guest_of(token) is None


def test_nobody_gives_more_than_he_holds(cockpit, district):
    street = district.sign_in("street_staff", EAST)
    assert invite(cockpit, street, area=WEST).status_code == 422
    assert invite(cockpit, street, area=DISTRICT).status_code == 422
    assert invite(cockpit, street, theme="nothing").status_code == 422
    assert invite(cockpit, street, days=400).status_code == 422
    assert invite(cockpit, district.sign_in("community_staff", EAST_ONE), area=EAST_ONE).status_code == 403
    made = invite(cockpit, street, area=EAST_ONE).json
    guest = guests.guest_of(made["address"].rpartition("/")[2])
    assert {grant.area for grant in guest.grants} == {EAST_ONE}
    assert {name for grant in guest.grants for name in grant.permissions if not name.endswith(":view")} == set()
    assert scope_filter(guest, "base_info:view") == {"area": {"$gte": EAST_ONE, "$lt": f"{EAST_ONE}0"}}
    # Another street neither sees the link nor ends it.
    west = district.sign_in("street_staff", WEST)
    assert ask(cockpit, west, "GET", "data/guests").json == []
    assert ask(cockpit, west, "POST", f"data/guests/{made['id']}/revoke").status_code == 403
    assert [each["id"] for each in ask(cockpit, street, "GET", "data/guests").json] == [made["id"]]


def test_what_is_done_with_links_is_counted_and_recorded(cockpit, district):
    staff = district.sign_in()
    made = invite(cockpit, staff).json
    for _ in range(2):
        visit(cockpit, made["address"])
    ask(cockpit, staff, "POST", f"data/guests/{made['id']}/revoke")
    ask(cockpit, staff, "POST", f"data/guests/{made['id']}/revoke")
    [listed] = ask(cockpit, staff, "GET", "data/guests").json
    assert (listed["views"], listed["title"], listed["area"]) == (2, "会议室", "东街道")
    entries = audit.history("guest_link", made["id"])
    assert [each.action for each in entries] == [
        "cockpit.guest.revoke",
        "cockpit.guest.view",
        "cockpit.guest.view",
        "cockpit.guest.make",
    ]
    assert [each.actor.kind for each in entries] == ["person", "guest", "guest", "person"]

"""What the real modules let people find on the map, and what their cards say, inside what each may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from backend.plugin_api import AlertReport, WorkOrderRequest, open_work_order, raise_alert, utcnow
from backend.plugin_api.registry import installed
from backend.protection import audit
from dash_cockpit import mount
from dash_cockpit.platform import sources
from tests.district import EAST, EAST_ONE, WEST, Caller, District

DATA = "/cockpit/data"


@pytest.fixture
def ask(district: District) -> Callable[..., Any]:
    """Return what asks the cockpit as somebody."""
    app = Flask("cockpit")
    mount(app, sources())

    def asked(by: Caller, address: str, method: str = "GET", **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {by.token}"}
        client = app.test_client(use_cookies=False)
        return client.open(f"{DATA}{address}", method=method, headers=headers, query_string=query)

    return asked


@pytest.fixture
def place(district: District) -> dict[str, Any]:
    """Return a compound with a point, at which there is an open alert and an open order."""
    staff = district.sign_in()
    found = district.furnish(staff)
    alert = raise_alert(AlertReport(kind="E02", source="person", event_id="a-1", at=utcnow(), point="T1"))
    request = WorkOrderRequest(
        source="person", source_id="p-1", kind="E02", title="桶满溢", area=f"{EAST_ONE}/C1", point="T1"
    )
    return {**found, "staff": staff, "alert": alert, "order": open_work_order(request)}


def said(ask: Any, by: Caller, record: str, key: str) -> dict[str, Any]:
    """Return the sections of a card by the name of their part; those that say nothing are left out."""
    card = ask(by, f"/card/{record}", key=key).json
    answers = {each["name"]: ask(by, f"/card/{record}/{each['name']}", key=key).json for each in card["parts"]}
    assert not any(answer.get("failed") for answer in answers.values()), answers
    return {name: answer["section"] for name, answer in answers.items() if answer["section"]}


def test_everything_is_found_by_name_number_or_address(ask, place, district):
    def found(words: str, by: Caller = place["staff"]) -> dict[str, list[str]]:
        groups = ask(by, "/find", q=words).json["groups"]
        return {group["record"]: [each["key"] for each in group["items"]] for group in groups}

    assert found("阳光花园") == {
        "base_info.compound": [place["compound"]["id"]],
        "base_info.drop_off_point": [place["point"]["id"]],
        "alerts.alert": [place["alert"].id],
        "dispatch.order": [place["order"].id],
    } | ({} if not found("阳光花园").get("base_info.device") else {"base_info.device": [place["camera"]["id"]]})
    assert found("文澜路 8") == {"base_info.compound": [place["compound"]["id"]]}
    assert found("d1") == {"base_info.device": [place["camera"]["id"]]}
    assert found(place["alert"].number.lower()) == {"alerts.alert": [place["alert"].id]}
    assert found(place["order"].number) == {"dispatch.order": [place["order"].id]}
    assert found("") == found(".*") == found("没有这个") == {}
    assert found("阳光花园", district.sign_in("street_staff", WEST)) == {}


def test_a_card_is_put_together_from_all_modules(ask, place):
    card = said(ask, place["staff"], "base_info.drop_off_point", place["point"]["id"])
    assert ["编码", "T1"] in card["base_info.drop_off_point_facts"]["facts"]
    assert ["区域", "甲区 东街道 一社区 阳光花园"] in card["base_info.drop_off_point_facts"]["facts"]
    [person] = card["base_info.people"]["people"]
    assert (person["name"], person["phone"]) == ("王*", "138****5678")
    assert [each["key"] for each in card["alerts.open"]["lines"]] == [place["alert"].id]
    assert [each["key"] for each in card["dispatch.open"]["lines"]] == [place["order"].id]
    assert [each["text"] for each in card["base_info.devices"]["lines"]] == ["1 号摄像机"]
    assert [each["text"] for each in card["base_info.drop_off_point_changes"]["lines"]] == ["新增"]
    assert "evidence.violations" not in card

    alert = said(ask, place["staff"], "alerts.alert", place["alert"].id)
    assert ["编号", place["alert"].number] in alert["alerts.about"]["facts"]
    assert "alerts.open" not in alert, "the alert itself is no further alert"
    assert [each["key"] for each in alert["dispatch.open"]["lines"]] == [place["order"].id]
    order = said(ask, place["staff"], "dispatch.order", place["order"].id)
    assert [each["key"] for each in order["alerts.open"]["lines"]] == [place["alert"].id]
    assert said(ask, place["staff"], "base_info.compound", place["compound"]["id"]).keys() >= {
        "alerts.open", "dispatch.open", "base_info.people", "base_info.compound_facts"
    }  # fmt: skip


def test_nobody_opens_what_lies_elsewhere(ask, place, district):
    west = district.sign_in("street_staff", WEST)
    for record, key in (
        ("base_info.drop_off_point", place["point"]["id"]),
        ("alerts.alert", place["alert"].id),
        ("dispatch.order", place["order"].id),
        ("base_info.drop_off_point", "nonsense"),
        ("no.such", "x"),
    ):
        assert ask(west, f"/card/{record}", key=key).status_code == 404
    assert ask(west, "/card/alerts.alert/alerts.about", key=place["alert"].id).status_code == 404


def test_a_number_is_shown_by_permission_and_each_look_is_recorded(ask, place, district):
    address, key = "/card/base_info.drop_off_point/base_info.people/dial", place["point"]["id"]
    shown = said(ask, place["staff"], "base_info.drop_off_point", key)
    person = shown["base_info.people"]["people"][0]["key"]

    def looks() -> list[audit.Entry]:
        entries = audit.history("base_info.compound", place["compound"]["id"])
        return [each for each in entries if each.action == "base_info.compound.reveal"]

    assert looks() == []

    east = district.sign_in("street_staff", EAST)
    answer = ask(east, address, "POST", key=key, person=person)
    assert answer.json == {"phone": "13812345678"}
    [look] = looks()
    assert (look.actor.id, look.detail["purpose"]) == (str(east.user.id), "驾驶舱地图上联系现场")

    supervisor = district.sign_in("supervisor", EAST)
    assert ask(supervisor, "/card/base_info.drop_off_point/base_info.people", key=key).json["dial"] is False
    assert ask(supervisor, address, "POST", key=key, person=person).status_code == 403
    assert ask(district.sign_in("street_staff", WEST), address, "POST", key=key, person=person).status_code == 404
    assert ask(east, address, "POST", key=key, person="compound:0").status_code == 503
    assert "13812345678" not in ask(east, address, key=key, person=person).text, "nothing is looked at by a GET"
    assert len(looks()) == 1


def test_every_layer_with_cards_names_a_record_that_there_is(platform_app):
    records = {each.name for each in installed().map_records}
    assert {layer.record for layer in installed().map_layers if layer.record} <= records
    assert {name for part in installed().card_parts for name in part.records} <= records

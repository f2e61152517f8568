"""The catalogue is data: kept by district staff with its history, and the intake follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plugins.alerts.alerts.models import Sighting
from plugins.alerts.kinds.catalogue import Catalogue, catalogue, forget
from plugins.alerts.kinds.defaults import KINDS
from plugins.alerts.kinds.models import AlertKind, VendorCode
from tests.alerts.conftest import Vendor, told, work
from tests.district import DISTRICT, EAST, EAST_ONE, WEST


def kind(vendor: Vendor, code: str) -> dict[str, object]:
    return next(each for each in vendor.staff.get("/api/v1/alert-kinds")["items"] if each["code"] == code)


def test_a_district_begins_with_the_whole_catalogue(vendor: Vendor) -> None:
    items = vendor.staff.get("/api/v1/alert-kinds", limit=100)["items"]
    assert {each["code"] for each in items} == {each["code"] for each in KINDS} >= {f"E{n:02d}" for n in range(1, 13)}
    for each in (*AlertKind.objects(), *VendorCode.objects()):
        each.validate()
    choices = vendor.district.sign_in("supervisor", EAST).get("/api/v1/alerts/kinds")["items"]
    assert [each["code"] for each in choices] == sorted(each["code"] for each in KINDS)


def test_a_change_is_kept_in_the_history_and_followed_at_once(vendor: Vendor) -> None:
    assert vendor.sees("E02", minutes_ago=100) == "raised"
    record = kind(vendor, "E02")
    address = f"/api/v1/alert-kinds/{record['id']}"
    changes = {"debounce_minutes": 5, "close_minutes": 600, "severity": 3}
    changed = vendor.staff.call("PATCH", address, json=changes, etag=record["etag"])
    assert changed.status_code == 200, changed.text
    assert vendor.sees("E02", minutes_ago=90) == "raised"  # ten minutes later: no longer within the window
    old, new = vendor.alerts()
    assert (old["severity"], new["severity"]) == (2, 3)
    assert datetime.fromisoformat(new["close_by"]) - datetime.fromisoformat(new["raised_at"]) == timedelta(hours=10)
    [entry] = vendor.staff.get(f"{address}/history")["items"]
    assert entry["detail"]["debounce_minutes"] == [30, 5] and entry["actor"] == "测试"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"close_minutes": 1}, "close_minutes"),
        ({"severity": 5}, "severity"),
        ({"confidence_floor": 1.5}, "confidence_floor"),
        ({"role": "emperor"}, "role"),
        ({"code": "E99"}, "code"),
        ({"debounce_minutes": "long"}, "debounce_minutes"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(vendor: Vendor, change: dict[str, object], field: str) -> None:
    record = kind(vendor, "E02")
    answer = vendor.staff.call("PATCH", f"/api/v1/alert-kinds/{record['id']}", json=change, etag=record["etag"])
    assert answer.status_code == 422 and field in answer.json["fields"], answer.text


def test_only_the_district_keeps_the_catalogue(vendor: Vendor) -> None:
    record = kind(vendor, "E02")
    street = vendor.district.sign_in("street_staff", EAST)
    refused = street.call("PATCH", f"/api/v1/alert-kinds/{record['id']}", json={"severity": 1}, etag=record["etag"])
    assert refused.status_code == 403
    assert street.call("PUT", "/api/v1/alert-vendor-codes", json={"code": "x", "kind": "E02"}).status_code == 403


def test_a_disabled_kind_waits_like_an_unknown_one(vendor: Vendor) -> None:
    record = kind(vendor, "E05")
    vendor.staff.call(
        "POST", f"/api/v1/alert-kinds/{record['id']}/disable", json={"reason": "不再使用"}, etag=record["etag"]
    )
    assert vendor.sees("E05") == "waiting"


def test_unknown_codes_wait_and_are_taken_in_when_somebody_maps_them(vendor: Vendor) -> None:
    def send(number: int, code: str = "131594") -> str:
        event = {"event_id": f"w{number}", "eventType": code, "happenTime": datetime.now(UTC).isoformat()}
        return str(vendor.tell(event, vendor="hik").json["events"][0]["outcome"])

    assert [send(1), send(1), send(2), send(3, "9")] == ["waiting", "repeated", "waiting", "waiting"]
    assert vendor.alerts() == []
    waiting = vendor.staff.get("/api/v1/alert-waiting-codes")["items"]
    assert {(each["vendor"], each["code"], each["count"]) for each in waiting} == {
        ("hik", "131594", 2),
        ("hik", "9", 1),
    }
    west = vendor.district.sign_in("street_staff", WEST)
    assert west.get("/api/v1/alert-waiting-codes")["items"] == []
    body = {"vendor": "hik", "code": "131594", "kind": "E03"}
    assert vendor.staff.call("PUT", "/api/v1/alert-vendor-codes", json={**body, "kind": "E77"}).status_code == 422
    assert vendor.staff.call("PUT", "/api/v1/alert-vendor-codes", json=body).status_code == 200
    work()
    [alert] = vendor.alerts()
    assert (alert["kind"], alert["count"], alert["point"]) == ("E03", 2, "T1")
    assert len(told("alert.raised")) == 1
    work()
    assert send(4) == "counted" and vendor.only_alert()["count"] == 3
    assert Sighting.objects(outcome="waiting").count() == 1
    assert body in vendor.staff.get("/api/v1/alert-vendor-codes")["items"]


def test_codes_of_vendors_that_are_known_beforehand(vendor: Vendor) -> None:
    answer = vendor.tell({"event_id": "d1", "code": "0x260"}, vendor="dahua")
    assert answer.json["events"][0]["outcome"] == "raised"
    assert vendor.only_alert()["kind"] == "E02"


def test_while_it_is_quiet_nothing_is_raised_and_nothing_lost(vendor: Vendor) -> None:
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    body = {
        "area": EAST_ONE,
        "purpose": "maintenance",
        "device": "D1",
        "kind": "E02",
        "until": until,
        "reason": "换镜头",
    }
    window = vendor.staff.call("POST", "/api/v1/alert-quiet-windows", json=body)
    assert window.status_code == 201, window.text
    assert (vendor.sees("E02", minutes_ago=0, event_id="q1"), vendor.sees("E03", minutes_ago=0)) == ("muted", "raised")
    assert vendor.sees("E02", minutes_ago=20) == "raised"  # before it began
    assert Sighting.objects(outcome="muted").get().event_id == "q1"
    [shown] = vendor.staff.get("/api/v1/alert-quiet-windows", active="true")["items"]
    assert (shown["reason"], shown["set_by_name"]) == ("换镜头", "测试")
    address = f"/api/v1/alert-quiet-windows/{shown['id']}/end"
    assert vendor.staff.call("POST", address, etag=shown["etag"]).status_code == 200
    assert vendor.staff.get("/api/v1/alert-quiet-windows", active="true")["items"] == []
    assert vendor.sees("E02", happened_at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat()) == "counted"
    west = vendor.district.sign_in("street_staff", WEST)
    assert west.call("POST", "/api/v1/alert-quiet-windows", json=body).status_code == 403
    for wrong in ("2020-01-01T00:00:00+08:00", (datetime.now(UTC) + timedelta(days=91)).isoformat()):
        bad = vendor.staff.call("POST", "/api/v1/alert-quiet-windows", json={**body, "until": wrong})
        assert bad.status_code == 422


@pytest.mark.parametrize(
    ("window", "covers"),
    [
        ({}, True),
        ({"area": EAST_ONE}, True),
        ({"area": f"{EAST_ONE}0"}, False),
        ({"area": f"{EAST_ONE[:-1]}"}, False),
        ({"point": "T1"}, True),
        ({"point": "T2"}, False),
        ({"device": "D1", "kind": "E02"}, True),
        ({"device": "D1", "kind": "E03"}, False),
        ({"since": timedelta(minutes=1)}, False),
        ({"until": timedelta(0)}, False),
    ],
)
def test_what_a_quiet_window_covers(window: dict[str, object], covers: bool) -> None:
    now = datetime.now(UTC)
    whole = {"_id": "0" * 24, "area": DISTRICT, "since": timedelta(minutes=-1), "until": timedelta(minutes=1), **window}
    row = {name: now + value if isinstance(value, timedelta) else value for name, value in whole.items()}
    book = Catalogue({}, {}, [row])
    found = book.is_quiet(area=f"{EAST_ONE}/C1", point="T1", device="D1", kind="E02", at=now)
    assert (found is not None) == covers


def test_two_districts_have_catalogues_of_their_own(vendor: Vendor) -> None:
    assert catalogue("33").kinds.keys() == catalogue("44").kinds.keys()
    AlertKind.objects(area="44", code="E02").update_one(set__severity=4)
    forget()
    assert (catalogue("33").kinds["E02"]["severity"], catalogue("44").kinds["E02"]["severity"]) == (2, 4)

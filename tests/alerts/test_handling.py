"""What staff, work orders and other modules do to alerts, and who may see what."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import openpyxl
import pytest
from bson import ObjectId

from backend import events
from backend.plugin_api import AlertReport, raise_alert
from backend.protection import audit
from backend.storage import atomically, database, utcnow
from plugins.alerts.alerts import orders
from plugins.alerts.alerts.models import ALERT_FLOW, Alert
from plugins.dispatch.orders.models import WorkOrder
from tests.alerts.conftest import Vendor, photo, same_time, work
from tests.district import EAST, EAST_ONE, WEST, no_id

#: Whatever is done here, the figures of the cockpit follow.
pytestmark = pytest.mark.usefixtures("exact")

POINT = {"code": "T2", "name": "2 号投放点", "area_code": "C1", "longitude": 120.1011, "latitude": 30.2711}


def publish(name: str, area: str, **payload: Any) -> None:
    atomically(lambda: events.publish(name, payload, area=area))
    work()


def test_filters_find_what_they_name(vendor: Vendor) -> None:
    vendor.sees("E02", minutes_ago=50)
    vendor.sees("E03", minutes_ago=40)
    vendor.sees("E01", minutes_ago=30, confidence=0.1)
    closed = vendor.take(vendor.alerts(kind="E03")[0], "close")
    half_open = Alert.objects(kind="E02").get()
    half_open.modify(due_at=utcnow() - timedelta(minutes=1))

    def kinds(**query: Any) -> set[str]:
        return {alert["kind"] for alert in vendor.alerts(**query)}

    assert kinds() == {"E01", "E02", "E03"}
    assert kinds(state="closed") == {"E03"} and kinds(state="unconfirmed") == {"E01"}
    assert kinds(open="true") == {"E01", "E02"}
    assert kinds(severity=2) == {"E02", "E03"} and kinds(category="safety") == {"E01"}
    assert kinds(point="T1", device="D1", source="camera") == kinds() and kinds(point="T9") == set()
    assert kinds(overdue="true") == {"E02"} and kinds(overdue="false") == {"E01", "E03"}
    assert kinds(within=EAST_ONE) == kinds() and kinds(within=WEST) == set()
    assert kinds(bounds="120.1,30.2,120.2,30.3") == kinds() and kinds(bounds="121,30,122,31") == set()
    assert kinds(number=closed["number"]) == {"E03"} and kinds(role="supervisor") == set()
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert kinds(since=later) == set() and kinds(until=later) == kinds()
    assert vendor.staff.call("GET", "/api/v1/alerts?bounds=1,2,3").status_code == 422


def test_nobody_sees_or_handles_alerts_of_another_street(vendor: Vendor) -> None:
    vendor.sees("E02")
    alert = vendor.only_alert()
    address = f"/api/v1/alerts/{alert['id']}"
    west = vendor.district.sign_in("street_staff", WEST)
    assert west.get("/api/v1/alerts")["items"] == [] == west.get("/api/v1/alerts/map")["features"]
    for method, path, body in (
        ("GET", address, None),
        ("GET", f"{address}/sightings", None),
        ("GET", f"{address}/nearby", None),
        ("POST", f"{address}/close", {"reason": "现场已核实"}),
    ):
        assert west.call(method, path, json=body, etag=alert["etag"]).status_code == 404, path
    done = west.call("POST", "/api/v1/alerts/bulk", json={"ids": [alert["id"]], "verb": "close", "reason": "已清"}).json
    assert done["items"][0]["done"] is False and done["items"][0]["state"] is None
    watcher = vendor.district.sign_in("supervisor", EAST)
    assert len(watcher.get("/api/v1/alerts")["items"]) == 1
    refused = watcher.call("POST", f"{address}/close", json={"reason": "现场已核实"}, etag=alert["etag"])
    assert refused.status_code == 403
    assert vendor.only_alert()["state"] == "raised"


def test_every_state_has_a_way_out_and_every_step_its_entry(vendor: Vendor) -> None:
    vendor.sees("E02", minutes_ago=5)
    alert = vendor.only_alert()
    for verb, state in (("dismiss", "dismissed"), ("reopen", "raised"), ("close", "closed"), ("reopen", "raised")):
        alert = vendor.take(alert, verb, reason=f"原因 {verb}")
        assert alert["state"] == state
        assert (alert["closed_at"] is not None) == (state == "closed")
        assert (alert["due_at"] is not None) == (state == "raised")
    assert [step["verb"] for step in alert["timeline"]] == ["begin", "dismiss", "reopen", "close", "reopen"]
    assert [entry.action.rpartition(".")[2] for entry in audit.history("alerts.alert", alert["id"])] == [
        "reopen", "close", "reopen", "dismiss", "raise",
    ]  # fmt: skip
    left = {state for state in ALERT_FLOW.states if not any(state in way.sources for way in ALERT_FLOW.transitions)}
    assert left == set()


def test_steps_need_a_reason_the_version_and_a_way(vendor: Vendor) -> None:
    vendor.sees("E02")
    alert = vendor.only_alert()
    address = f"/api/v1/alerts/{alert['id']}"
    assert vendor.staff.call("POST", f"{address}/close", json={}, etag=alert["etag"]).status_code == 422
    assert vendor.staff.call("POST", f"{address}/close", json={"reason": "已清理"}).status_code == 428
    vendor.take(alert, "close")
    stale = vendor.staff.call("POST", f"{address}/dismiss", json={"reason": "误报了"}, etag=alert["etag"])
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    nowhere = vendor.staff.call("POST", f"{address}/confirm", json={"reason": "属实"}, etag=vendor.only_alert()["etag"])
    assert (nowhere.status_code, nowhere.json["code"]) == (409, "conflict")


def test_counting_does_not_take_the_version_from_under_staff(vendor: Vendor) -> None:
    vendor.sees("E02", minutes_ago=5)
    alert = vendor.only_alert()
    vendor.sees("E02", minutes_ago=3)
    assert vendor.take(alert, "close")["count"] == 2


def test_many_are_handled_each_by_itself(vendor: Vendor) -> None:
    for code in ("E02", "E03", "E04"):
        vendor.sees(code)
    alerts = vendor.alerts()
    vendor.take(alerts[0], "close")
    ids = [alert["id"] for alert in alerts] + [str(no_id())]
    body = {"ids": [*ids, ids[1]], "verb": "dismiss", "reason": "测试误报"}
    items = vendor.staff.call("POST", "/api/v1/alerts/bulk", json=body).json["items"]
    assert [(item["done"], item["state"]) for item in items] == [
        (False, "closed"), (True, "dismissed"), (True, "dismissed"), (False, None),
    ]  # fmt: skip
    assert all(item["reason"] for item in items if not item["done"])
    assert vendor.staff.call("POST", "/api/v1/alerts/bulk", json={**body, "ids": ids * 60}).status_code == 422


def test_merging_counts_into_the_other_and_splitting_takes_it_out(vendor: Vendor) -> None:
    vendor.staff.add("drop-off-points", **POINT)
    vendor.sees("E02", minutes_ago=9)
    vendor.sees("E02", minutes_ago=8, point="T2")
    first, second = vendor.alerts()
    near = vendor.staff.get(f"/api/v1/alerts/{first['id']}/nearby", metres=50)["items"]
    assert [each["id"] for each in near] == [second["id"]]
    merged = vendor.take(second, "merge", into=first["id"])
    assert (merged["state"], merged["merged_into"]) == ("merged", first["id"])
    assert vendor.sees("E02", minutes_ago=7, point="T2") == "counted"
    whole = vendor.staff.get(f"/api/v1/alerts/{first['id']}")
    assert (whole["count"], whole["state"]) == (3, "raised")
    assert len(vendor.staff.get(f"/api/v1/alerts/{first['id']}/sightings")["items"]) == 3
    for into in (first["id"], second["id"]):
        body, etag = {"into": second["id"], "reason": "同一处"}, vendor.staff.get(f"/api/v1/alerts/{into}")["etag"]
        bad = vendor.staff.call("POST", f"/api/v1/alerts/{into}/merge", json=body, etag=etag)
        assert bad.status_code == 409, bad.text
    assert vendor.take(merged, "split")["state"] == "raised"
    assert vendor.staff.get(f"/api/v1/alerts/{first['id']}")["count"] == 2
    assert vendor.sees("E02", minutes_ago=6, point="T2") == "counted"
    assert vendor.staff.get(f"/api/v1/alerts/{second['id']}")["count"] == 2


def test_reports_of_the_same_heap_from_near_places_are_one_by_rule(vendor: Vendor) -> None:
    for number, metres in enumerate((0, 15, 200)):
        body = {"kind": "E08", "area": f"{EAST_ONE}/C1", "longitude": 120.15, "latitude": 30.25 + metres / 111_000}
        body |= {"note": f"楼下建筑垃圾 {number}", "event_id": f"report-{number}"}
        answer = vendor.staff.call("POST", "/api/v1/alerts", json=body)
        assert answer.status_code == 201, answer.text
    work()
    assert [(alert["state"], alert["count"]) for alert in vendor.alerts()] == [
        ("raised", 2), ("merged", 1), ("raised", 1),
    ]  # fmt: skip
    work()
    assert sum(alert["count"] for alert in vendor.alerts(state="raised")) == 3


def test_a_person_reports_once_however_often_the_phone_sends(vendor: Vendor) -> None:
    supervisor = vendor.district.sign_in("supervisor", EAST)
    body = {"kind": "E03", "point": "T1", "note": "袋子放在地上", "event_id": "phone-1"}
    first = supervisor.call("POST", "/api/v1/alerts", json=body, headers={"Idempotency-Key": "phone-key-1"})
    again = supervisor.call("POST", "/api/v1/alerts", json=body)
    assert (first.status_code, again.status_code) == (201, 201) and again.json["id"] == first.json["id"]
    assert vendor.only_alert()["count"] == 1
    photos = {"photos": [(io.BytesIO(photo(3)), "1.png")]}
    added = supervisor.call("POST", f"/api/v1/alerts/{first.json['id']}/photos", data=photos)
    assert added.status_code == 201 and len(added.json["pictures"]) == 1
    for wrong, code in (
        ({"kind": "E99", "point": "T1"}, "unknown_kind"),
        ({"kind": "E03"}, "unknown_place"),
        ({"kind": "E03", "point": "T404"}, "unknown_place"),
        ({"kind": "E03", "longitude": 0, "latitude": 0}, "unknown_place"),
        ({"kind": {"$gt": ""}, "point": "T1"}, "invalid"),
    ):
        assert supervisor.call("POST", "/api/v1/alerts", json=wrong).json["code"] == code
    west = vendor.district.sign_in("supervisor", WEST)
    assert west.call("POST", "/api/v1/alerts", json={"kind": "E03", "point": "T1"}).status_code == 403


def test_an_alert_follows_its_work_order(vendor: Vendor) -> None:
    vendor.sees("E02", minutes_ago=5)
    alert = vendor.only_alert()
    order = {
        "order": str(ObjectId()),
        "number": "PD1",
        "alert": alert["id"],
        "source": "alert",
        "source_id": alert["id"],
    }
    publish("work_order.filed", alert["area"], **order)
    publish("work_order.dispatched", alert["area"], **order, handler="张三")
    alert = vendor.only_alert()
    assert (alert["state"], alert["order_number"]) == ("dispatched", "PD1")
    assert same_time(alert["due_at"], alert["close_by"])
    other = {**order, "order": str(ObjectId()), "alert": "", "source": "booking", "source_id": "77"}
    publish("work_order.closed", alert["area"], **other, result="done")
    assert vendor.only_alert()["state"] == "dispatched"
    for _ in range(2):
        publish("work_order.closed", alert["area"], **order, result="done")
    alert = vendor.only_alert()
    assert (alert["state"], alert["closed_at"] is not None) == ("closed", True)
    assert [step["verb"] for step in alert["timeline"]] == ["begin", "dispatch", "close"]
    publish("work_order.reopened", alert["area"], **order, reason="问题反复")
    assert vendor.only_alert()["state"] == "raised"


def test_one_tap_opens_the_order_once_and_a_settled_alert_gets_none(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.sees("E02", minutes_ago=5)
    alert = vendor.only_alert()
    tap = partial(vendor.staff.call, "POST", f"/api/v1/alerts/{alert['id']}/order")
    first, again = tap(), tap()
    assert first.status_code == 200 and first.json == again.json
    assert first.json["href"].startswith("/dispatch/orders#")
    work()  # the alert tells of itself, too, and that makes no second order
    assert WorkOrder.objects().count() == 1
    assert vendor.only_alert()["order_number"] == first.json["number"]
    closed = vendor.take(vendor.only_alert(), "close")
    assert tap().json["code"] == "conflict"
    monkeypatch.setattr(orders, "open_work_order", lambda _: None)
    vendor.take(closed, "reopen")
    assert tap().json["code"] == "no_work_orders"


def test_counts_are_those_of_the_lists(vendor: Vendor) -> None:
    vendor.sees("E02")
    vendor.sees("E03", confidence=0.1)
    vendor.sees("E04")
    late = Alert.objects(kind="E04").get()
    late.modify(due_at=utcnow() - timedelta(minutes=1))
    assert vendor.staff.get("/api/v1/alerts/counts") == {"unconfirmed": 1, "raised": 2, "dispatched": 0, "overdue": 1}
    elsewhere = vendor.district.sign_in("community_staff", WEST)
    assert set(elsewhere.get("/api/v1/alerts/counts").values()) == {0}


def test_a_confirmed_case_of_evidence_is_an_alert_of_its_own_once(vendor: Vendor) -> None:
    for case in ("c1", "c1", "c2"):
        payload = {"case": case, "number": f"QZ-{case}", "violation": "mixed_waste", "penalty": False, "captures": []}
        publish("evidence.case_confirmed", f"{EAST_ONE}/C1", **payload)
    alerts = vendor.alerts(source="evidence")
    assert [(alert["kind"], alert["count"]) for alert in alerts] == [("V01", 1), ("V01", 1)]
    assert vendor.staff.get(f"/api/v1/alerts/{alerts[0]['id']}")["link"] == "evidence:c1"


def test_other_modules_raise_alerts_by_the_capability(vendor: Vendor) -> None:
    report = AlertReport(kind="E07", source="exposure", event_id="x1", at=utcnow(), point="T1", note="居民举报")
    first, again = raise_alert(report), raise_alert(report)
    assert first is not None and again is not None
    assert (first.new, again.new, first.id, first.title) == (True, False, again.id, "乱堆大件")
    assert raise_alert(AlertReport(kind="nonsense", source="patrol", event_id="x2", at=utcnow(), point="T1")) is None
    waiting = vendor.staff.get("/api/v1/alert-waiting-codes")["items"]
    assert [each["code"] for each in waiting] == ["nonsense"]


def test_export_holds_what_the_list_shows_and_is_recorded(vendor: Vendor) -> None:
    vendor.sees("E02", note="=1+1")
    vendor.sees("E03")
    answer = vendor.staff.call("GET", "/api/v1/alerts/export?format=csv&kind=E02")
    lines = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(line["事件类型"], line["状态"], line["说明"]) for line in lines] == [("满溢", "待处理", "'=1+1")]
    book = openpyxl.load_workbook(io.BytesIO(vendor.staff.call("GET", "/api/v1/alerts/export").data))
    assert book.active is not None and book.active.max_row == 3
    assert database()["audit_entries"].count_documents({"action": "alerts.alert.export"}) == 2
    supervisor = vendor.district.sign_in("supervisor", EAST)
    assert supervisor.call("GET", "/api/v1/alerts/export").status_code == 403


def test_the_map_shows_where_alerts_are(vendor: Vendor) -> None:
    vendor.sees("E02")
    [feature] = vendor.staff.get("/api/v1/alerts/map", open="true")["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [120.101, 30.271]}
    assert feature["properties"]["kind_name"] == "满溢"


def test_property_staff_see_what_lies_at_the_points_of_their_company(vendor: Vendor) -> None:
    company = vendor.staff.add("property-companies", code="P1", name="一物业", area_code="33101")
    vendor.staff.add("property-companies", code="P2", name="二物业", area_code="33101")
    vendor.staff.add("drop-off-points", **POINT, property_company="P1")
    vendor.sees("E02", point="T2")
    vendor.sees("E02", point="T1")
    mine = vendor.district.sign_in("property_staff", EAST_ONE, organisation=ObjectId(company["id"]))
    assert [alert["point"] for alert in mine.get("/api/v1/alerts")["items"]] == ["T2"]


@pytest.mark.parametrize("kind", ["E02", "E10"])
def test_a_late_closing_is_counted_as_late(vendor: Vendor, kind: str) -> None:
    vendor.sees(kind)
    alert = Alert.objects().get()
    alert.modify(close_by=utcnow() - timedelta(seconds=1), raised_at=utcnow() - timedelta(hours=3))
    vendor.take(vendor.only_alert(), "close")
    alert.reload()
    assert (alert.late, round(alert.close_seconds / 3600)) == (1, 3)

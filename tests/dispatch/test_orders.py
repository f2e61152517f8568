"""An order from the alert to its end, and what may not be done with it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from backend.events import Event
from backend.plugin_api import Postponed
from backend.rollups.recompute import recompute_dirty
from backend.storage import database, utcnow
from plugins.dispatch.orders import following
from plugins.dispatch.orders.escalation import escalate
from plugins.dispatch.orders.opening import follow_alert
from tests.dispatch.conftest import LAT, LON, ORDERS, Ground, photo, raised
from tests.district import DISTRICT, EAST, EAST_ONE, WEST

#: Whatever is done here, the figures of the cockpit follow.
pytestmark = pytest.mark.usefixtures("exact")


def test_an_alert_becomes_one_order_with_a_suggested_handler(ground: Ground) -> None:
    event = raised()
    for _ in range(3):
        follow_alert(event)
    [row] = ground.street.get(ORDERS)["items"]
    assert row["state"] == "reported" and row["unit_name"] == "清和物业" and row["point_name"]
    order = ground.see(ground.street, row["id"])
    assert order["proof_titles"] == ["处置前照片", "处置后照片"]
    assert [each["verb"] for each in order["verbs"]] == ["file", "dismiss", "merge"]
    assert (order["longitude"], order["latitude"]) == (LON, LAT) and "YJ1" in order["description"]
    assert len(ground.events("work_order.reported")) == 1


def test_the_whole_way_to_the_closed_order(ground: Ground) -> None:
    order = ground.dispatch(ground.street, ground.alert())
    assert order["state"] == "dispatched" and order["due_at"]
    assert [each["title"] for each in order["history"]][:3] == ["上报", "立案", "派遣"]
    assert ground.worker.get(ORDERS, mine="true")["items"][0]["id"] == order["id"]
    order = ground.take(ground.worker, ground.see(ground.worker, order))
    assert order["state"] == "in_progress" and order["handler_name"] == "测试"
    order = ground.replied(ground.worker, order)
    assert order["state"] == "replied"
    [reply] = order["replies"]
    assert reply["distance"] == 0 and [each["stage"] for each in reply["pictures"]] == ["before", "after"]
    picture = ground.street.call("GET", reply["pictures"][0]["address"])
    assert picture.status_code == 200 and picture.data.startswith(b"\xff\xd8")
    order = ground.step(ground.community, ground.see(ground.community, order), "close", reason="清楚")
    assert order["state"] == "closed" and order["on_time"] is True and order["due_at"] is None
    told = {name: ground.events(f"work_order.{name}", order) for name in ("filed", "dispatched", "replied", "closed")}
    assert all(len(each) == 1 for each in told.values())
    assert told["closed"][0]["result"] == "closed" and told["closed"][0]["alert"]


def test_two_people_take_an_order_in_the_same_second(ground: Ground) -> None:
    colleague = ground.district.sign_in("property_staff", DISTRICT, organisation=ground.company)
    order = ground.dispatch(ground.street, ground.alert())
    barrier, answers = threading.Barrier(2), []

    def take(by: object) -> None:
        barrier.wait()
        answers.append(ground.ask(by, order, "take"))  # type: ignore[arg-type]

    threads = [threading.Thread(target=take, args=(by,)) for by in (ground.worker, colleague)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    codes = sorted(each.status_code for each in answers)
    assert codes == [200, 409]
    refused = next(each for each in answers if each.status_code == 409)
    assert refused.json["code"] == "order_taken"
    assert len(ground.events("work_order.taken", order)) == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"after": 1}, "before"), ({"before": 1}, "after"), ({}, "after")],
)
def test_a_reply_without_proof_is_refused(ground: Ground, sent: dict[str, int], field: str) -> None:
    order = ground.take(ground.worker, ground.dispatch(ground.street, ground.alert()))
    photos = {stage: [photo() for _ in range(number)] for stage, number in sent.items()}
    answer = ground.reply(ground.worker, order, note="好了", **photos)
    assert answer.status_code == 422 and answer.json["code"] == "proof_missing" and field in answer.json["fields"]
    assert ground.stored(order)["state"] == "in_progress"
    assert database()["blobs"].count_documents({}) == 0


def test_a_reply_from_somewhere_else_is_refused_where_the_place_counts(ground: Ground) -> None:
    order = ground.alert(proof=["place", "note"])
    order = ground.take(ground.worker, ground.dispatch(ground.street, order))
    far = ground.reply(ground.worker, order, note="好了", longitude=LON + 0.03, latitude=LAT)
    assert far.status_code == 422 and far.json["code"] == "too_far_away" and "米" in far.json["detail"]
    assert ground.reply(ground.worker, order, note="好了").json["code"] == "proof_missing"
    assert ground.reply(ground.worker, order, note="  ", longitude=LON, latitude=LAT).json["code"] == "proof_missing"
    near = ground.reply(ground.worker, order, note="好了", longitude=LON + 0.001, latitude=LAT)
    assert near.status_code == 201 and 90 < near.json["replies"][0]["distance"] < 100


def test_a_photo_that_is_none_is_refused(ground: Ground) -> None:
    order = ground.take(ground.worker, ground.dispatch(ground.street, ground.alert()))
    answer = ground.reply(ground.worker, order, before=[b"no photo"], after=[photo()])
    assert answer.status_code == 422 and answer.json["code"] == "unreadable_image"


def test_a_reply_that_is_sent_twice_counts_once(ground: Ground) -> None:
    order = ground.take(ground.worker, ground.dispatch(ground.street, ground.alert()))
    before, after, key = [photo()], [photo()], {"Idempotency-Key": "reply-0001"}
    first = ground.reply(ground.worker, order, before=before, after=after, headers=key)
    again = ground.reply(ground.worker, order, before=before, after=after, headers=key)
    assert first.status_code == again.status_code == 201
    assert len(ground.stored(order)["replies"]) == 1


def test_nobody_verifies_his_own_work(ground: Ground) -> None:
    order = ground.dispatch(ground.street, ground.alert(), handler=str(ground.community.user.id))
    order = ground.replied(ground.community, ground.take(ground.community, order))
    own = ground.ask(ground.community, order, "steps", verb="close")
    assert own.status_code == 403 and own.json["code"] == "own_work"
    assert not {"close", "send_back", "inspect"} & {each["verb"] for each in order["verbs"]}
    assert ground.step(ground.street, order, "close")["state"] == "closed"


def test_only_those_whom_it_was_given_to_handle_it(ground: Ground) -> None:
    other = ground.district.sign_in("supervisor", f"{EAST_ONE}/C1")
    order = ground.dispatch(ground.street, ground.alert())
    answer = ground.ask(other, order, "take")
    assert answer.status_code in (403, 404)
    assert ground.ask(ground.street, order, "take").status_code == 403
    order = ground.dispatch(ground.street, order, role="supervisor")
    assert order["handler_name"] == "阳光花园 专管员" and ground.take(other, order)["state"] == "in_progress"


def test_a_company_sees_its_own_orders_alone(ground: Ground) -> None:
    mine, others = ground.dispatch(ground.street, ground.alert()), ground.alert(kind="E08", title="建筑垃圾")
    others = ground.dispatch(ground.street, others)
    assert [each["id"] for each in ground.worker.get(ORDERS)["items"]] == [mine["id"]]
    assert ground.worker.call("GET", f"{ORDERS}/{others['id']}").status_code == 404
    west = ground.district.sign_in("street_staff", WEST)
    assert west.get(ORDERS)["items"] == [] and west.call("GET", f"{ORDERS}/{mine['id']}").status_code == 404


def test_a_failed_check_means_rework_with_time_for_it(ground: Ground) -> None:
    order = ground.handled()
    assert ground.ask(ground.street, order, "steps", verb="send_back").json["code"] == "reason_missing"
    order = ground.step(ground.street, order, "send_back", reason="处置不彻底")
    assert order["state"] == "rework" and order["rework"] == 1 and order["limit"]["running"]
    order = ground.replied(ground.worker, ground.see(ground.worker, order))
    order = ground.step(ground.street, order, "close")
    assert [each["passed"] for each in order["checks"]] == [False, True] and len(order["replies"]) == 2


def test_time_stands_still_while_an_order_is_suspended(ground: Ground) -> None:
    order = ground.take(ground.worker, ground.dispatch(ground.street, ground.alert()))
    ground.age(order, minutes=40)
    order = ground.step(ground.street, ground.see(ground.street, order), "suspend", reason="等待施工")
    assert (
        order["due_at"] is None and not order["limit"]["running"] and order["limit"]["used"] == pytest.approx(40, abs=1)
    )
    row = ground.stored(order)
    assert row.get("running_since") is None and row.get("escalate_at") is None
    database()["work_orders"].update_one({"_id": row["_id"]}, {"$set": {"updated_at": utcnow() - timedelta(days=3)}})
    assert escalate(utcnow() + timedelta(days=9)) == 0
    order = ground.step(ground.street, order, "resume")
    assert order["state"] == "in_progress" and order["limit"]["used"] == pytest.approx(40, abs=1)
    left = (ground.stored(order)["due_at"] - utcnow()).total_seconds() / 60
    assert left == pytest.approx(80, abs=1)


def test_more_time_is_asked_for_and_given_by_somebody_else(ground: Ground) -> None:
    order = ground.take(ground.worker, ground.dispatch(ground.street, ground.alert()))
    due = ground.stored(order)["due_at"]
    assert ground.ask(ground.worker, order, "steps", verb="grant_extension").status_code == 403
    order = ground.step(ground.worker, order, "ask_extension", reason="车辆排期", minutes=60)
    assert order["extension_pending"] and ground.stored(order)["due_at"] == due
    again = ground.ask(ground.worker, order, "steps", verb="ask_extension", reason="再来", minutes=60)
    assert again.json["code"] == "extension_pending"
    assert ground.ask(ground.worker, order, "steps", verb="grant_extension").status_code == 403
    assert ground.street.get(ORDERS, extension="true")["items"]
    order = ground.step(ground.street, order, "grant_extension")
    assert ground.stored(order)["due_at"] == due + timedelta(minutes=60) and order["limit"]["allowed"] == 180
    assert not order["extension_pending"] and order["extensions"][0]["granted"] is True


def test_what_goes_into_another_order_ends_with_it(ground: Ground) -> None:
    one, two = ground.alert(), ground.alert()
    answer = ground.ask(ground.street, one, "merge", into=two["id"], reason="同一处")
    assert answer.status_code == 200 and [each["id"] for each in answer.json["merged"]] == [one["id"]]
    assert ground.see(ground.street, one)["merged_into"]["id"] == two["id"]
    assert ground.ask(ground.street, answer.json, "merge", into=two["id"], reason="自己").status_code == 422
    order = ground.step(ground.chief, ground.step(ground.street, answer.json, "file"), "force_close", reason="已解决")
    told = ground.events("work_order.closed")
    assert {each["order"] for each in told} == {one["id"], two["id"]}
    assert {each["result"] for each in told} == {"forced_closed"} and order["state"] == "forced_closed"


def test_a_closed_order_is_opened_again(ground: Ground) -> None:
    order = ground.step(ground.street, ground.handled(), "close")
    order = ground.step(ground.street, order, "reopen", reason="问题反复")
    assert order["state"] == "filed" and order["on_time"] is None
    order = ground.replied(ground.worker, ground.take(ground.worker, ground.dispatch(ground.street, order)))
    assert ground.step(ground.street, order, "close")["state"] == "closed"


def test_what_nobody_saw_as_it_is_now_is_refused(ground: Ground) -> None:
    seen = ground.alert()
    ground.step(ground.street, seen, "file")
    assert ground.ask(ground.street, seen, "steps", verb="dismiss", reason="重复").status_code == 412
    assert ground.street.call("POST", f"{ORDERS}/{seen['id']}/steps", json={"verb": "dismiss"}).status_code == 428
    fresh = ground.see(ground.street, seen)
    assert ground.ask(ground.street, fresh, "steps", verb="resume").status_code == 409


def test_people_report_by_hand_in_their_own_area(ground: Ground) -> None:
    values = {"kind": "E08", "title": "建筑垃圾乱堆", "area": EAST_ONE, "longitude": LON, "latitude": LAT}
    answer = ground.community.call("POST", ORDERS, json=values, headers={"Idempotency-Key": "by-hand-1"})
    assert answer.status_code == 201 and answer.json["source"] == "person"
    assert answer.json["handler_name"] == "一社区 社区工作人员"
    again = ground.community.call("POST", ORDERS, json=values, headers={"Idempotency-Key": "by-hand-1"})
    assert again.json["id"] == answer.json["id"]
    assert ground.community.call("POST", ORDERS, json={**values, "area": WEST}).status_code == 403
    assert ground.community.call("POST", ORDERS, json={"kind": "E08", "title": "x"}).status_code == 422
    lost = ground.community.call("POST", ORDERS, json={"kind": "E08", "title": "x", "point": "T404"})
    assert lost.status_code == 422 and "point" in lost.json["fields"]
    here = {"kind": "E02", "title": "满溢", "longitude": LON + 0.0002, "latitude": LAT}
    assert ground.community.call("POST", ORDERS, json=here).json["point"] == "T1"
    away = ground.community.call("POST", ORDERS, json={**here, "longitude": LON + 0.2})
    assert away.json["point"] is None and away.json["area"] == EAST_ONE
    assert ground.worker.call("POST", ORDERS, json=values).status_code == 403


def test_a_batch_says_of_each_order_what_became_of_it(ground: Ground) -> None:
    good, stale, done = ground.alert(), ground.alert(), ground.alert()
    ground.step(ground.street, stale, "file")
    done = ground.step(ground.street, done, "dismiss", reason="重复")
    items = [{"id": each["id"], "etag": each["etag"]} for each in (good, stale, done)]
    items.append({"id": "0" * 24, "etag": f"{'0' * 24}-1"})
    answer = ground.street.call("POST", f"{ORDERS}/batches", json={"verb": "dispatch", "items": items})
    assert answer.status_code == 200 and answer.json["done"] == 1
    assert [each.get("code") for each in answer.json["items"]] == [None, "stale_version", "conflict", "not_found"]
    assert ground.see(ground.street, good)["state"] == "dispatched"


def test_candidates_come_with_their_load(ground: Ground) -> None:
    ground.dispatch(ground.street, ground.alert())
    order = ground.alert()
    items = ground.street.get(f"{ORDERS}/{order['id']}/candidates")["items"]
    assert items[0]["suggested"] and items[0]["name"] == "清和物业" and items[0]["open_orders"] == 1
    assert {"role", "organisation", "handler"} == {each["kind"] for each in items}
    assert ground.ask(ground.street, order, "dispatch", handler="0" * 24).status_code == 422
    both = {"handler": str(ground.worker.user.id), "role": "supervisor"}
    assert ground.ask(ground.street, order, "dispatch", **both).status_code == 422


def test_searches_pages_and_tables(ground: Ground) -> None:
    made = [ground.alert() for _ in range(5)] + [ground.alert(kind="E08", title="建筑垃圾", severity=3)]
    first = ground.street.get(ORDERS, limit=4, order="due")
    rest = ground.street.get(ORDERS, limit=4, order="due", cursor=first["next_cursor"])
    seen = [each["id"] for each in first["items"] + rest["items"]]
    assert sorted(seen) == sorted(each["id"] for each in made) and rest["next_cursor"] is None
    assert len(ground.street.get(ORDERS, kind="E08", severity=3, state="reported")["items"]) == 1
    assert ground.street.get(ORDERS, q=made[0]["number"])["items"][0]["id"] == made[0]["id"]
    assert ground.street.get(ORDERS, overdue="true")["items"] == []
    assert ground.street.call("GET", ORDERS, query_string={"state[$ne]": "x"}).status_code == 422
    near = ground.street.get(f"{ORDERS}/nearby", longitude=LON, latitude=LAT)
    assert len(near["items"]) == 6 and near["items"][0]["distance"] == 0
    table = ground.street.call("GET", f"{ORDERS}/export", query_string={"format": "csv", "kind": "E02"})
    lines = table.get_data(as_text=True).strip().splitlines()
    assert len(lines) == 6 and "单号" in lines[0] and "清和物业" in lines[1]
    assert ground.worker.call("GET", f"{ORDERS}/export").status_code == 403


def test_limits_escalate_up_the_tree_each_share_once(ground: Ground) -> None:
    order = ground.dispatch(ground.street, ground.alert())
    assert escalate() == 0
    for minutes, levels in ((59, []), (2, [50]), (60, [50, 100]), (60, [50, 100, 150]), (600, [50, 100, 150])):
        ground.age(order, minutes=minutes)
        escalate()
        escalate()
        assert [each["percent"] for each in ground.events("work_order.escalated", order)] == levels
    assert len(ground.events("work_order.due_soon", order)) == 1
    told = ground.events("work_order.escalated", order)
    assert [each["to_area"] for each in told] == [EAST_ONE, EAST, DISTRICT]
    assert len(ground.events("work_order.overdue", order)) == 1
    order = ground.see(ground.street, order)
    assert order["late"] and order["overdue"] and order["limit"]["escalated"] == 150
    assert ground.street.get(ORDERS, overdue="true")["items"][0]["id"] == order["id"]
    order = ground.replied(ground.worker, ground.take(ground.worker, order))
    assert ground.step(ground.street, order, "close")["on_time"] is False


def test_an_order_that_nobody_sends_or_checks_is_told_to_the_street(ground: Ground) -> None:
    order = ground.alert()
    ground.age(order, days=4)
    assert [escalate(), escalate()] == [1, 0]
    order = ground.replied(
        ground.worker, ground.take(ground.worker, ground.dispatch(ground.street, ground.see(ground.street, order)))
    )
    ground.age(order, days=9)
    assert [escalate(), escalate()] == [1, 0]
    told = ground.events("work_order.stalled", order)
    assert [(each["stage"], each["to_area"]) for each in told] == [("待立案", EAST), ("待核查", EAST)]
    order = ground.see(ground.street, order)
    assert order["overdue"] and not order["late"] and order["history"][-1]["note"] == "待核查已超时，提醒街道"
    assert ground.step(ground.street, order, "close")["on_time"] is True


def test_an_order_that_nobody_takes_is_told_to_the_street(ground: Ground) -> None:
    taken, left = (ground.dispatch(ground.street, ground.alert()) for _ in range(2))
    taken = ground.take(ground.worker, taken)
    for order in (taken, left):
        ground.age(order, minutes=45)
    assert [escalate(), escalate()] == [1, 0]
    assert not ground.events("work_order.stalled", taken)
    assert [(e["stage"], e["to_area"]) for e in ground.events("work_order.stalled", left)] == [("接单", EAST)]
    # Sent to somebody else, the time begins anew; one that rests waits for nobody.
    left = ground.step(ground.street, ground.see(ground.street, left), "suspend", reason="等待设备")
    assert escalate() == 0
    left = ground.step(ground.street, left, "resume")
    assert escalate() == 0
    ground.age(left, minutes=45)
    escalate()
    assert len(ground.events("work_order.stalled", left)) == 2


def test_statistics_by_unit(ground: Ground) -> None:
    order = ground.step(ground.street, ground.handled(), "send_back", reason="不彻底")
    order = ground.replied(ground.worker, ground.see(ground.worker, order))
    ground.step(ground.street, order, "close")
    ground.dispatch(ground.street, ground.alert(kind="E08", title="建筑垃圾"))
    recompute_dirty()
    rows = {each["name"]: each for each in ground.street.get(f"{ORDERS}/statistics")["items"]}
    mine = rows["清和物业"]
    names = ("reported", "filed", "handled", "on_time", "judged", "closed", "rework", "late")
    assert [mine[name] for name in names] == [1, 1, 1, 1, 1, 1, 1, 0] and mine["median_minutes"] < 2
    assert rows["一社区 社区工作人员"]["handled"] == 0 and rows["一社区 社区工作人员"]["median_minutes"] is None
    west = ground.district.sign_in("street_staff", WEST)
    assert west.get(f"{ORDERS}/statistics")["items"] == []
    kinds = ground.chief.get(f"{ORDERS}/statistics", by="kind")["items"]
    assert {each["name"] for each in kinds} == {"满溢", "装修（建筑）垃圾乱堆"}
    counts = ground.street.get(f"{ORDERS}/counts")
    assert counts == {"waiting": 0, "handling": 1, "checking": 0, "overdue": 0, "mine": 0}


def ended(name: str, alert: str, **more: str) -> Event:
    """Return the event of what became of an alert."""
    payload = {"alert": alert, **more}
    return Event(id="0" * 24, name=name, area=EAST_ONE, occurred_at=utcnow(), payload=payload)


def test_an_order_follows_its_alert(ground: Ground) -> None:
    waiting, handled, one, two = ground.alert(), ground.dispatch(ground.street, ground.alert()), *pair(ground)
    for order in (waiting, handled):
        for _ in range(2):
            following.end(ended("alert.dismissed", order["source_id"]))
    assert ground.see(ground.street, waiting)["state"] == "dismissed"
    assert ground.see(ground.street, handled)["state"] == "dispatched"  # somebody is on the way
    for _ in range(2):
        following.end_with_other(ended("alert.merged", one["source_id"], merged_into=two["source_id"]))
    assert ground.see(ground.street, one)["merged_into"]["id"] == two["id"]
    for _ in range(2):
        following.begin_again(ended("alert.reopened", waiting["source_id"]))
    assert [each["title"] for each in ground.see(ground.street, waiting)["history"]] == ["上报", "不予立案", "重新立案"]
    with pytest.raises(Postponed):
        following.end(ended("alert.dismissed", "0" * 24))


def pair(ground: Ground) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two orders of one place."""
    return ground.alert(), ground.alert()


def test_nobody_is_sent_for_history_that_somebody_loads(ground: Ground) -> None:
    follow_alert(raised(close_by=(utcnow() - timedelta(minutes=1)).isoformat()))
    assert ground.street.get(ORDERS)["items"] == []

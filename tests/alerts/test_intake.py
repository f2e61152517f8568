"""What machines send becomes alerts: once, whatever the order, the number of times, or how many send at once."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from backend.blobs import get
from backend.protection import audit
from backend.storage import database, utcnow
from plugins.alerts.alerts.models import Alert, Sighting
from plugins.alerts.intake import places, raising
from plugins.alerts.intake.seen import Seen
from plugins.alerts.intake.taking import take_in
from tests.alerts.conftest import Vendor, ago, inline, photo, same_time, told
from tests.district import DISTRICT, EAST_ONE

COMPOUND = f"{EAST_ONE}/C1"


def nothing_is_left() -> bool:
    return not any(database()[name].count_documents({}) for name in ("alerts", "alert_sightings", "events"))


def test_an_event_becomes_an_alert_with_the_limits_of_its_kind(vendor: Vendor) -> None:
    assert vendor.sees("E02", minutes_ago=3, confidence=0.9, note="桶满", event_id="e1") == "raised"
    alert = vendor.only_alert()
    names = ("kind", "kind_name", "severity", "state", "state_title", "area", "point", "device", "count", "source")
    assert {name: alert[name] for name in names} == {
        "kind": "E02", "kind_name": "满溢", "severity": 2, "state": "raised", "state_title": "待处理",
        "area": COMPOUND, "point": "T1", "device": "D1", "count": 1, "source": "camera",
    }  # fmt: skip
    raised = datetime.fromisoformat(alert["raised_at"])
    assert datetime.fromisoformat(alert["respond_by"]) - raised == timedelta(minutes=30)
    assert datetime.fromisoformat(alert["close_by"]) - raised == timedelta(minutes=120)
    assert alert["due_at"] == alert["respond_by"] and alert["camera"]["device"] == "D1"
    assert (alert["longitude"], alert["latitude"]) == (120.101, 30.271)
    [event] = told("alert.raised")
    assert event["number"] == alert["number"] and event["proof"] == ["before_photo", "after_photo"]
    [entry] = audit.history("alerts.alert", alert["id"])
    assert (entry.action, entry.actor.kind, entry.actor.id) == ("alerts.alert.raise", "device", "D1")


def test_rows_written_past_the_documents_keep_their_rules(vendor: Vendor) -> None:
    vendor.sees("E02", confidence=0.9, pictures=[inline(9)])
    vendor.sees("what is that")
    assert Alert.objects().count() == 1 and Sighting.objects().count() == 2
    for each in (*Alert.objects(), *Sighting.objects()):
        each.validate()
        assert set(each.to_mongo()) <= {"_id", *type(each)._fields}


def test_the_same_point_and_kind_within_the_window_is_one_alert(vendor: Vendor) -> None:
    outcomes = [vendor.sees("E02", minutes_ago=minutes) for minutes in (80, 60, 31, 5)]
    assert outcomes == ["raised", "counted", "counted", "counted"]
    assert vendor.sees("E03", minutes_ago=5) == "raised"
    assert vendor.sees("E02", minutes_ago=120) == "raised"  # forty minutes before the first: another occasion
    assert sorted(alert["count"] for alert in vendor.alerts()) == [1, 1, 4]


def test_a_repeated_event_changes_nothing(vendor: Vendor) -> None:
    event = {"event_id": "e1", "code": "E02", "happened_at": ago(5), "pictures": [inline(1)]}
    assert vendor.tell(event).json["events"] == [{"event_id": "e1", "outcome": "raised"}]
    before = vendor.only_alert(), list(database()["alert_sightings"].find())
    for _ in range(3):
        assert vendor.tell(event).json["events"] == [{"event_id": "e1", "outcome": "repeated"}]
    assert vendor.tell(event, event).json["events"][1]["outcome"] == "repeated"
    assert (vendor.only_alert(), list(database()["alert_sightings"].find())) == before


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_deliveries_makes_no_difference(vendor: Vendor, seed: int) -> None:
    now, chance = utcnow(), random.Random(seed)
    minutes = [300, 290, 275, 262, 180, 172, 165, 40, 20]
    same: dict[str, Any] = {"source": "camera", "sender": "D1", "code": "E02", "area": COMPOUND, "point": "T1"}
    seen = [
        Seen(event_id=f"e{number}", at=now - timedelta(minutes=minute), received_at=now, **same)
        for number, minute in enumerate(minutes)
    ]
    deliveries = [*seen, *chance.sample(seen, 4)]
    chance.shuffle(deliveries)
    while deliveries:
        size = chance.randrange(1, 4)
        take_in(deliveries[:size])
        deliveries = deliveries[size:]
    alerts = list(Alert._get_collection().find())
    assert sum(alert["count"] for alert in alerts) == len(minutes)
    for alert in alerts:
        times = sorted(row["at"] for row in Sighting._get_collection().find({"alert": alert["_id"]}))
        assert (times[0], times[-1], len(times)) == (alert["first_at"], alert["last_at"], alert["count"])
        assert all(later - earlier <= timedelta(minutes=60) for earlier, later in pairwise(times))
    # What lies further apart than the window is never one.
    assert len(alerts) >= 3


def test_a_batch_counts_like_single_events(vendor: Vendor) -> None:
    events = [{"event_id": f"b{n}", "code": "E02", "happened_at": ago(50 - n)} for n in range(50)]
    answer = vendor.tell(*events).json["events"]
    assert [each["outcome"] for each in answer].count("raised") == 1
    assert vendor.only_alert()["count"] == 50
    again = vendor.tell(*events[10:20], {"event_id": "b50", "code": "E02", "happened_at": ago(1)}).json["events"]
    assert [each["outcome"] for each in again] == ["repeated"] * 10 + ["counted"]
    assert vendor.only_alert()["count"] == 51
    assert vendor.tell(*events, {"code": "E02"}).json["code"] == "too_many_events"


def test_eight_at_once_make_one_alert_with_the_exact_count(vendor: Vendor) -> None:
    barrier, outcomes = threading.Barrier(8), []

    def send(thread: int) -> None:
        barrier.wait()
        for number in range(6):
            outcomes.append(vendor.sees("E02", event_id=f"{thread}-{number}"))
            outcomes.append(vendor.sees("E02", event_id=f"shared-{number}"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("raised"), outcomes.count("repeated")) == (1, 7 * 6)
    assert vendor.only_alert()["count"] == 8 * 6 + 6 == Sighting.objects().count()
    assert len(told("alert.raised")) == 1


def test_what_is_seen_after_closing_is_new_and_what_was_seen_before_is_not(vendor: Vendor) -> None:
    vendor.sees("E02", minutes_ago=10)
    vendor.take(vendor.only_alert(), "close")
    assert vendor.sees("E02", minutes_ago=5) == "counted"
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert vendor.sees("E02", happened_at=later) == "raised"
    assert [(alert["state"], alert["count"]) for alert in vendor.alerts()] == [("closed", 2), ("raised", 1)]


def test_a_false_alarm_is_not_raised_again_within_its_window(vendor: Vendor) -> None:
    vendor.sees("E02", minutes_ago=10)
    vendor.take(vendor.only_alert(), "dismiss")
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert vendor.sees("E02", happened_at=later) == "counted"
    assert vendor.only_alert()["state"] == "dismissed"


def test_what_a_machine_is_not_sure_of_waits_for_a_person(vendor: Vendor) -> None:
    assert vendor.sees("E02", confidence=0.3) == "unconfirmed"
    assert vendor.sees("E02", confidence=40) == "counted"
    assert not told("alert.raised")
    alert = vendor.only_alert()
    assert (alert["state_title"], alert["due_at"], alert["count"]) == ("待确认", None, 2)
    assert vendor.sees("E02", confidence=0.9) == "raised"  # a sure one does not wait with them
    confirmed = vendor.take(alert, "confirm")
    assert confirmed["state"] == "raised" and same_time(confirmed["due_at"], confirmed["respond_by"])
    assert len(told("alert.raised")) == 2


def test_doubt_and_certainty_in_one_batch_are_one_alert(vendor: Vendor) -> None:
    events = [{"event_id": f"c{n}", "code": "E02", "confidence": share} for n, share in enumerate((0.2, 0.95))]
    assert [each["outcome"] for each in vendor.tell(*events).json["events"]] == ["raised", "counted"]


def test_pictures_that_come_late_attach_to_the_event(vendor: Vendor) -> None:
    event = {"event_id": "e1", "code": "E02", "happened_at": ago(2)}
    vendor.tell({**event, "pictures": [inline(1)]})
    late = {**event, "status": 5, "pictures": [inline(1), {"content": inline(2)}]}
    for _ in range(3):
        assert vendor.tell(late).json["events"][0]["outcome"] == "repeated"
    alert = vendor.only_alert()
    assert [each["sha256"] for each in alert["pictures"]] == [hashlib.sha256(photo(n)).hexdigest() for n in (1, 2)]
    assert alert["count"] == 1
    assert get(alert["pictures"][1]["sha256"], space=DISTRICT) == photo(2)
    seen = vendor.staff.call("GET", alert["pictures"][1]["address"])
    assert (seen.status_code, seen.data) == (200, photo(2))
    assert audit.history("alerts.alert", alert["id"])[0].action == "alerts.picture.reveal"


def test_a_picture_before_its_event_is_not_lost(vendor: Vendor) -> None:
    event = {"event_id": "e1", "happened_at": ago(2)}
    assert vendor.tell({**event, "status": 5, "pictures": [inline(1)]}).json["events"][0]["outcome"] == "waiting"
    assert vendor.tell({**event, "code": "E02", "status": 1}).json["events"][0]["outcome"] == "raised"
    assert vendor.only_alert()["count"] == 1
    assert Sighting.objects().get().pictures


def test_the_body_is_kept_as_it_came_under_its_hash_and_encrypted(vendor: Vendor) -> None:
    body = json.dumps({"events": [{"event_id": "e1", "code": "E02", "owner": "张三 13812345678"}]}).encode()
    assert vendor.post(body).status_code == 202
    kept = Sighting.objects().get()
    assert (kept.raw.encode(), kept.delivery) == (body, hashlib.sha256(body).hexdigest())
    stored = database()["alert_sightings"].find_one()
    assert stored is not None and b"13812345678" not in stored["raw"]


@pytest.mark.parametrize(
    ("event", "doubted"),
    [
        ({"happened_at": "1900-01-01T00:00:00.000+08:00"}, True),
        ({"happened_at": "2099-01-01T00:00:00+08:00"}, True),
        ({"happened_at": "yesterday"}, True),
        ({}, True),
        ({"happenTime": (datetime.now(UTC) - timedelta(minutes=9)).strftime("%Y-%m-%dT %H:%M:%S+00:00")}, False),
        ({"happendTime": int((datetime.now(UTC) - timedelta(minutes=9)).timestamp() * 1000)}, False),
    ],
)
def test_a_clock_that_cannot_be_right_is_replaced_and_told_of(vendor: Vendor, event: Any, doubted: bool) -> None:
    vendor.tell({"event_id": "e1", "code": "E02", **event})
    row = Sighting.objects().get()
    assert (bool(row.clock_doubted), row.at == row.received_at) == (doubted, doubted)


def test_a_forged_unsigned_unknown_disabled_or_keyless_sender_gets_one_answer(vendor: Vendor) -> None:
    body = json.dumps({"events": [{"event_id": "e", "code": "E02"}]}).encode()
    vendor.staff.add("devices", code="D2", name="二号", kind="camera", point="T1")
    answers = [
        vendor.post(body, X_Signature="ab" * 32),
        vendor.post(body, X_Signature="é"),
        vendor.post(body, X_Signature=""),
        vendor.post(body, X_Device="D404"),
        vendor.post(body, X_Device="D2"),
        vendor.post(body, X_Timestamp="1"),
        vendor.post(b"not json", X_Signature="ab" * 32),
    ]
    device = next(each for each in vendor.staff.get("/api/v1/devices")["items"] if each["code"] == "D1")
    vendor.staff.call("POST", f"/api/v1/devices/{device['id']}/disable", json={"reason": "已拆"}, etag=device["etag"])
    places.forget()  # known for some seconds
    answers.append(vendor.post(body))
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(401, "sender_not_recognised")}
    assert nothing_is_left()


@pytest.mark.parametrize("seconds", [-400, 400])
def test_an_old_request_cannot_be_sent_again(vendor: Vendor, seconds: int) -> None:
    answer = vendor.post(json.dumps({"events": [{"code": "E02"}]}).encode(), at=seconds)
    assert (answer.status_code, answer.json["code"]) == (401, "signature_too_old")
    assert nothing_is_left()


def test_a_body_without_events_is_refused(vendor: Vendor) -> None:
    for body, status in ((b"", 400), (b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"events": []}', 422), (b"7", 422)):
        assert vendor.post(body).status_code == status, body
    assert nothing_is_left()


def test_a_failure_in_the_middle_leaves_nothing_and_the_next_try_everything(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = {"event_id": "e1", "code": "E02", "happened_at": ago(1)}
    with monkeypatch.context() as broken:
        broken.setattr(raising, "mark_dirty", lambda *_: 1 / 0)
        assert vendor.tell(event).status_code == 500
    assert nothing_is_left() and not database()["alert_slots"].count_documents({})
    assert vendor.tell(event).json["events"][0]["outcome"] == "raised"


def test_a_point_of_another_district_is_not_believed(vendor: Vendor) -> None:
    vendor.sees("E02", point="T404")
    assert vendor.only_alert()["point"] == "T1"

"""Whom a message reaches, how often, and what becomes of a storm."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from backend import messages
from backend.events import StoredEvent
from backend.identity import Organisation, User
from backend.messages import Message, Recipients, send_message
from backend.messages.models import MessageRate
from backend.storage import atomically, database
from tests.district import DISTRICT, EAST, EAST_ONE, WEST, WEST_ONE, Caller
from tests.messages.conftest import VALUES, Post


def inbox(person: Caller, **asked: str) -> list[dict]:
    return person.get("/api/v1/messages", **asked)["items"]


def test_a_message_comes_with_its_fields_filled_in(post: Post) -> None:
    wang = post.district.sign_in("supervisor", EAST_ONE)
    post.send(wang, about=("alerts.alert", "7"), area=EAST_ONE)
    assert inbox(wang) == []
    post.work()
    [message] = inbox(wang)
    assert message["title"] == "新的预警" and message["text"] == "阳光花园 1 号投放点发生满溢，请处理。"
    # A slash in a value does not lead elsewhere.
    assert message["href"] == "/alerts/A%2F7"
    assert (message["subject"], message["subject_id"], message["area"]) == ("alerts.alert", "7", EAST_ONE)
    assert message["read_at"] is None and not message["urgent"] and message["summed"] == 0


def test_nothing_is_sent_when_the_change_is_not_made(post: Post) -> None:
    wang = post.district.sign_in()

    def change() -> None:
        send_message("test.raised", to=Recipients(accounts=(str(wang.user.id),)), values=VALUES)
        raise LookupError

    with pytest.raises(LookupError):
        atomically(change)
    post.work()
    assert inbox(wang) == []
    with pytest.raises(RuntimeError):
        send_message("test.raised", to=Recipients(accounts=("1",)), values=VALUES)


def test_wrong_calls_are_refused_at_once(post: Post) -> None:
    with pytest.raises(LookupError):
        post.send(Recipients(role="driver"), "test.other")
    with pytest.raises(ValueError, match="kind, number"):
        post.send(Recipients(role="driver"), values={"point": "1", "reporter": "2"})
    for wrong in ({}, {"accounts": ("1",), "role": "driver"}):
        with pytest.raises(ValueError):
            Recipients(**wrong)


def test_private_values_are_nowhere_in_the_store_in_the_clear(post: Post) -> None:
    wang = post.district.sign_in()
    post.send(wang, values={**VALUES, "point": "张三丰家门口"})
    post.work()
    assert "张三丰家门口" in inbox(wang)[0]["text"]
    for name in database().list_collection_names():
        assert "张三丰" not in str(list(database()[name].find())), name


def test_the_nearest_area_with_somebody_in_the_role_is_told(post: Post) -> None:
    in_district = post.district.sign_in("street_staff", DISTRICT)
    east = post.district.sign_in("street_staff", EAST)
    west = post.district.sign_in("street_staff", WEST)
    for area in (EAST_ONE, WEST, f"{DISTRICT}/339"):
        post.send(Recipients(role="street_staff", area=area))
    # A role that nobody holds there reaches nobody; one is not told for another's street.
    post.send(Recipients(role="enforcement_officer", area=EAST))
    post.work()
    assert [len(inbox(each)) for each in (in_district, east, west)] == [1, 1, 1]


def test_everybody_below_can_be_told_and_the_organisation_and_nobody_inactive(post: Post) -> None:
    company = Organisation(kind="property_company", name="物业", area=DISTRICT).save()
    east = post.district.sign_in("supervisor", EAST_ONE)
    west = post.district.sign_in("supervisor", WEST_ONE)
    bound = post.district.sign_in("property_staff", DISTRICT, organisation=company.id)
    gone = post.district.sign_in("supervisor", EAST_ONE)
    User.objects(id=gone.user.id).update(active=False)
    post.send(Recipients(role="supervisor", area=EAST, below=True), "test.quiet", values={})
    post.send(Recipients(role="supervisor", area=DISTRICT, below=True), "test.quiet", values={})
    post.send(Recipients(organisation=str(company.id)), "test.quiet", values={})
    # A role of a company counts for that company alone.
    post.send(Recipients(role="property_staff", area=DISTRICT), "test.quiet", values={})
    post.send(Recipients(role="property_staff", area=EAST, organisation=str(company.id)), "test.quiet", values={})
    post.work()
    assert [len(inbox(each)) for each in (east, west, bound)] == [2, 1, 2]
    assert Message.objects(to=gone.user.id).count() == 0


def test_one_message_for_a_person_and_dedupe_however_often_it_is_sent(post: Post) -> None:
    wang, zhang = post.district.sign_in(), post.district.sign_in()
    for people in ([wang], [wang, zhang], [zhang, wang]):
        post.send(Recipients(accounts=tuple(str(each.user.id) for each in people)), dedupe="alert 7")
    post.send(wang, "test.quiet", dedupe="alert 7", values={})
    post.work()
    assert [each["template"] for each in inbox(wang)] == ["test.quiet", "test.raised"]
    assert len(inbox(zhang)) == 1


def test_an_order_that_is_delivered_again_changes_nothing(post: Post) -> None:
    wang = post.district.sign_in()
    post.send(wang)
    post.work()
    before = list(Message._get_collection().find())
    waiting = {"deliveries.$[].state": "waiting", "deliveries.$[].attempts": 0, "open": True}
    database()["events"].update_many({"name": "message.ordered"}, {"$set": waiting})
    post.wake()
    post.work()
    assert list(Message._get_collection().find()) == before
    assert [each.title for each in post.sent] == ["新的预警"]


def test_two_workers_at_once_deliver_once_and_keep_the_rate(post: Post) -> None:
    wang = post.district.sign_in()
    numbers = range(24)
    for number in numbers:
        post.send(wang, dedupe=f"alert {number // 2}")
    from backend.events import outbox

    events = [str(each.id) for each in StoredEvent.objects(name="message.ordered")]
    threads = [
        threading.Thread(target=lambda part=part: [outbox.deliver(each, "messages.deliver", 0) for each in part])
        for part in (events[::2], events[1::2])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    post.wake()
    post.work()
    rows = list(Message._get_collection().find({"to": wang.user.id}))
    assert sum(row["summed"] == 0 for row in rows) == 10
    assert [row["summed"] for row in rows if row["summed"]] == [2]


def test_a_storm_makes_a_handful_of_messages(post: Post) -> None:
    wang, zhang = post.district.sign_in(), post.district.sign_in()
    storm = 60
    for number in range(storm):
        post.send(wang, dedupe=f"alert {number}", about=("alerts.alert", str(number)))
    post.send(zhang)
    post.send(wang, "test.quiet", values={})
    post.work()
    assert StoredEvent.objects(open=True, name="message.ordered").count() == 0
    rows = inbox(wang)
    assert [each["template"] for each in rows].count("test.raised") == 11
    [digest] = [each for each in rows if each["summed"]]
    assert digest["summed"] == storm - 10 and digest["text"].startswith(f"共 {storm - 10} 条。")
    assert (digest["href"], digest["subject"], digest["subject_id"]) == ("/alerts", "", "")
    # Another template and another person are not held back by it.
    assert rows[0]["template"] == "test.quiet" and len(inbox(zhang)) == 1


def test_a_digest_that_was_read_is_unread_when_it_grows_and_sent_once_when_it_has_settled(post: Post) -> None:
    wang = post.district.sign_in()
    for number in range(11):
        post.send(wang, dedupe=str(number))
    post.work()
    assert wang.call("POST", "/api/v1/messages/read-all", json={}).json == {"marked": 11}
    post.send(wang, dedupe="late")
    post.work()
    [digest] = inbox(wang, unread="true")
    assert digest["summed"] == 2
    post.sent.clear()
    settled = Message.objects(summed__gt=0).get().settles_at
    post.at(settled - timedelta(minutes=1))
    post.work()
    assert post.sent == []
    post.at(settled + timedelta(minutes=1))
    post.work()
    [sent] = post.sent
    assert sent.text.startswith("共 2 条。") and len(sent.text) == 18


def test_after_the_hour_messages_come_one_by_one_again(post: Post) -> None:
    wang = post.district.sign_in()
    for number in range(12):
        post.send(wang, dedupe=str(number))
    post.work()
    rate = MessageRate.objects.get()
    rate.update(set__since=rate.since - timedelta(minutes=61))
    post.send(wang, dedupe="later")
    post.work()
    assert inbox(wang)[0]["summed"] == 0 and MessageRate.objects.get().count == 1


def test_a_crowd_is_told_in_batches_each_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.messages.delivering.BATCH", 2)
    people = [post.district.sign_in("supervisor", EAST_ONE) for _ in range(5)]
    post.send(Recipients(role="supervisor", area=EAST, below=True))
    post.work()
    assert [len(inbox(each)) for each in people] == [1] * 5
    assert len(post.sent) == 5


def test_templates_of_this_process_alone_can_be_sent(post: Post) -> None:
    wang = post.district.sign_in()
    post.send(wang)
    kept = messages.templates()
    messages.install([], [])
    post.work()
    assert inbox(wang) == []
    messages.install(kept, [])
    post.wake()
    post.work()
    assert len(inbox(wang)) == 1

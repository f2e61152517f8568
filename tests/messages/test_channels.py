"""How messages leave by channels: when, to whom, with what, and what becomes of those that fail."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import messages, settings
from backend.events import StoredEvent
from backend.identity import User
from backend.messages import Channel, Outgoing
from backend.messages.file_channel import FILE, folder
from backend.messages.quiet import quiet_until
from backend.monitoring import faults, run_checks
from backend.storage import LOCAL_ZONE, database, utcnow
from tests.district import EAST
from tests.messages.conftest import FIRE, RAISED, Post

CHOICE = "/api/v1/me/message-choice"
NIGHT = datetime.fromisoformat("2026-11-30T23:30:00+08:00")


def with_night(post: Post) -> None:
    settings.configure(replace(post.district.settings, quiet_hours="22:00-07:00"))


def test_a_channel_gets_the_person_the_number_of_this_moment_and_a_text_that_fits(post: Post) -> None:
    wang = post.district.sign_in(phone="13812345678")
    post.send(wang)
    person = User.objects.get(id=wang.user.id)
    person.phone = "13900001111"
    person.save()
    post.work()
    [sent] = post.sent
    assert (sent.account, sent.name, sent.phone) == (str(wang.user.id), "测试", "13900001111")
    assert sent.text == "阳光花园 1 号投放点发生满溢，请…" and len(sent.text) == 18
    assert "13900001111" not in repr(sent) and sent.text not in repr(sent)


def test_a_template_names_its_channels_and_the_inbox_needs_none(post: Post) -> None:
    wang = post.district.sign_in(phone="13812345678")
    nameless = post.district.sign_in()
    messages.install([replace(FIRE, channels=("test.pager", "test.gone"))], messages.channels())
    post.send(wang, "test.fire")
    post.send(nameless, "test.fire")  # has no phone
    post.work()
    assert [each.id.partition("-")[2] for each in post.sent] == ["test.pager"]
    assert len(nameless.get("/api/v1/messages")["items"]) == 1
    assert StoredEvent.objects(open=True).count() == 0


def test_nothing_goes_out_at_night_but_what_is_urgent(post: Post) -> None:
    with_night(post)
    wang = post.district.sign_in()
    post.send(wang)
    post.send(wang, "test.fire")
    post.send(wang, urgent=True)
    post.at(NIGHT)
    for _ in range(3):
        post.work()
        post.wake()
    assert sorted(each.title for each in post.sent) == ["新的预警", "火情"]
    assert len(wang.get("/api/v1/messages")["items"]) == 3
    # Waiting for the morning is no failed attempt, and nothing that the health page warns of.
    [waiting] = [each for event in StoredEvent.objects(open=True) for each in event.deliveries]
    assert waiting.attempts <= 3 and waiting.state == "waiting"
    post.at(NIGHT + timedelta(hours=7, minutes=29))
    post.work()
    assert len(post.sent) == 2
    post.at(NIGHT + timedelta(hours=7, minutes=31))
    post.work()
    assert len(post.sent) == 3


def test_what_waits_for_the_morning_waits_exactly_till_then(post: Post) -> None:
    with_night(post)
    wang = post.district.sign_in()
    post.send(wang)
    post.monkeypatch.setattr("backend.messages.carrying.utcnow", lambda: NIGHT)
    post.work()
    [waiting] = [each for event in StoredEvent.objects(open=True) for each in event.deliveries]
    assert abs(waiting.due_at - utcnow() - timedelta(hours=7, minutes=30)) < timedelta(seconds=30)


def test_everybody_chooses_channels_and_quiet_hours(post: Post) -> None:
    with_night(post)
    wang = post.district.sign_in()
    choice = wang.get(CHOICE)
    assert [(each["name"], each["on"], each["lacks_phone"]) for each in choice["channels"]] == [
        ("test.lamp", True, False),
        ("test.pager", True, True),
    ]
    assert (choice["own_quiet_hours"], choice["quiet_hours"]) == ("", "22:00-07:00")
    never = wang.call("PATCH", CHOICE, json={"own_quiet_hours": "none"}, etag=choice["etag"])
    assert never.status_code == 200, never.text
    post.send(wang)
    post.at(NIGHT)
    post.work()
    assert len(post.sent) == 1
    off = wang.call("PATCH", CHOICE, json={"channels": {"test.lamp": False}}, etag=never.json["etag"])
    assert off.json["channels"][0]["on"] is False and off.json["own_quiet_hours"] == "none"
    post.send(wang)
    post.work()
    post.wake()
    post.work()
    assert len(post.sent) == 1 and len(wang.get("/api/v1/messages")["items"]) == 2


def test_a_choice_that_cannot_be_is_refused_and_no_change_is_lost(post: Post) -> None:
    wang = post.district.sign_in()
    etag = wang.get(CHOICE)["etag"]
    for wrong in ({"own_quiet_hours": "25:00-07:00"}, {"own_quiet_hours": "22:00"}, {"channels": {"fax": True}}):
        answer = wang.call("PATCH", CHOICE, json=wrong, etag=etag)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid")
        assert answer.json["fields"]
    assert wang.call("PATCH", CHOICE, json={"own_quiet_hours": "none"}).status_code == 428
    assert wang.call("PATCH", CHOICE, json={"own_quiet_hours": "none"}, etag=etag).status_code == 200
    late = wang.call("PATCH", CHOICE, json={"own_quiet_hours": ""}, etag=etag)
    assert (late.status_code, late.json["code"]) == (412, "stale_version")
    assert wang.get(CHOICE)["own_quiet_hours"] == "none"


def test_what_was_read_by_then_is_not_sent(post: Post) -> None:
    with_night(post)
    wang = post.district.sign_in()
    post.send(wang)
    post.at(NIGHT)
    post.work()
    [message] = wang.get("/api/v1/messages")["items"]
    assert wang.call("POST", f"/api/v1/messages/{message['id']}/read").status_code == 204
    post.at(NIGHT + timedelta(hours=10))
    post.work()
    assert post.sent == [] and StoredEvent.objects(open=True).count() == 0


def refuse(outgoing: Outgoing) -> None:
    raise ConnectionError(f"No way to {outgoing.phone} {outgoing.name}: {outgoing.text}")


def test_a_failed_delivery_is_tried_again_and_at_last_seen_by_administrators(post: Post) -> None:
    admin, east = post.district.sign_in("administrator", ""), post.district.sign_in("street_staff", EAST)
    wang = post.district.sign_in(phone="13812345678")
    post.fail = refuse
    faults.forget("messages")
    post.send(wang, area=EAST)
    for _ in range(settings.current().delivery_attempts):
        assert admin.get("/api/v1/failed-messages")["items"] == []
        post.work()
        post.wake()
    post.work()
    [failed] = admin.get("/api/v1/failed-messages")["items"]
    assert failed["attempts"] == settings.current().delivery_attempts
    assert (failed["title"], failed["to"], failed["channel_title"], failed["area"]) == (
        "新的预警",
        "测试",
        "警示灯",
        EAST,
    )
    assert "ConnectionError" in failed["error"]
    assert east.call("GET", "/api/v1/failed-messages").status_code == 403
    [check] = run_checks([messages.CHECK])
    assert check.state == "warn" and "1 条" in check.detail
    # Neither what is stored nor what is logged repeats what the channel said about the person.
    told = str(list(database()["events"].find())) + str(faults.listed())
    assert "13812345678" not in told and "满溢" not in told and "测试" not in told

    post.fail = None
    again = f"/api/v1/failed-messages/{failed['id']}/retry"
    assert admin.call("POST", again).status_code == 204
    post.work()
    assert len(post.sent) == 1 and admin.get("/api/v1/failed-messages")["items"] == []
    assert admin.call("POST", again).status_code == 404
    assert run_checks([messages.CHECK])[0].state == "ok"


def test_the_file_of_the_demo_holds_a_line_for_each_message_and_no_number(
    post: Post, capfd: pytest.CaptureFixture[str]
) -> None:
    wang = post.district.sign_in(phone="13812345678")
    messages.install([RAISED], [FILE])
    before = {path: path.read_text() for path in folder().glob("*.jsonl")} if folder().exists() else {}
    for number in range(3):
        post.send(wang, dedupe=str(number))
    post.work()
    [path] = folder().glob(f"{datetime.now(LOCAL_ZONE):%Y-%m-%d}.jsonl")
    lines = [json.loads(line) for line in path.read_text().removeprefix(before.get(path, "")).splitlines()]
    assert len({each["id"] for each in lines}) == 3
    assert {each["phone"] for each in lines} == {"138****5678"} and "满溢" in lines[0]["text"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    logged = capfd.readouterr()
    assert "13812345678" not in logged.out + logged.err and "满溢" not in logged.out + logged.err


def test_the_demo_alone_has_the_file() -> None:
    from backend.app import core_records
    from backend.settings import Settings

    assert [each.name for each in core_records(Settings(mode="demo")).channels] == ["file"]
    assert core_records(Settings()).channels == ()


CLOCK = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
MOMENTS = st.integers(0, 366 * 86400).map(lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))


@given(MOMENTS, CLOCK, CLOCK)
def test_quiet_hours_end_at_their_end_and_hold_as_long_as_they_say(now: datetime, begin: time, end: time) -> None:
    hours = f"{begin:%H:%M}-{end:%H:%M}"
    until = quiet_until(now, hours)
    length = (datetime.combine(now, end) - datetime.combine(now, begin)) % timedelta(days=1)
    if until is None:
        # The last beginning is further back than quiet hours are long.
        local = now.astimezone(LOCAL_ZONE)
        since = (local - datetime.combine(local, begin, LOCAL_ZONE)) % timedelta(days=1)
        assert since >= length
        return
    assert (until.hour, until.minute) == (end.hour, end.minute)
    assert timedelta(0) < until - now <= length
    assert quiet_until(until, hours) is None


def test_channels_of_plugins_have_names_of_their_own() -> None:
    from backend.plugins_host.kinds import KINDS, check_records
    from backend.plugins_host.refusal import Refusal

    kinds = {each.field: each for each in KINDS}
    lamp = Channel(name="noise.lamp", title="警示灯", send=print)
    assert check_records(kinds["channels"], "noise", [lamp]) == [lamp]
    with pytest.raises(Refusal):
        check_records(kinds["channels"], "sms", [lamp])
    with pytest.raises(Refusal):
        check_records(kinds["message_templates"], "noise", [lamp])

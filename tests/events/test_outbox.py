"""Events are stored with the change they tell of and reach every handler, whatever Redis does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis

from backend import events, jobs, storage
from backend.events import Event, EventHandler, Postponed, StoredEvent, deliver_due, publish
from backend.events.outbox import deliver
from backend.settings import Settings
from backend.storage import atomically, utcnow

pytestmark = pytest.mark.usefixtures("clean")

LATER = timedelta(hours=1)


@pytest.fixture
def seen() -> Iterator[list[Event]]:
    """Yield the events that the handler `shop.note` has got."""
    got: list[Event] = []
    events.install([EventHandler(name="shop.note", event="thing.made", handle=got.append)])
    yield got
    events.install([])


def fail_with(error: BaseException) -> Callable[[Event], None]:
    def handle(_event: Event) -> None:
        raise error

    return handle


def state_of(handler: str) -> str:
    stored = StoredEvent.objects.get()
    return next(each.state for each in stored.deliveries if each.handler == handler)


def test_an_event_reaches_its_handler_with_what_was_published(seen: list[Event]) -> None:
    event_id = atomically(lambda: publish("thing.made", {"code": "A1", "parts": [1, 2]}, area="330110/330110001"))
    jobs.run_worker(["default"], burst=True)
    assert [(each.id, each.name, each.area, each.payload) for each in seen] == [
        (str(event_id), "thing.made", "330110/330110001", {"code": "A1", "parts": [1, 2]})
    ]
    stored = StoredEvent.objects.get()
    assert (stored.open, state_of("shop.note")) == (False, "done")
    assert stored.done_at is not None


def test_publishing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside atomically"):
        publish("thing.made", {})


def test_a_payload_that_is_not_json_is_refused(seen: list[Event]) -> None:
    with pytest.raises(TypeError):
        atomically(lambda: publish("thing.made", {"at": utcnow()}))  # type: ignore[dict-item]
    assert StoredEvent.objects.count() == 0


def test_nothing_is_stored_when_nobody_listens_or_the_change_fails(seen: list[Event]) -> None:
    atomically(lambda: publish("thing.ignored", {}))

    def fails() -> None:
        publish("thing.made", {})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        atomically(fails)
    assert StoredEvent.objects.count() == 0
    assert jobs.queued_ids("default") == set()


def test_what_is_made_up_of_the_past_is_no_news(seen: list[Event]) -> None:
    with events.untold():
        atomically(lambda: publish("thing.made", {"number": 1}))
    atomically(lambda: publish("thing.made", {"number": 2}))
    jobs.run_worker(["default"], burst=True)
    assert [event.payload["number"] for event in seen] == [2]


def test_two_handlers_of_one_name_are_refused(seen: list[Event]) -> None:
    with pytest.raises(ValueError, match=r"shop\.note"):
        events.subscribe(EventHandler(name="shop.note", event="other", handle=print))


def test_the_sweep_delivers_again_after_redis_was_emptied(clean: Settings, seen: list[Event]) -> None:
    for number in range(5):
        atomically(lambda number=number: publish("thing.made", {"number": number}))
    redis.Redis.from_url(clean.redis_url).flushall()
    jobs.run_worker(["default"], burst=True)
    assert seen == []
    assert deliver_due() == 5
    assert deliver_due() == 0, "what waits on the queue is not put there twice"
    jobs.run_worker(["default"], burst=True)
    assert sorted(each.payload["number"] for each in seen) == [0, 1, 2, 3, 4]
    assert deliver_due() == 0


def test_a_commit_succeeds_without_redis(clean: Settings, seen: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.queues, "connection", lambda: redis.Redis(port=1))
    atomically(lambda: publish("thing.made", {}))
    monkeypatch.undo()
    assert deliver_due() == 1


def test_the_same_order_twice_is_handled_once(seen: list[Event]) -> None:
    event_id = str(atomically(lambda: publish("thing.made", {})))
    deliver(event_id, "shop.note", 0)
    deliver(event_id, "shop.note", 0)
    deliver(event_id, "shop.note", 1)
    assert len(seen) == 1


def test_a_failing_handler_is_tried_again_then_set_aside_and_can_be_given_again(clean: Settings) -> None:
    got: list[Event] = []
    events.install(
        [
            EventHandler(name="bad.one", event="thing.made", handle=fail_with(ValueError("broken"))),
            EventHandler(name="good.one", event="thing.made", handle=got.append),
        ]
    )
    event_id = str(atomically(lambda: publish("thing.made", {})))
    jobs.run_worker(["default"], burst=True)
    assert (state_of("bad.one"), state_of("good.one")) == ("waiting", "done")
    assert deliver_due() == 0, "the next attempt waits"
    for attempt in range(1, clean.delivery_attempts):
        assert deliver_due(utcnow() + LATER) == 1
        make_due(event_id)
        deliver(event_id, "bad.one", attempt)
    assert state_of("bad.one") == "dead"
    [dead] = events.dead_deliveries()
    assert (dead.event_id, dead.handler, dead.attempts) == (event_id, "bad.one", clean.delivery_attempts)
    assert dead.error == "ValueError: broken"
    fault = storage.database()["plugin_faults"].find_one({"plugin": "bad"})
    assert fault is not None
    assert fault["count"] == clean.delivery_attempts
    assert StoredEvent.objects.get().done_at is None, "what failed is kept until it is dealt with"

    events.install([EventHandler(name="bad.one", event="thing.made", handle=got.append)])
    assert events.redeliver(event_id, "bad.one") is True
    assert events.redeliver(event_id, "bad.one") is False
    redis.Redis.from_url(clean.redis_url).flushall()
    assert deliver_due() == 1
    jobs.run_worker(["default"], burst=True)
    assert len(got) == 2
    assert StoredEvent.objects.get().open is False


def test_what_a_dead_worker_holds_is_given_again_and_its_late_word_does_not_count(clean: Settings) -> None:
    calls: list[str] = []

    def slow(event: Event) -> None:
        calls.append("first" if not calls else "second")
        if len(calls) == 1:
            # While this worker is taken for lost, another does the work.
            make_due(event.id)
            assert deliver_due() == 1
            deliver(event.id, "shop.slow", 1)
            raise ValueError("late")

    events.install([EventHandler(name="shop.slow", event="thing.made", handle=slow)])
    event_id = str(atomically(lambda: publish("thing.made", {})))
    deliver(event_id, "shop.slow", 0)
    assert calls == ["first", "second"]
    assert state_of("shop.slow") == "done"


def test_a_running_delivery_is_left_alone_until_its_lease_ends(clean: Settings) -> None:
    def check(_event: Event) -> None:
        assert deliver_due(utcnow() + timedelta(seconds=clean.delivery_lease_seconds - 5)) == 0
        assert deliver_due(utcnow() + timedelta(seconds=610)) == 0
        assert deliver_due(utcnow() + timedelta(seconds=700)) == 1

    events.install([EventHandler(name="shop.long", event="thing.made", handle=check, timeout_seconds=610)])
    event_id = str(atomically(lambda: publish("thing.made", {})))
    redis.Redis.from_url(clean.redis_url).flushall()
    deliver(event_id, "shop.long", 0)
    assert state_of("shop.long") == "done"


def test_a_handler_that_kills_its_worker_each_time_is_set_aside(clean: Settings) -> None:
    events.install([EventHandler(name="bad.killer", event="thing.made", handle=fail_with(SystemExit()))])
    event_id = str(atomically(lambda: publish("thing.made", {})))
    for attempt in range(clean.delivery_attempts):
        make_due(event_id)
        with pytest.raises(SystemExit):
            deliver(event_id, "bad.killer", attempt)
    assert deliver_due(utcnow() + LATER) == 0
    assert state_of("bad.killer") == "dead"


def test_a_handler_is_stopped_at_its_time_limit(clean: Settings) -> None:
    def endless(_event: Event) -> None:
        while True:
            pass

    events.install([EventHandler(name="bad.endless", event="thing.made", handle=endless, timeout_seconds=1)])
    atomically(lambda: publish("thing.made", {}))
    jobs.run_worker(["default"], burst=True)
    [delivery] = StoredEvent.objects.get().deliveries
    assert delivery.state == "waiting"
    assert "JobTimeoutException" in delivery.error


def test_a_postponed_delivery_waits_as_often_as_it_takes_without_counting_as_failed(clean: Settings) -> None:
    answers = [Postponed("no model yet", seconds=60)] * (clean.delivery_attempts + 2)

    def handle(_event: Event) -> None:
        if answers:
            raise answers.pop()

    events.install([EventHandler(name="eye.look", event="thing.made", handle=handle)])
    event_id = str(atomically(lambda: publish("thing.made", {})))
    while answers:
        deliver(event_id, "eye.look", 0)
        [delivery] = StoredEvent.objects.get().deliveries
        assert (delivery.state, delivery.attempts, delivery.error) == ("waiting", 0, "no model yet")
        assert 55 < (delivery.due_at - utcnow()).total_seconds() <= 60
        make_due(event_id)
    deliver(event_id, "eye.look", 0)
    assert state_of("eye.look") == "done"
    assert storage.database()["plugin_faults"].count_documents({}) == 0


def test_handlers_of_a_module_that_is_off_in_the_area_are_skipped(clean: Settings) -> None:
    got: list[Event] = []
    events.install(
        [EventHandler(name="shop.note", event="thing.made", handle=got.append)],
        is_enabled=lambda handler, event: (handler.plugin, event.area) != ("shop", "330110/off"),
    )
    off = atomically(lambda: publish("thing.made", {}, area="330110/off"))
    on = atomically(lambda: publish("thing.made", {}, area="330110/on"))
    jobs.run_worker(["default"], burst=True)
    assert [each.id for each in got] == [str(on)]
    assert StoredEvent.objects.get(id=off).deliveries[0].state == "skipped"
    assert StoredEvent.objects(open=True).count() == 0


def test_a_delivery_goes_to_the_queue_of_its_handler(clean: Settings) -> None:
    events.install([EventHandler(name="eye.look", event="thing.made", handle=lambda _: None, queue="vision")])
    atomically(lambda: publish("thing.made", {}))
    assert len(jobs.queued_ids("vision")) == 1
    jobs.run_worker(["default"], burst=True)
    assert state_of("eye.look") == "waiting"
    with pytest.raises(ValueError, match="no queue nowhere"):
        EventHandler(name="x.y", event="z", handle=print, queue="nowhere")


def test_an_event_left_open_by_a_crash_is_closed_by_the_sweep(seen: list[Event]) -> None:
    event_id = atomically(lambda: publish("thing.made", {}))
    storage.database()["events"].update_one({"_id": event_id}, {"$set": {"deliveries.0.state": "done"}})
    deliver_due()
    assert StoredEvent.objects.get().done_at is not None


def make_due(event_id: str) -> None:
    """Let the wait of the event's deliveries, or the leases of those running, be over."""
    stored = StoredEvent.objects.get(id=event_id)
    for number, each in enumerate(stored.deliveries):
        if each.state in ("waiting", "running"):
            StoredEvent.objects(id=event_id).update_one(
                __raw__={"$set": {f"deliveries.{number}.due_at": utcnow() - timedelta(seconds=1)}}
            )

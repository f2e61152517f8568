"""The outbox: an event is stored in the transaction of the change it tells of, and delivered from there.

Redis only speeds delivery up. What a worker, Redis or the store lose on the way is found by the sweep `deliver_due`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.collection import Collection

from backend import settings, storage
from backend.events.records import JSON, Event, EventHandler, Postponed
from backend.jobs import QUEUES, Job, backoff_seconds, process_name, put, queued_ids, work_id
from backend.monitoring import faults, metrics

UNFINISHED = ["waiting", "running"]
# A handler is stopped at its time limit; a worker that has not said so this much later counts as lost.
GRACE_SECONDS = 10
# The oldest deliveries of each queue that one sweep looks at; the rest have work enough before them.
SWEEP_LIMIT = 1000
DEAD_IN_THE_MIDDLE = "The worker died or hung in the middle of the handler."


@dataclass(frozen=True)
class DeadDelivery:
    """A delivery that failed for good, to be given again with `redeliver(event_id, handler)`."""

    event_id: str
    event: str
    handler: str
    attempts: int
    error: str
    ended_at: datetime
    area: str
    payload: Mapping[str, Any]


_handlers: dict[str, EventHandler] = {}
_enabled: list[Callable[[EventHandler, Event], bool]] = []
_untold: ContextVar[bool] = ContextVar("untold", default=False)


def install(
    handlers: Iterable[EventHandler], *, is_enabled: Callable[[EventHandler, Event], bool] | None = None
) -> None:
    """Make `handlers` those of this process; `is_enabled` says whether a handler's module is on in the event's area.

    Raises ValueError when two have one name.
    """
    _handlers.clear()
    _enabled[:] = [is_enabled] if is_enabled else []
    for handler in handlers:
        subscribe(handler)


def subscribe(handler: EventHandler) -> None:
    """Add one handler; raises ValueError when another has its name."""
    if _handlers.setdefault(handler.name, handler) is not handler:
        raise ValueError(f"Two event handlers are called {handler.name}.")


@contextmanager
def untold() -> Iterator[None]:
    """Store no event meanwhile: for a past that is made up, and is no news to anybody."""
    before = _untold.set(True)
    try:
        yield
    finally:
        _untold.reset(before)


def publish(name: str, payload: Mapping[str, JSON], *, area: str = "") -> ObjectId:
    """Tell that something happened, once the current transaction is committed; returns the event's id.

    Nothing is stored when nobody listens. Raises RuntimeError outside `atomically`, for an event that is not stored
    together with its change could be lost or untrue; TypeError when the payload is not JSON.
    """
    if not storage.in_transaction():
        raise RuntimeError(f"publish({name!r}) must be called inside atomically(), together with the change itself.")
    json.dumps(payload)
    event_id, now = ObjectId(), storage.utcnow()
    listeners = [] if _untold.get() else [handler for handler in _handlers.values() if handler.event == name]
    if listeners:
        deliveries = [
            {"handler": each.name, "queue": each.queue, "state": "waiting", "attempts": 0, "due_at": now}
            for each in listeners
        ]
        storage.insert_later(
            "events",
            {
                "_id": event_id,
                "name": name,
                "area": area,
                "occurred_at": now,
                "payload": dict(payload),
                "open": True,
                "deliveries": deliveries,
            },
        )
        storage.after_commit(lambda: [_put(event_id, delivery) for delivery in deliveries])
    return event_id


def deliver(event_id: str, handler_name: str, attempt: int) -> None:
    """Hand an event to one handler: what a worker calls. Does nothing when another worker has taken the attempt."""
    worker = process_name()
    found = _claim(ObjectId(event_id), handler_name, attempt, worker)
    if found is None:
        return
    event = Event(
        id=event_id,
        name=found["name"],
        area=found["area"],
        occurred_at=found["occurred_at"],
        payload=found["payload"],
    )
    try:
        outcome = _handle(event, handler_name)
    except Postponed as later:
        # It does not count as an attempt: what is missing may stay missing for days.
        again = storage.utcnow() + timedelta(seconds=later.seconds)
        waits = {"state": "waiting", "attempts": attempt, "error": str(later)[:1000], "due_at": again}
        _set(event_id, handler_name, worker, waits)
        return
    except Exception as error:
        faults.record(handler_name.partition(".")[0], f"event handler {handler_name}", error)
        _set(event_id, handler_name, worker, _failed(attempt + 1, f"{type(error).__name__}: {error}"))
        return
    _set(event_id, handler_name, worker, {"state": outcome, "ended_at": storage.utcnow(), "due_at": None})
    _close({"_id": ObjectId(event_id)})


def deliver_due(now: datetime | None = None) -> int:
    """Put every delivery that is due on its queue, unless it waits there; returns how many. Raises RedisError.

    This is the guarantee behind `publish`: it finds what was lost with a process or with Redis, what is to be tried
    again, and what a dead worker holds.
    """
    now = now or storage.utcnow()
    _close({"open": True})
    count = 0
    for queue in QUEUES:
        due = list(_due_on(queue, now))
        queued = queued_ids(queue) if due else set()
        for event_id, delivery in due:
            if delivery["attempts"] >= settings.current().delivery_attempts:
                # It never came so far as to fail: it kills its worker, and must not go on killing others.
                dead = {"state": "dead", "error": DEAD_IN_THE_MIDDLE, "ended_at": now, "due_at": None}
                _set(str(event_id), delivery["handler"], delivery["worker"], dead, state=delivery["state"])
            else:
                count += _put(event_id, delivery, queued)
    return count


def dead_deliveries(limit: int = 200, *, where: Mapping[str, Any] | None = None) -> list[DeadDelivery]:
    """Return the deliveries that failed for good, the latest first; `where` is a filter of events."""
    dead = {"open": True, "deliveries.state": "dead"}
    events = _events().find({"$and": [dead, where]} if where else dead).sort("_id", -1).limit(limit)
    return [
        DeadDelivery(
            event_id=str(event["_id"]),
            event=event["name"],
            handler=each["handler"],
            attempts=each["attempts"],
            error=each["error"],
            ended_at=each["ended_at"],
            area=event["area"],
            payload=event["payload"],
        )
        for event in events
        for each in event["deliveries"]
        if each["state"] == "dead"
    ]


def redeliver(event_id: str, handler_name: str) -> bool:
    """Give a dead delivery new attempts; says whether there was one."""
    dead = {"handler": handler_name, "state": "dead"}
    fresh = {"state": "waiting", "attempts": 0, "due_at": storage.utcnow()}
    changed = _events().update_one(
        {"_id": ObjectId(event_id), "deliveries": {"$elemMatch": dead}},
        {"$set": {f"deliveries.$[mine].{key}": value for key, value in fresh.items()}},
        array_filters=[{"mine.handler": handler_name}],
    )
    return changed.modified_count == 1


def background_jobs() -> tuple[Job, ...]:
    """Return the sweep, as a job for the scheduler."""
    sweep = Job(
        name="events.deliver_due",
        title="事件投递检查",
        run=deliver_due,
        every_seconds=settings.current().outbox_seconds,
        timeout_seconds=20,
    )
    return (sweep,)


def _events() -> Collection[dict[str, Any]]:
    return storage.database()["events"]


def _put(event_id: ObjectId, delivery: Mapping[str, Any], queued: Iterable[str] = ()) -> bool:
    handler = _handlers.get(delivery["handler"])
    return put(
        delivery["queue"],
        "backend.events.outbox.deliver",
        str(event_id),
        delivery["handler"],
        delivery["attempts"],
        timeout_seconds=handler.timeout_seconds if handler else 60,
        # With the number of the attempt, an order left over from an earlier attempt has no effect.
        id=work_id("event", str(event_id), delivery["handler"], delivery["attempts"]),
        queued=frozenset(queued),
    )


def _claim(event_id: ObjectId, handler_name: str, attempt: int, worker: str) -> dict[str, Any] | None:
    now = storage.utcnow()
    handler = _handlers.get(handler_name)
    longest = (handler.timeout_seconds if handler else 0) + GRACE_SECONDS
    lease = timedelta(seconds=max(settings.current().delivery_lease_seconds, longest))
    free = {"handler": handler_name, "attempts": attempt, "state": {"$in": UNFINISHED}, "due_at": {"$lte": now}}
    taken = {"state": "running", "attempts": attempt + 1, "worker": worker, "due_at": now + lease}
    return _events().find_one_and_update(
        {"_id": event_id, "deliveries": {"$elemMatch": free}},
        {"$set": {f"deliveries.$[mine].{key}": value for key, value in taken.items()}},
        array_filters=[{"mine.handler": handler_name}],
        return_document=ReturnDocument.AFTER,
    )


def _handle(event: Event, handler_name: str) -> str:
    handler = _handlers.get(handler_name)
    if handler is None:
        raise LookupError(f"The event handler {handler_name} is not installed here.")
    if any(not is_enabled(handler, event) for is_enabled in _enabled):
        return "skipped"
    with metrics.timing_delivery(handler.name):
        handler.handle(event)
    return "done"


def _failed(attempts: int, error: str) -> dict[str, Any]:
    now = storage.utcnow()
    if attempts >= settings.current().delivery_attempts:
        return {"state": "dead", "error": error[:1000], "ended_at": now, "due_at": None}
    again = now + timedelta(seconds=backoff_seconds(attempts))
    return {"state": "waiting", "error": error[:1000], "due_at": again}


def _set(event_id: str, handler_name: str, worker: str, values: Mapping[str, Any], state: str = "running") -> None:
    # A worker that was taken for lost must not speak for the one that came after it.
    mine = {"handler": handler_name, "worker": worker, "state": state}
    _events().update_one(
        {"_id": ObjectId(event_id), "deliveries": {"$elemMatch": mine}},
        {"$set": {f"deliveries.$[mine].{key}": value for key, value in values.items()}},
        array_filters=[{"mine.handler": handler_name}],
    )


def _close(events: Mapping[str, Any]) -> None:
    # Dead deliveries keep their event open, and with it in the store, until they are given again.
    finished = {**events, "open": True, "deliveries.state": {"$nin": [*UNFINISHED, "dead"]}}
    _events().update_many(finished, {"$set": {"open": False, "done_at": storage.utcnow()}})


def _due_on(queue: str, now: datetime) -> Iterator[tuple[ObjectId, dict[str, Any]]]:
    wanted = {"queue": queue, "state": {"$in": UNFINISHED}, "due_at": {"$lte": now}}
    events = _events().find({"open": True, "deliveries": {"$elemMatch": wanted}}, {"deliveries": 1})
    for event in events.sort("_id", 1).limit(SWEEP_LIMIT):
        for each in event["deliveries"]:
            if each["queue"] == queue and each["state"] in UNFINISHED and each["due_at"] <= now:
                yield event["_id"], each

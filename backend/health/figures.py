"""Figures of the work that waits: queues, the outbox, what failed for good."""

from __future__ import annotations

from dataclasses import dataclass

from redis.exceptions import RedisError
from rq import Queue, Worker

from backend import storage
from backend.events import StoredEvent, dead_deliveries
from backend.jobs import QUEUES, connection, dead_jobs
from backend.monitoring.faults import STORE_ERRORS
from backend.monitoring.metrics import Level

#: More than this many are not counted one by one.
MOST = 1000


@dataclass(frozen=True)
class QueueFigures:
    """One queue: orders that wait in Redis, and the workers that take them."""

    name: str
    waiting: int
    workers: int


def queues() -> list[QueueFigures]:
    """Return the figures of every queue; raises RedisError."""
    link = connection()
    workers = [worker.queue_names() for worker in Worker.all(connection=link)]
    return [
        QueueFigures(name, Queue(name, connection=link).count, sum(name in served for served in workers))
        for name in QUEUES
    ]


def outbox_age_seconds() -> float:
    """Return for how long a delivery has been due that nobody took; 0 when there is none.

    One that waits for its time, as messages do in quiet hours, is not due.
    """
    now = storage.utcnow()
    due = {"deliveries.state": {"$in": ["waiting", "running"]}, "deliveries.due_at": {"$lte": now}}
    steps = [
        {"$match": {"open": True, "deliveries.due_at": {"$lte": now}}},
        {"$unwind": "$deliveries"},
        {"$match": due},
        {"$group": {"_id": None, "since": {"$min": "$deliveries.due_at"}}},
    ]
    rows = list(StoredEvent._get_collection().aggregate(steps))
    return (now - rows[0]["since"]).total_seconds() if rows else 0.0


def levels() -> list[Level]:
    """Return the figures for Prometheus; what cannot be asked now is left out."""
    found = []
    try:
        counted = queues()
        waiting = {each.name: float(each.waiting) for each in counted}
        serving = {each.name: float(each.workers) for each in counted}
        found.append(Level("qingxu_queue_waiting", "Orders waiting on a queue", "queue", waiting))
        found.append(Level("qingxu_queue_workers", "Workers that serve a queue", "queue", serving))
    except RedisError:
        pass
    try:
        found.append(
            Level("qingxu_outbox_age_seconds", "Wait of the oldest event", "outbox", {"events": outbox_age_seconds()})
        )
        dead = {"deliveries": float(len(dead_deliveries(MOST))), "jobs": float(len(dead_jobs(MOST)))}
        found.append(Level("qingxu_dead", "Work set aside after its last attempt", "kind", dead))
    except STORE_ERRORS:
        pass
    return found

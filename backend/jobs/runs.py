"""Runs of jobs: stored in MongoDB, carried out by the workers, taken up again when a process died.

A direct run has a record of its own; a scheduled job has one record, whose `slot` is the latest time it was due.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from mongoengine import DateTimeField, DictField, Document, IntField, StringField

from backend import storage
from backend.jobs.queues import backoff_seconds, put, queued_ids, work_id
from backend.jobs.records import Job
from backend.monitoring import faults, get_logger, metrics

log = get_logger(__name__)

#: Attempts before a run is set aside as dead.
ATTEMPTS = 5
# A job is stopped at its time limit; a worker that has not said so this much later counts as lost.
GRACE_SECONDS = 10
DEAD_IN_THE_MIDDLE = "The worker died or hung in the middle of the job."


class JobRun(Document):
    """One run. `due_at` is from when it may be taken: for a running one, when its worker counts as lost."""

    meta = {
        "collection": "job_runs",
        "auto_create_index": False,
        "indexes": [
            ("state", "due_at"),
            {"fields": ["ended_at"], "expireAfterSeconds": 7 * 86400, "partialFilterExpression": {"state": "done"}},
        ],
    }

    id = StringField(primary_key=True)
    job = StringField(required=True)
    arguments = DictField()
    slot = DateTimeField()
    state = StringField(required=True, choices=("waiting", "running", "done", "dead"))
    attempts = IntField(required=True, default=0)
    due_at = DateTimeField()
    worker = StringField()
    started_at = DateTimeField()
    ended_at = DateTimeField()
    error = StringField()


@dataclass(frozen=True)
class DeadJob:
    """A run that failed for good; `id` is what `retry_dead` takes."""

    id: str
    job: str
    error: str
    attempts: int
    ended_at: datetime


_installed: dict[str, Job] = {}


def install(jobs: Iterable[Job]) -> None:
    """Make `jobs` those of this process; raises ValueError when two have one name."""
    found: dict[str, Job] = {}
    for job in jobs:
        if job.name in found:
            raise ValueError(f"Two jobs are called {job.name}.")
        found[job.name] = job
    _installed.clear()
    _installed.update(found)


def enqueue(name: str, **arguments: Any) -> str:
    """Run the job `name` soon, once the current transaction is committed; returns the run's id.

    `arguments` are plain JSON values for the job's function. Raises LookupError for an unknown job.
    """
    run = JobRun(id=str(ObjectId()), job=_job(name).name, arguments=arguments, state="waiting", due_at=storage.utcnow())
    run.save(force_insert=True)
    storage.after_commit(lambda: _put(run))
    return str(run.id)


def carry_out(run_id: str, attempt: int) -> None:
    """Do one attempt of a run: what a worker calls. Does nothing when the run is not due or was taken already."""
    run = _claim(run_id, attempt)
    if run is None:
        return
    try:
        job = _job(run.job)
        with metrics.timing_job(job.name):
            job.run(**run.arguments)
    except Exception as error:
        faults.record(run.job.partition(".")[0], f"job {run.job}", error)
        _end_failed(run, f"{type(error).__name__}: {error}")
    else:
        _of(run).update_one(set__state="done", set__ended_at=storage.utcnow(), unset__due_at=True, unset__error=True)


def put_due(now: datetime | None = None) -> int:
    """Put every run that is due on its queue, unless it waits there; returns how many. Raises RedisError."""
    now = now or storage.utcnow()
    due = JobRun.objects(state__in=("waiting", "running"), due_at__lte=now).order_by("due_at").limit(1000)
    waiting: dict[str, set[str]] = {}
    count = 0
    for run in due:
        job = _installed.get(run.job)
        if job is None:
            continue
        if run.attempts >= ATTEMPTS:
            _of(run).update_one(set__state="dead", set__ended_at=now, unset__due_at=True, set__error=DEAD_IN_THE_MIDDLE)
            continue
        if job.queue not in waiting:
            waiting[job.queue] = queued_ids(job.queue)
        count += _put(run, waiting[job.queue])
    return count


def dead_jobs(limit: int = 200) -> list[DeadJob]:
    """Return the runs that failed for good, the latest first."""
    runs = JobRun.objects(state="dead").order_by("-ended_at").limit(limit)
    return [DeadJob(run.id, run.job, run.error, run.attempts, run.ended_at) for run in runs]


def retry_dead(run_id: str) -> bool:
    """Give a dead run new attempts; says whether there was one."""
    run = JobRun.objects(id=run_id, state="dead").modify(
        set__state="waiting", set__attempts=0, set__due_at=storage.utcnow(), unset__ended_at=True, new=True
    )
    if run is not None:
        _put(run)
    return run is not None


def process_name() -> str:
    """Return a name for this piece of work: machine, process and a random part, so that no two share it."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


def _job(name: str) -> Job:
    if name not in _installed:
        raise LookupError(f"There is no job called {name}.")
    return _installed[name]


def _put(run: JobRun, queued: set[str] | frozenset[str] = frozenset()) -> bool:
    job = _job(run.job)
    # The number of the attempt is part of the id, so an order left over from an earlier attempt has no effect.
    return put(
        job.queue,
        "backend.jobs.runs.carry_out",
        str(run.id),
        run.attempts,
        timeout_seconds=job.timeout_seconds,
        id=work_id("job", run.id, int(run.slot.timestamp()) if run.slot else "once", run.attempts),
        queued=queued,
    )


def _claim(run_id: str, attempt: int) -> JobRun | None:
    now = storage.utcnow()
    stored = JobRun.objects(id=run_id).only("job").first()
    job = _installed.get(stored.job) if stored else None
    lease = timedelta(seconds=(job.timeout_seconds if job else 60) + GRACE_SECONDS)
    return JobRun.objects(id=run_id, attempts=attempt, state__in=("waiting", "running"), due_at__lte=now).modify(
        set__state="running",
        set__worker=process_name(),
        set__started_at=now,
        set__due_at=now + lease,
        inc__attempts=1,
        new=True,
    )


def _end_failed(run: JobRun, error: str) -> None:
    now = storage.utcnow()
    changes: dict[str, Any] = {"set__error": error[:1000], "set__ended_at": now}
    if run.attempts >= ATTEMPTS:
        changes |= {"set__state": "dead", "unset__due_at": True}
    else:
        due_at = now + timedelta(seconds=backoff_seconds(run.attempts))
        changes |= {"set__state": "waiting", "set__due_at": due_at}
    _of(run).update_one(**changes)


def _of(run: JobRun) -> Any:
    # A worker that was taken for lost must not speak for the one that came after it.
    return JobRun.objects(id=run.id, state=run.state, attempts=run.attempts, worker=run.worker)

"""The scheduler: sees to it that each job runs once for each time it is due.

RQ's own cron keeps its times in the memory of one process: it forgets runs that were missed, doubles them when two
schedulers run, reads cron lines in the machine's time zone and writes pickles. Here the times lie in the store, so
any number of schedulers may run, and neither their death nor an empty Redis loses or doubles a run.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from types import FrameType

from croniter import croniter
from mongoengine.errors import NotUniqueError
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from backend import storage
from backend.jobs.records import Job
from backend.jobs.runs import JobRun, install, put_due
from backend.monitoring import get_logger
from backend.storage import LOCAL_ZONE

log = get_logger(__name__)

EPOCH = datetime.fromtimestamp(0, UTC)
TICK_SECONDS = 1.0


def run_scheduler(jobs: Iterable[Job], stop: threading.Event | None = None) -> None:
    """Schedule `jobs` until SIGTERM, SIGINT or `stop`; goes on by itself when Redis or the store come back."""
    jobs = list(jobs)
    install(jobs)
    stop = stop or threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
    while not stop.is_set():
        try:
            tick(jobs, storage.utcnow())
        except (RedisError, PyMongoError) as error:
            log.warning("scheduler_waits", error=str(error)[:200])
        stop.wait(TICK_SECONDS)


def tick(jobs: Iterable[Job], now: datetime) -> None:
    """Open the runs that are due at `now` and put all due work on the queues."""
    scheduled = [job for job in jobs if job.every_seconds or job.cron]
    slots = {job.name: latest_slot(job, now) for job in scheduled}
    stored = {run.id: run for run in JobRun.objects(id__in=list(slots)).only("slot", "state")}
    for job in scheduled:
        run = stored.get(job.name)
        if run is None:
            _introduce(job, slots[job.name])
        elif run.slot >= slots[job.name] or run.state in ("waiting", "running"):
            continue
        # A run that still goes on is never overtaken: the next one begins after it.
        JobRun.objects(id=job.name, slot__lt=slots[job.name], state__in=("done", "dead")).update_one(
            set__slot=slots[job.name], set__state="waiting", set__attempts=0, set__due_at=now
        )
    put_due(now)


def latest_slot(job: Job, now: datetime) -> datetime:
    """Return the latest time, up to `now`, at which a scheduled job was due."""
    if job.every_seconds:
        return datetime.fromtimestamp(now.timestamp() // job.every_seconds * job.every_seconds, UTC)
    # croniter counts in local wall time without a zone, which Shanghai, without summer time, allows.
    local = now.astimezone(LOCAL_ZONE).replace(tzinfo=None)
    if croniter.match(job.cron, local):
        latest = local.replace(second=0, microsecond=0)
    else:
        latest = croniter(job.cron, local).get_prev(datetime)
    return latest.replace(tzinfo=LOCAL_ZONE).astimezone(UTC)


def _introduce(job: Job, slot: datetime) -> None:
    # A job seen for the first time: one with an interval is due at once, one with a fixed time waits for that time.
    first = EPOCH if job.every_seconds else slot
    try:
        JobRun(id=job.name, job=job.name, slot=first, state="done").save(force_insert=True)
    except NotUniqueError:
        log.debug("job_introduced_elsewhere", job=job.name)

"""Jobs run, are tried again, and are set aside where they can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from backend import jobs
from backend.jobs import Job, JobRun, dead_jobs, enqueue, retry_dead, run_worker
from backend.jobs.schedule import latest_slot, tick
from backend.settings import Settings
from backend.storage import atomically, database, utcnow

pytestmark = pytest.mark.usefixtures("clean")

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.fixture
def calls() -> Iterator[list[Any]]:
    """Yield what the jobs `shop.note` and `shop.later` were called with; `shop.bad` fails."""
    got: list[Any] = []

    def bad() -> None:
        raise ValueError("broken")

    jobs.install(
        [
            Job(name="shop.note", title="记录", run=lambda **values: got.append(values), timeout_seconds=5),
            Job(name="shop.later", title="稍后", run=lambda: got.append("later"), queue="reports"),
            Job(name="shop.bad", title="坏", run=bad),
        ]
    )
    yield got
    jobs.install([])


def make_due() -> None:
    JobRun.objects(state__in=("waiting", "running")).update(set__due_at=utcnow() - timedelta(seconds=1))


def test_a_job_runs_by_name_with_its_arguments(calls: list[Any]) -> None:
    enqueue("shop.note", table="compounds", rows=[1, 2])
    run_worker(["default"], burst=True)
    assert calls == [{"table": "compounds", "rows": [1, 2]}]
    assert JobRun.objects.get().state == "done"
    with pytest.raises(LookupError, match=r"no job called shop\.nothing"):
        enqueue("shop.nothing")


def test_a_job_is_enqueued_with_the_change_or_not_at_all(calls: list[Any]) -> None:
    def fails() -> None:
        enqueue("shop.note")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        atomically(fails)
    assert (JobRun.objects.count(), jobs.queued_ids("default")) == (0, set())
    atomically(lambda: enqueue("shop.note"))
    assert len(jobs.queued_ids("default")) == 1


def test_each_worker_takes_its_queues_only(calls: list[Any]) -> None:
    enqueue("shop.later")
    run_worker(["default", "vision"], burst=True)
    assert calls == []
    run_worker(["outbound", "reports"], burst=True)
    assert calls == ["later"]


def test_a_failing_job_is_tried_again_then_set_aside_and_can_be_run_again(calls: list[Any]) -> None:
    run_id = enqueue("shop.bad")
    run_worker(["default"], burst=True)
    run = JobRun.objects.get()
    assert (run.state, run.attempts, run.error) == ("waiting", 1, "ValueError: broken")
    assert 2 <= (run.due_at - utcnow()).total_seconds() <= 8
    assert jobs.runs.put_due() == 0
    for _ in range(4):
        make_due()
        assert jobs.runs.put_due() == 1
        run_worker(["default"], burst=True)
    [dead] = dead_jobs()
    assert (dead.id, dead.job, dead.attempts, dead.error) == (run_id, "shop.bad", 5, "ValueError: broken")
    fault = database()["plugin_faults"].find_one({"plugin": "shop"})
    assert fault is not None
    assert fault["count"] == 5
    assert retry_dead(run_id) is True
    assert retry_dead(run_id) is False
    assert len(jobs.queued_ids("default")) == 1


def test_a_run_lost_with_redis_or_with_its_worker_is_taken_up_again(clean: Settings, calls: list[Any]) -> None:
    run_id = enqueue("shop.note")
    redis.Redis.from_url(clean.redis_url).flushall()
    assert jobs.runs.put_due() == 1
    assert jobs.runs.put_due() == 0, "what waits on the queue is not put there twice"
    assert jobs.runs._claim(run_id, 0) is not None, "a worker takes it, and dies"
    run_worker(["default"], burst=True)
    assert calls == []
    assert jobs.runs.put_due(utcnow() + timedelta(seconds=14)) == 0
    assert jobs.runs.put_due(utcnow() + timedelta(seconds=16)) == 1
    make_due()
    run_worker(["default"], burst=True)
    assert calls == [{}]


def test_a_job_that_kills_its_worker_each_time_is_set_aside(calls: list[Any]) -> None:
    run_id = enqueue("shop.note")
    for attempt in range(5):
        make_due()
        assert jobs.runs._claim(run_id, attempt) is not None
    make_due()
    assert jobs.runs.put_due() == 0
    assert "worker died" in dead_jobs()[0].error


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"queue": "nowhere"}, "no queue nowhere"),
        ({"every_seconds": 5, "cron": "0 3 * * *"}, "not both"),
        ({"every_seconds": 0}, "at least 1"),
        ({"cron": "soon"}, "not a cron expression"),
        ({"timeout_seconds": 0}, "timeout_seconds must be"),
    ],
)
def test_a_wrong_job_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Job(**{"name": "x.y", "title": "x", "run": print, **wrong})


def test_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Two jobs are called x\.y"):
        jobs.install([Job(name="x.y", title="一", run=print), Job(name="x.y", title="二", run=print)])


def test_due_times_are_those_of_shanghai() -> None:
    nightly = Job(name="x.y", title="x", run=print, cron="0 3 * * *")
    three = datetime(2026, 11, 21, 19, tzinfo=UTC)
    assert latest_slot(nightly, three) == three
    assert latest_slot(nightly, three + timedelta(seconds=59)) == three
    assert latest_slot(nightly, three + timedelta(hours=23)) == three
    assert latest_slot(nightly, three - timedelta(seconds=1)) == three - timedelta(days=1)
    often = Job(name="x.y", title="x", run=print, every_seconds=300)
    assert latest_slot(often, NOON + timedelta(seconds=299)) == NOON


def test_a_scheduled_job_runs_once_for_each_time_it_is_due_with_any_number_of_schedulers(clean: Settings) -> None:
    got: list[str] = []
    scheduled = [Job(name="x.often", title="x", run=lambda: got.append("x"), every_seconds=60)]
    jobs.install(scheduled)
    start = utcnow() - timedelta(hours=1)
    for minute in range(3):
        for _scheduler in range(2):
            tick(scheduled, start + timedelta(minutes=minute))
            run_worker(["default"], burst=True)
            tick(scheduled, start + timedelta(minutes=minute, seconds=1))
            redis.Redis.from_url(clean.redis_url).flushall()
    assert len(got) == 3
    assert JobRun.objects.get().state == "done"


def test_a_nightly_job_is_made_up_for_when_the_platform_was_down_but_not_run_when_first_seen() -> None:
    got: list[str] = []
    nightly = [Job(name="x.nightly", title="x", run=lambda: got.append("x"), cron="0 3 * * *")]
    jobs.install(nightly)
    days_ago = utcnow() - timedelta(days=5)
    tick(nightly, days_ago)
    run_worker(["default"], burst=True)
    assert got == []
    tick(nightly, days_ago + timedelta(days=3))
    run_worker(["default"], burst=True)
    tick(nightly, days_ago + timedelta(days=3))
    run_worker(["default"], burst=True)
    assert got == ["x"], "three nights that were missed are made up for by one run"


def test_a_run_that_goes_on_is_not_overtaken_by_the_next() -> None:
    often = [Job(name="x.often", title="x", run=print, every_seconds=1, timeout_seconds=60)]
    jobs.install(often)
    tick(often, utcnow())
    assert jobs.runs._claim("x.often", 0) is not None
    tick(often, utcnow() + timedelta(seconds=5))
    assert JobRun.objects.get().state == "running"
    assert jobs.runs.put_due(utcnow() + timedelta(seconds=71)) == 1

"""Real worker and scheduler processes: they end when asked, and go on when Redis was away."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from backend import jobs, settings
from backend.embedded import start_redis
from backend.settings import Settings
from backend.storage import database
from tests.jobs.background_process import JOBS

ROOT = Path(__file__).parents[2]
Start = Callable[[str, str], subprocess.Popen[bytes]]


@pytest.fixture
def start(clean: Settings, tmp_path: Path) -> Iterator[Start]:
    """Yield a function that starts a process in a role, on a Redis; all are ended after the test."""
    with ExitStack() as stack:

        def run(role: str, redis_url: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "tests.jobs.background_process", role, clean.mongodb_url, redis_url]
            process = subprocess.Popen([*command, clean.mongodb_database, str(tmp_path)], cwd=ROOT)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield run


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)


def notes(state: str) -> int:
    return database()["notes"].count_documents({"state": state})


def beats() -> int:
    return database()["beats"].count_documents({})


def test_a_worker_that_is_asked_to_stop_finishes_the_work_in_hand(clean: Settings, start: Start) -> None:
    jobs.install(JOBS)
    worker = start("worker", clean.redis_url)
    jobs.enqueue("test.note")
    jobs.enqueue("test.note")
    until(lambda: notes("begun") == 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert (notes("begun"), notes("ended")) == (1, 1)


def test_worker_and_schedulers_go_on_after_redis_was_emptied_and_restarted(
    clean: Settings, start: Start, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(start_redis(tmp_path / "redis"))
        port = int(server.url.split(":")[2].split("/")[0])
        processes = [start(role, server.url) for role in ("worker", "scheduler", "scheduler")]
        until(lambda: beats() >= 2)
        redis.Redis.from_url(server.url).flushall()
        seen = beats()
        until(lambda: beats() >= seen + 2)
        server.process.kill()
        server.process.wait()
        time.sleep(1)
        stack.enter_context(start_redis(tmp_path / "redis", port))
        seen = beats()
        until(lambda: beats() >= seen + 2)
        assert [process.poll() for process in processes] == [None] * 3
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(10) for process in processes] == [0] * 3
    times = sorted(beat["at"].timestamp() for beat in database()["beats"].find())
    assert len({int(at) for at in times}) >= len(times) - 2, "two schedulers make one run a second, not two"
    assert settings.current() is clean

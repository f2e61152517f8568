"""From start to stop: everything comes up, stays up, and goes down without a trace."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time

import pytest
from pymongo import MongoClient


def test_everything_comes_up_and_goes_down(start):
    run = start().ready()
    assert "mongodb://127.0.0.1" in run.fetch()
    assert set(run.children()) == {"store", "redis", "web", "worker-default", "worker-vision", "scheduler"}
    assert re.search("Store: (SecantusDB|MongoDB)", run.output)
    assert f"http://127.0.0.1:{run.port}/cockpit/" in run.output
    assert "admin / secret-1" in run.output
    time.sleep(1)  # the page answers before all workers do
    assert run.stop(signal.SIGINT) == 0
    assert not run.left_over(0)
    assert not run.children()
    assert run.output.strip().endswith("已停止")
    for name in ("worker-default", "worker-vision", "scheduler"):
        assert (run.data / "logs" / f"{name}.log").read_text() == "stopped before the servers\n"


def test_second_start_keeps_data_and_secrets(start):
    first = start().ready()
    secrets = first.data / "secrets"
    kept = secrets.read_text()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.data.stat().st_mode) == 0o700
    key = kept.strip().partition("=")[2].encode()
    for file in (path for path in first.data.rglob("*") if path.is_file() and path != secrets):
        with file.open("rb") as content:
            assert key not in content.read(1_000_000), file
    assert first.stop(signal.SIGTERM) == 0
    second = start(first.data).ready()
    assert secrets.read_text() == kept
    assert "half of the demo" in first.output
    assert "half of the demo" not in second.output


def test_children_that_die_are_started_again(start):
    run = start().ready()
    before = run.children()
    for name in ("web", "worker-default", "scheduler", "redis"):
        os.kill(before[name], signal.SIGKILL)
        run.wait_for(rf"{name} was killed \(SIGKILL\); starting it again in 1 s")
    deadline = time.monotonic() + 15
    while len(run.children().items() - before.items()) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(run.children().items() - before.items()) == 4
    assert run.stop() == 0
    assert not run.left_over(0)


def test_a_store_that_dies_comes_back_where_it_was_with_all_that_was_written(start):
    run = start().ready()
    url = run.fetch()
    with MongoClient(url, retryWrites=True) as client:
        client.qingxu.written.insert_many([{"_id": number} for number in range(100)])
        os.kill(run.children()["store"], signal.SIGKILL)
        run.wait_for("store was killed")
        assert client.qingxu.written.count_documents({}) == 100
    assert run.fetch() == url


def test_sigkill_leaves_no_orphans_and_the_next_start_works_at_once(start):
    first = start().ready()
    time.sleep(1)
    first.note_processes()
    first.process.kill()
    first.process.wait()
    second = start(first.data, port=first.port).ready()
    assert not first.left_over()
    assert "half of the demo" not in second.output
    assert second.fetch()
    assert second.stop() == 0


def test_stopping_in_the_middle_of_the_start(start):
    run = start(TEST_PREPARE_SECONDS=30)
    run.wait_for("half of the demo")
    assert run.stop(signal.SIGTERM) == 0
    assert not run.left_over(2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_first_start_that_was_interrupted_begins_anew(start, number):
    first = start(TEST_PREPARE_SECONDS=30)
    first.wait_for("half of the demo")
    first.stop(number)
    second = start(first.data).ready()
    assert "The first start was interrupted" in second.output
    with MongoClient(second.fetch()) as client:
        assert sorted(row["step"] for row in client.qingxu.things.find()) == [1, 2]


def test_commands_join_the_platform_that_runs(start):
    run = start().ready()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QINGXU_")}
    script = (
        "import os; from pathlib import Path; from backend.run import adopt_running;"
        f"adopt_running(Path({str(run.data)!r}));"
        "print(os.environ.get('QINGXU_MODE'), os.environ.get('QINGXU_MONGODB_URL'), 'QINGXU_MASTER_KEY' in os.environ)"
    )
    command = [sys.executable, "-c", script]

    def joined() -> str:
        return subprocess.run(command, env=environment, capture_output=True, text=True).stdout

    assert joined().split() == ["demo", run.fetch(), "True"]
    run.stop()
    assert joined().split() == ["None", "None", "False"]

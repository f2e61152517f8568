"""The whole platform as a newcomer starts it, once for all journeys."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.embedded.process import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 400


@dataclass
class Platform:
    """A running platform: where it answers and where its data lies."""

    base: str
    data: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    def command(self, *words: str) -> str:
        """Run one of the platform's commands beside it and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "backend", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def start(data: Path) -> Platform:
    """Start the platform in demo mode and wait until it says where it is."""
    port = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("QINGXU_")}
    environment = {**own, "QINGXU_MODE": "demo", "QINGXU_DATA_DIR": str(data), "QINGXU_PORT": str(port)}
    terminal = data.with_suffix(".log")
    with terminal.open("ab") as out:
        out.truncate(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "backend", "run"], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    deadline = time.monotonic() + START_SECONDS
    while "Ctrl-C stops everything" not in terminal.read_text():
        assert process.poll() is None and time.monotonic() < deadline, terminal.read_text()
        time.sleep(0.2)
    return Platform(f"http://127.0.0.1:{port}", data, environment, process)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Start the platform on an empty folder; stop it as Ctrl-C does."""
    running = start(tmp_path_factory.mktemp("newcomer") / "data")
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0

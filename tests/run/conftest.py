"""`python -m backend run` as a real process, with a small platform inside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backend.embedded.process import free_port

HERE = Path(__file__).parent / "small_platform"
ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """One `run`; its terminal is `output`."""

    data: Path
    port: int
    terminal: Path
    process: subprocess.Popen[bytes]
    seen: set[int] = field(default_factory=set)

    @property
    def output(self) -> str:
        """What it has said."""
        return self.terminal.read_text()

    def wait_for(self, words: str, seconds: float = 60) -> str:
        """Return the line in which `words` stand (a regular expression)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.note_processes()
            if found := re.search(f".*{words}.*", self.output):
                return found.group()
            assert self.process.poll() is None or re.search(words, self.output), self.output
            time.sleep(0.05)
        raise AssertionError(f"{words} never came:\n{self.output}")

    def ready(self) -> Running:
        """Wait until it is up."""
        self.wait_for("Ctrl-C stops everything")
        return self

    def fetch(self) -> str:
        """Return what the web answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            return answer.read().decode()

    def children(self) -> dict[str, int]:
        """Return the pids that it noted, by name."""
        notes = [*self.data.glob("logs/*.pid"), *self.data.glob("*/server.pid")]
        named = {note.parent.name if note.stem == "server" else note.stem: note for note in notes}
        return {name: int(note.read_text().split()[0]) for name, note in named.items() if note.exists()}

    def note_processes(self) -> None:
        """Remember all that was started, down to the web's workers."""
        with suppress(OSError, ValueError, IndexError):
            for pid in (own := set(self.children().values())):
                self.seen.add(pid)
                self.seen |= set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
            self.seen |= own

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.note_processes()
        self.process.send_signal(number)
        return self.process.wait(40)

    def memory(self) -> int:
        """Return the bytes of all its processes; what some of them share counts once."""
        self.note_processes()
        return sum(proportional_bytes(pid) for pid in {*self.seen, self.process.pid} if alive(pid))

    def left_over(self, seconds: float = 8) -> set[int]:
        """Return which of its processes still run after a while."""
        deadline = time.monotonic() + seconds
        while (left := {pid for pid in self.seen if alive(pid)}) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left


def alive(pid: int) -> bool:
    """Say whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def proportional_bytes(pid: int) -> int:
    """Return the memory of a process, what it shares counted in parts."""
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1]) * 1024


def launch(terminal: Path, data: Path, *, small: bool, wrapper: tuple[str, ...] = (), **settings: str | int) -> Running:
    """Start the platform, small or real, in a data folder and with settings by name."""
    port = int(settings.pop("port", 0)) or free_port()
    chosen = {"mode": "demo", "data_dir": str(data), "port": port, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QINGXU_")}
    environment |= {
        name if name.startswith("TEST_") else f"QINGXU_{name.upper()}": str(value) for name, value in chosen.items()
    }
    if small:
        environment["PYTHONPATH"] = f"{HERE}:{ROOT}"
    with terminal.open("wb") as out:
        process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "backend", "run"],
            cwd=HERE if small else ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    return Running(data, port, terminal, process)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Return a function that starts the platform, small or real, in a data folder and with settings by name."""
    runs: list[Running] = []

    def start(
        data: Path = tmp_path / "data", *, small: bool = True, wrapper: tuple[str, ...] = (), **settings: str | int
    ) -> Running:
        terminal = tmp_path / f"terminal-{len(runs)}"
        runs.append(launch(terminal, data, small=small, wrapper=wrapper, **{"web_workers": 1, **settings}))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()


@pytest.fixture
def refused(start: Callable[..., Running]) -> Callable[..., str]:
    """Return a function that starts the platform, which must fail with one sentence; returns that."""

    def refused(*arguments: object, seconds: float = 40, **settings: object) -> str:
        run = start(*arguments, **settings)
        assert run.process.wait(seconds) == 1, run.output
        assert "Traceback" not in run.output, run.output
        sentence = run.output.strip().splitlines()[-1]
        assert sentence.startswith("qingxu: "), run.output
        run.note_processes()
        assert not run.left_over(), run.output
        return sentence

    return refused


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Return a function that makes a disk of some megabytes; only root may."""
    disks: list[Path] = []

    def make(megabytes: int) -> Path:
        disk = tmp_path / f"disk-{len(disks)}"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}M", "none", str(disk)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("needs the right to mount")
        disks.append(disk)
        return disk

    yield make
    for disk in disks:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)

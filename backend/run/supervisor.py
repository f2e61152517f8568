"""Keeps child processes running and stops them in order."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from backend.embedded import StartError, stop_process

LONGEST_DELAY = 30
#: After this many seconds a child counts as healthy, and its next fall is its first.
HEALTHY_SECONDS = 60
#: A log is set aside when it has grown to this.
LOG_BYTES = 20_000_000

Tell = Callable[[str], None]


class Stopped(BaseException):
    """The operator asked to stop, by Ctrl-C or a signal."""


@dataclass(kw_only=True)
class Child:
    """A process that is started again when it ends. `rank`: the higher are stopped first, equals together."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path
    rank: int = 1
    #: Says in a few words why the process is of no use although it runs, or an empty text.
    fault: Callable[[], str] = str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    falls: int = 0
    due: float = 0.0


@dataclass
class Supervisor:
    """Watches children; whatever happens is told in one sentence."""

    tell: Tell
    children: list[Child] = field(default_factory=list)
    hurry: bool = False

    def add(self, child: Child) -> None:
        """Start a child; raises StartError when it cannot be started at all."""
        self.children.append(child)
        child.process = child.start()
        child.started = time.monotonic()

    def watch(
        self, *, until: Callable[[], bool] = lambda: False, each_second: Callable[[], None] = lambda: None
    ) -> None:
        """Start again whatever ends, until `until` is true or Stopped is raised."""
        second = 0.0
        while not until():
            now = time.monotonic()
            for child in self.children:
                self._look_after(child, now)
            if now - second >= 1:
                second = now
                for child in self.children:
                    set_aside(child.log)
                each_second()
            time.sleep(0.1)

    def _look_after(self, child: Child, now: float) -> None:
        if child.process is None:
            if now >= child.due:
                self._restart(child)
            return
        code = child.process.poll()
        fault = "" if code is not None else child.fault()
        if code is None and not fault:
            return
        if fault:
            stop_process(child.process, 2)
        child.process = None
        if now - child.started > HEALTHY_SECONDS:
            child.falls = 0
        self._wait_a_little(child, f"{child.name} {fault or _how_it_ended(code or 0)}")

    def _restart(self, child: Child) -> None:
        try:
            child.process = child.start()
            child.started = time.monotonic()
        except StartError as error:
            self._wait_a_little(child, str(error).removesuffix("."))

    def _wait_a_little(self, child: Child, what: str) -> None:
        delay = min(2**child.falls, LONGEST_DELAY)
        child.falls += 1
        child.due = time.monotonic() + delay
        self.tell(f"{what}; starting it again in {delay} s (log: {child.log}).")

    def stop(self, seconds: float = 10) -> None:
        """End all children, the higher ranks first; a second signal meanwhile ends them at once."""
        for rank in sorted({child.rank for child in self.children}, reverse=True):
            running = [child.process for child in self.children if child.rank == rank and child.process]
            for process in running:
                process.terminate()
            deadline = time.monotonic() + seconds
            while not self.hurry and time.monotonic() < deadline and any(each.poll() is None for each in running):
                time.sleep(0.05)
            for process in running:
                stop_process(process, 0)
        for child in self.children:
            child.log.with_suffix(".pid").unlink(missing_ok=True)
        self.children.clear()

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Raise Stopped inside the block at the first SIGINT, SIGTERM or SIGHUP; let `stop` hurry at the next."""

        def first(_number: int, _frame: FrameType | None) -> None:
            for number in stopping:
                signal.signal(number, again)
            raise Stopped

        def again(_number: int, _frame: FrameType | None) -> None:
            self.hurry = True

        stopping = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        # A signal that is ignored from outside (nohup) stays ignored.
        stopping = [number for number in stopping if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, first) for number in stopping}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def set_aside(log: Path) -> None:
    """Keep a log small: its writers append to the same open file, so it is copied to `.1` and emptied."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_BYTES:
            log.with_name(log.name + ".1").write_bytes(log.read_bytes())
            with log.open("r+b") as file:
                file.truncate(0)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended by itself (exit code {code})"
    return f"was killed ({signal.Signals(-code).name})"

"""Tells the process of `killable.py` what to do, and hears what became of its forks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.camera import Answer, Observation, send

if TYPE_CHECKING:
    from tests.faults.ground import Ground

ROOT = Path(__file__).parents[2]

#: `struck`: at which point it was killed; `outcome`: what it returned; `passed`: the names of all points, where none
#: was the last; `code`: how it ended, -9 when killed.
Outcome = dict[str, Any]
#: A point by its name, and the how manieth of that name.
Point = tuple[str, int]
#: Seconds that an answer may take: how fast the machine is, is not what is tested.
PATIENCE = 120
NOWHERE: Point = ("", 0)


class Killable:
    """The process; it takes one order after the other."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.expected: dict[str, Any] = {}
        with (ground.folder / "killable.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.killable"],
                cwd=ROOT,
                env=ground.settings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.web = f"http://127.0.0.1:{self._line()}"

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def serve(self, observation: Observation, at: Point = NOWHERE) -> tuple[Answer, Outcome]:
        """Let one process answer one request; returns the answer and what became of the process."""
        self.order("serve", at=at)
        return send(self.web, observation, PATIENCE), self.result()

    def work(self, at: Point = NOWHERE) -> Outcome:
        """Let one process be a worker of both queues until they are empty, or it is dead."""
        self.order("work", at=at)
        return self.result()

    def without_store(self, at: Point, observation: Observation | None = None) -> tuple[Answer | None, Outcome]:
        """Serve (or work, without observation) while the store is killed at a point and started again at once."""
        store = self.ground.servers["store"].process
        self.order("serve" if observation else "work", at=at, target=store.pid)
        with ThreadPoolExecutor(2) as others:
            sending = others.submit(send, self.web, observation, PATIENCE) if observation else None
            ending = others.submit(self.result)
            # A process lives as long as the thread that started it, so the store is started here.
            while not ending.done():
                if store.poll() is not None and self.ground.servers["store"].process is store:
                    self.ground.start("store")
                time.sleep(0.02)
            return sending.result() if sending else None, ending.result()

    def recover(self) -> None:
        """Let minutes pass, then do what the scheduler and the workers do, and again for what came of that.

        What is told is told on: a capture leads to a case, that to an alert, and that to messages.
        """
        for _ in range(6):
            if self.ground.waiting():
                self.ground.let_time_pass()
                self.order("recover")
                assert self.result()["code"] == 0, self.ground.last_words()
        assert self.ground.waiting() == 0, self.ground.last_words()

    def broken_promises(self) -> list[str]:
        """Return what is wrong with the captures of all that was ever sent."""
        self.order("look", {each.event_id: each.hashes for each in self.ground.camera.sent}, self.expected)
        outcome = self.result()["outcome"]
        self.expected = outcome["expected"]
        return list(outcome["broken"])

    def order(self, what: str, *arguments: Any, at: Point = NOWHERE, target: int = 0) -> None:
        """Tell the process to do something."""
        assert self.process.stdin
        kind, point = at
        order = {"do": what, "with": arguments, "point": point, "kind": kind, "target": target}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def result(self) -> Outcome:
        """Return what the fork said, and as `code` how it ended."""
        said: Outcome = {}
        while isinstance(line := self._line(), dict):
            said |= line
        return {**said, "code": line}

    def _line(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.ground.last_words()
        return json.loads(line)

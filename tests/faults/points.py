"""Points at which a process can be struck: after each thing that it did to the store, to files or to Redis.

Only what others can see counts: between two such acts a kill leaves the same behind, wherever it strikes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

import redis.client
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

#: Commands that change what is stored.
WRITES = {"insert", "update", "delete", "findAndModify", "commitTransaction"}
FILE_ACTS = ("open", "fsync", "rename", "unlink")
#: Taking orders from queues, without the many signs of life that a worker gives.
TAKING = ("LPOP", "EVALSHA")

Strike = Callable[[str], None]


class Points(CommandListener):
    """Counts the points of a kind that the main thread passes, and strikes at the `number`-th (0: at none).

    A kind is the name of a point, or the word that names begin with (`store`, `file`, `redis`); empty means all.
    """

    def __init__(self) -> None:
        self.number = 0
        self.kind = ""
        self.passed = 0
        self.names: list[str] = []
        self.strike: Strike = print
        self.collection: Any = ""

    def arm(self, number: int, kind: str, strike: Strike) -> None:
        """Begin to count the points of a kind."""
        self.number, self.kind, self.passed, self.strike = number, kind, 0, strike
        self.names.clear()

    def pass_by(self, name: str) -> None:
        """Count a point; its name is shown when a test fails."""
        of_kind = not self.kind or name == self.kind or name.startswith(f"{self.kind} ")
        if of_kind and threading.current_thread() is threading.main_thread():
            self.passed += 1
            self.names.append(name)
            if self.passed == self.number:
                self.strike(name)

    def started(self, event: CommandStartedEvent) -> None:
        """Remember what is written to: the end does not tell."""
        if threading.current_thread() is threading.main_thread():
            self.collection = event.command[event.command_name]

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Count what the store has done."""
        if event.command_name in WRITES:
            self.pass_by(f"store {event.command_name} {self.collection}")

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing."""

    def watch_files_and_redis(self) -> None:
        """Put points behind what this process does to files and to Redis from now on."""
        for act in FILE_ACTS:
            self._behind(os, act, lambda *_arguments, act=act: f"file {act}")
        self._behind(redis.client.Pipeline, "execute", lambda *_arguments: "redis pipeline")
        self._behind(
            redis.client.Redis, "execute_command", lambda _self, act, *_rest: f"redis {act}" if act in TAKING else ""
        )

    def _behind(self, place: ModuleType | type, name: str, say: Callable[..., str]) -> None:
        function = getattr(place, name)

        @wraps(function)
        def watched(*arguments: Any, **options: Any) -> Any:
            result = function(*arguments, **options)
            if said := say(*arguments):
                self.pass_by(said)
            return result

        setattr(place, name, watched)

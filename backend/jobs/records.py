"""What a job is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from croniter import croniter

#: The queues: short work, pictures, calls to other systems, long tables.
QUEUES = ("default", "vision", "outbound", "reports")


@dataclass(frozen=True, kw_only=True)
class Job:
    """Work in the background, run by name with `enqueue` or again and again by the scheduler.

    `cron` is read in the time of Asia/Shanghai. A job whose process dies is run again, so running it twice must
    do no more than running it once. Raises ValueError when the record cannot be right.
    """

    name: str
    title: str
    run: Callable[..., object]
    queue: str = "default"
    every_seconds: int | None = None
    cron: str | None = None
    timeout_seconds: int = 60

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            raise ValueError(f"Job {self.name}: there is no queue {self.queue}.")
        if self.every_seconds is not None and self.cron is not None:
            raise ValueError(f"Job {self.name}: give every_seconds or cron, not both.")
        if self.every_seconds is not None and self.every_seconds < 1:
            raise ValueError(f"Job {self.name}: every_seconds must be at least 1.")
        if self.cron is not None and not croniter.is_valid(self.cron):
            raise ValueError(f"Job {self.name}: {self.cron!r} is not a cron expression.")
        if self.timeout_seconds < 1:
            raise ValueError(f"Job {self.name}: timeout_seconds must be at least 1.")

    @property
    def plugin(self) -> str:
        """The module that the job belongs to: the first part of its name."""
        return self.name.partition(".")[0]

"""A worker that delivers messages and kills itself at the n-th of many points; test_kills.py says when, on stdin.

Its channel appends what it is given to a file, so it cannot know what it was given before.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import events, jobs, messages, settings, storage
from backend.events import outbox
from backend.messages import Channel, MessageTemplate, Outgoing, delivering
from backend.monitoring import configure_logs
from backend.settings import Settings
from backend.storage import after_commit

left = 0
sent = Path()

TEMPLATE = MessageTemplate(name="test.raised", title="预警", text="{number} 号预警。")


def point() -> None:
    """Die here when the count is over."""
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def with_points(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put a point before and one after a function."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        point()
        result = function(*arguments, **options)
        point()
        return result

    return wrapped


def with_commit_point(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put a point right after the commit of the transaction that a function is part of."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        after_commit(point)
        return function(*arguments, **options)

    return wrapped


def append(outgoing: Outgoing) -> None:
    """Be a channel whose other side does not tell a repetition."""
    with sent.open("a", encoding="utf-8") as file:
        file.write(f"{outgoing.id} {outgoing.text}\n")


def work() -> None:
    """Be a worker until the queues are empty, or dead."""
    storage.connect(settings.current().mongodb_url, settings.current().mongodb_database)
    for name in ("_claim", "_set", "_close", "_put"):
        setattr(outbox, name, with_points(getattr(outbox, name)))
    for name in ("_not_reached", "_rates_of", "address_to_channels"):
        setattr(delivering, name, with_points(getattr(delivering, name)))
    delivering._deliver_to = with_commit_point(with_points(delivering._deliver_to))
    jobs.run_worker(["default", "outbound"], burst=True)


def main() -> None:
    """Fork a worker for each number on stdin and say how it ended."""
    global left, sent
    mongodb_url, redis_url, name, master_key, folder = sys.argv[1:]
    sent = Path(folder) / "sent.txt"
    settings.configure(
        Settings(
            mode="demo",
            data_dir=Path(folder),
            mongodb_url=mongodb_url,
            mongodb_database=name,
            redis_url=redis_url,
            master_key=master_key,
            delivery_attempts=1000,
            quiet_hours="none",
            messages_per_hour=25,
            log_level="CRITICAL",
        )
    )
    configure_logs(settings.current())
    messages.install([TEMPLATE], [Channel(name="test.file", title="文件", send=with_points(append))])
    events.install(messages.HANDLERS)
    print("ready", flush=True)
    for line in sys.stdin:
        left = int(line)
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)


if __name__ == "__main__":
    main()

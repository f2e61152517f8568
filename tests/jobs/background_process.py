"""A worker or a scheduler as a process of its own: `<role> <mongodb url> <redis url> <database> <folder>`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from backend import jobs, settings, storage
from backend.jobs import Job
from backend.settings import Settings


def note() -> None:
    """Leave a record of the run; it takes a moment."""
    storage.database()["notes"].insert_one({"state": "begun"})
    time.sleep(0.7)
    storage.database()["notes"].insert_one({"state": "ended"})


JOBS = [
    Job(name="test.note", title="记录", run=note),
    Job(
        name="test.beat",
        title="心跳",
        run=lambda: storage.database()["beats"].insert_one({"at": storage.utcnow()}),
        every_seconds=1,
        timeout_seconds=5,
    ),
]


def main() -> None:
    """Run until told to stop."""
    role, mongodb_url, redis_url, name, folder = sys.argv[1:]
    settings.configure(
        Settings(
            mode="demo", data_dir=Path(folder), mongodb_url=mongodb_url, mongodb_database=name, redis_url=redis_url
        )
    )
    storage.connect(mongodb_url, name)
    jobs.install(JOBS)
    if role == "worker":
        jobs.run_worker(["default", "reports"])
    else:
        jobs.run_scheduler(JOBS)


if __name__ == "__main__":
    main()

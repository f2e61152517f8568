"""A process that dies at a chosen line: `python -m tests.blobs.killed <url> <database> <key> <folder> <task>`.

It reads numbers from its input. For each it forks a child that does the task and kills itself with SIGKILL before the
n-th different line of `backend/blobs` that it comes to; the answer is `killed` or `finished`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from backend import blobs, settings, storage
from backend.blobs import uploads
from backend.settings import Settings

SPACE = "33"
CONTENT = b"what a camera saw " * 16_000
HALF = 150_000
WATCHED = tuple(str(Path(blobs.__file__).with_name(name)) for name in ("content.py", "folder.py", "objects.py"))
WATCHED += tuple(str(Path(blobs.__file__).with_name(name)) for name in ("scrubbing.py", "uploads.py", "leftovers.py"))


def put() -> None:
    """Put the content."""
    blobs.put(CONTENT, media_type="video/mp4", space=SPACE)


def shred() -> None:
    """Shred the only blob."""
    record = storage.database()["blobs"].find_one({"object": {"$ne": None}})
    if record:
        blobs.shred(record["sha256"], space=SPACE)


def scrub() -> None:
    """Read all blobs."""
    blobs.scrub()


def append() -> None:
    """Send what is missing of the only upload, as two portions."""
    upload = uploads.find(storage.database()["uploads"].find_one()["_id"], "person")  # type: ignore[index]
    while not upload.finished:
        upload = uploads.append(upload, [CONTENT[upload.offset : upload.offset + HALF]])


TASKS = {"put": put, "shred": shred, "scrub": scrub, "append": append}


def die_before(number: int) -> Any:
    """Return a trace function that kills this process."""
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def main(url: str, database: str, key: str, folder: str, task: str) -> None:
    """Answer each number."""
    settings.configure(Settings(mongodb_url=url, master_key=key, data_dir=Path(folder)))
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            storage.connect(url, database)
            storage.database().command("ping")
            sys.settrace(die_before(int(line)))
            TASKS[task]()
            sys.settrace(None)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("finished" if status == 0 else "killed" if os.WIFSIGNALED(status) else "failed", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Killed before any line of put, shred, scrub or an upload: no blob is lost, none is half, and nothing leaks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend import blobs, settings, storage
from backend.blobs import uploads
from tests.blobs.conftest import SPACE, keep, objects, path_of
from tests.blobs.killed import CONTENT, HALF

Killer = Callable[[int], str]
#: No task has fewer different lines than this.
LEAST = 12


@contextmanager
def killer(folder: Path, task: str) -> Iterator[Killer]:
    """Yield what does the task in a process that is killed before its n-th line."""
    chosen = settings.current()
    given = [chosen.mongodb_url, chosen.mongodb_database, chosen.master_key, str(folder.parent), task]
    command = [sys.executable, "-m", "tests.blobs.killed", *given]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        talk, listen = process.stdin, process.stdout
        assert listen.readline() == "ready\n"

        def kill_before(line: int) -> str:
            talk.write(f"{line}\n")
            talk.flush()
            return listen.readline().strip()

        yield kill_before
        talk.close()


def each_line(folder: Path, task: str, prepare: Callable[[], object], check: Callable[[bool], object]) -> None:
    """Kill before the first line, the second, and so on until the task comes to its end; check after each."""
    with killer(folder, task) as kill_before:
        for line in range(1, 200):
            for name in ("blobs", "uploads", "blob_scrub", "blob_faults"):
                storage.database()[name].delete_many({})
            blobs.remove_orphans(older_than_seconds=-1)
            prepare()
            ended = kill_before(line)
            assert ended in ("killed", "finished")
            check(ended == "finished")
            nothing_leaks(folder)
            if ended == "finished":
                assert line > LEAST
                return
    raise AssertionError("The task has no end.")


def nothing_leaks(folder: Path) -> None:
    """Clear away what killed processes left: all that is needed is still there, and nothing else."""
    blobs.remove_orphans(older_than_seconds=-1)
    database = storage.database()
    pointed = {row["object"] for row in database["blobs"].find({"object": {"$ne": None}})}
    pointed |= {part["object"] for row in database["uploads"].find() for part in row["parts"]}
    assert {path.name for path in objects(folder)} == pointed


def content() -> bytes | None:
    """Return the blob, None when there is none; anything else raises."""
    row = storage.database()["blobs"].find_one({"object": {"$ne": None}})
    return blobs.get(row["sha256"], space=SPACE) if row else None


def test_put(folder: Path) -> None:
    def check(finished: bool) -> None:
        assert content() in ((CONTENT,) if finished else (CONTENT, None))
        keep(CONTENT)
        assert content() == CONTENT

    each_line(folder, "put", lambda: None, check)


@pytest.mark.parametrize("before", ["there already", "damaged", "shredded"])
def test_put_again(folder: Path, before: str) -> None:
    def prepare() -> None:
        kept = keep(CONTENT)
        path = path_of(folder, kept.sha256)
        if before == "damaged":
            path.write_bytes(b"rotten")
        elif before == "shredded":
            blobs.shred(kept.sha256, space=SPACE)

    def check(finished: bool) -> None:
        if finished or before == "there already":
            assert content() == CONTENT
        keep(CONTENT)
        assert content() == CONTENT

    each_line(folder, "put", prepare, check)


def test_shred(folder: Path) -> None:
    kept: list[str] = []

    def check(finished: bool) -> None:
        assert content() in ((None,) if finished else (CONTENT, None))
        blobs.shred(kept[-1], space=SPACE)
        with pytest.raises(blobs.BlobShredded):
            blobs.get(kept[-1], space=SPACE)

    each_line(folder, "shred", lambda: kept.append(keep(CONTENT).sha256), check)


def test_scrub(folder: Path) -> None:
    def prepare() -> None:
        keep(b"one"), keep(b"two")
        path_of(folder, keep(CONTENT).sha256).write_bytes(b"rotten")

    def check(finished: bool) -> None:
        if not finished:
            while not blobs.scrub():
                pass
        status = blobs.scrub_status()
        assert (status.round_checked, status.rotten_count) == (3, 1)

    each_line(folder, "scrub", prepare, check)


def test_upload(folder: Path) -> None:
    def check(finished: bool) -> None:
        upload = uploads.find(storage.database()["uploads"].find_one()["_id"], "person")
        assert upload.offset == len(CONTENT) if finished else upload.offset in (0, HALF, len(CONTENT))
        if not upload.finished:
            upload = uploads.append(upload, [CONTENT[upload.offset :]])
        with uploads.read_upload(upload) as file:
            assert file.read() == CONTENT

    each_line(folder, "append", lambda: uploads.begin("person", len(CONTENT), {}), check)

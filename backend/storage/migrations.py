"""Migrations: dated scripts that bring stored data to a new shape, each run once and written into a journal.

A script lies in a folder `migrations`, is called `2026_11_22_what.py`, says in its docstring why it exists, and has
`migrate(db)`. It must bear being run again: one that was stopped in the middle starts anew.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError

from backend.storage.connection import database

JOURNAL = "migrations"
LOCK = "migrations_lock"
# A process that runs migrations says so every 10 s; one that has been silent for this long is dead.
LOCK_SECONDS = 60
RENEW_SECONDS = 10

NAME = re.compile(r"\d{4}_\d{2}_\d{2}_[a-z0-9_]+")

State = Literal["done", "waiting", "failed", "changed", "lost"]


class MigrationError(Exception):
    """A script cannot be read or has failed; the message is one sentence that names it."""


class Locked(MigrationError):
    """Another process is running migrations."""


@dataclass(frozen=True)
class Migration:
    """One script: `id` is `<owner>/<file name>`, `why` the first line of its docstring."""

    id: str
    why: str
    source: str
    migrate: Callable[[Database[dict[str, Any]]], None]


@dataclass(frozen=True)
class Status:
    """How a script stands: `changed` since it ran, or `lost` from its folder though it ran; `at` is when it ran."""

    id: str
    why: str
    state: State
    at: datetime | None = None
    error: str = ""


def find(folders: Iterable[Path]) -> list[Migration]:
    """Return the scripts in `folders`, the oldest first; a folder that is missing has none. Raises MigrationError.

    The owner of a folder is the package that it lies in, such as `backend` or `base_info`.
    """
    scripts = [path for folder in folders for path in folder.glob("*.py") if path.name != "__init__.py"]
    found = {f"{path.parent.parent.name}/{path.stem}": path for path in scripts}
    if len(found) != len(scripts):
        raise MigrationError("Two migration folders belong to packages of the same name.")
    return [_load(id, found[id]) for id in sorted(found, key=lambda id: (found[id].stem, id))]


def status(folders: Iterable[Path]) -> list[Status]:
    """Compare the scripts with the journal."""
    entries = {entry["_id"]: entry for entry in database()[JOURNAL].find()}
    rows = []
    for script in find(folders):
        entry = entries.pop(script.id, None)
        rows.append(_standing(script, entry))
    gone = [Status(id, entry["why"], "lost", entry["at"]) for id, entry in entries.items() if entry["success"]]
    return sorted([*rows, *gone], key=lambda row: (row.id.partition("/")[2], row.id))


def pending(folders: Iterable[Path]) -> list[Migration]:
    """Return the scripts that `migrate` would run: those that have not succeeded yet."""
    succeeded = {entry["_id"] for entry in database()[JOURNAL].find({"success": True}, {"_id": 1})}
    return [script for script in find(folders) if script.id not in succeeded]


def migrate(folders: Iterable[Path], tell: Callable[[Migration], None] = lambda _: None) -> list[str]:
    """Run what is pending, in order, and return the ids; `tell` hears of each script before it runs.

    The first failure ends the run: raises MigrationError that names the script. Raises Locked while another process
    is at it.
    """
    folders = list(folders)
    with _lock():
        scripts = pending(folders)
        for script in scripts:
            tell(script)
            _run(script)
        return [script.id for script in scripts]


def _load(id: str, path: Path) -> Migration:
    if not NAME.fullmatch(path.stem):
        raise MigrationError(f"Migration {id} must be called like 2026_11_22_what.")
    source = path.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": f"migration_{path.stem}", "__file__": str(path)}
    try:
        exec(compile(source, str(path), "exec"), names)  # noqa: S102 - a script of the installation itself
    except Exception as error:
        raise MigrationError(f"Migration {id} cannot be read: {type(error).__name__}: {error}") from error
    why = (names.get("__doc__") or "").strip()
    if not why:
        raise MigrationError(f"Migration {id} has no docstring that says why it exists.")
    if not callable(names.get("migrate")):
        raise MigrationError(f"Migration {id} has no function migrate(db).")
    return Migration(id, why.splitlines()[0], source, names["migrate"])


def _standing(script: Migration, entry: dict[str, Any] | None) -> Status:
    if entry is None:
        return Status(script.id, script.why, "waiting")
    if not entry["success"]:
        return Status(script.id, script.why, "failed", entry["at"], entry["error"].strip().splitlines()[-1])
    return Status(script.id, script.why, "done" if entry["source"] == script.source else "changed", entry["at"])


def _run(script: Migration) -> None:
    started, at = time.monotonic(), datetime.now(UTC)
    error = ""
    try:
        script.migrate(database())
    except Exception:
        error = traceback.format_exc(limit=-5)
    entry = {
        "why": script.why,
        "at": at,
        "seconds": round(time.monotonic() - started, 3),
        "source": script.source,
        "success": not error,
        "error": error,
    }
    database()[JOURNAL].replace_one({"_id": script.id}, entry, upsert=True)
    if error:
        raise MigrationError(f"Migration {script.id} failed: {error.strip().splitlines()[-1]}")


@contextmanager
def _lock() -> Iterator[None]:
    locks, holder = database()[LOCK], uuid.uuid4().hex
    now = datetime.now(UTC)
    lease = {"holder": holder, "until": now + timedelta(seconds=LOCK_SECONDS)}
    try:
        locks.update_one({"_id": "migrate", "until": {"$lt": now}}, {"$set": lease}, upsert=True)
    except DuplicateKeyError as error:
        raise Locked("Another process is running migrations.") from error
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(RENEW_SECONDS):
            until = datetime.now(UTC) + timedelta(seconds=LOCK_SECONDS)
            try:
                locks.update_one({"_id": "migrate", "holder": holder}, {"$set": {"until": until}})
            except PyMongoError:
                # The lock outlasts several missed renewals; the migration itself will meet the same trouble.
                continue

    renewal = threading.Thread(target=renew, name="migration lock", daemon=True)
    renewal.start()
    try:
        yield
    finally:
        ended.set()
        renewal.join()
        locks.delete_one({"_id": "migrate", "holder": holder})

"""The border between the platform and a plugin: what goes wrong behind it is caught, told and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime

import pymongo
from mongoengine import ConnectionFailure
from pymongo.errors import PyMongoError

from backend import storage
from backend.monitoring import metrics
from backend.monitoring.logs import get_logger, logging_about
from backend.monitoring.redaction import redact_text

COLLECTION = "plugin_faults"

#: What the store's absence looks like.
STORE_ERRORS = (PyMongoError, ConnectionFailure)

# A fault must not cost more than this when the store does not answer.
STORE_SECONDS = 1.0


@dataclass
class Guarded:
    """What became of the work inside `guard`; `error` is what the plugin raised, None when all went well."""

    error: Exception | None = None

    @property
    def failed(self) -> bool:
        """Say whether the plugin raised."""
        return self.error is not None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How often a plugin failed at one place, and how it failed last; times are UTC."""

    plugin: str
    where: str
    count: int
    last_error: str
    last_at: datetime


@contextmanager
def guard(plugin: str, where: str, *, passing: tuple[type[Exception], ...] = ()) -> Iterator[Guarded]:
    """Run a plugin's code; an exception ends here, counted as a fault of `plugin` at `where`.

    What is not the plugin's fault, the kinds `passing`, goes on to the caller.
    Put it around whole transactions, never inside one: the store's wish to try again is an exception too.
    """
    outcome = Guarded()
    with logging_about(plugin=plugin):
        try:
            yield outcome
        except passing:
            raise
        except Exception as error:
            outcome.error = error
            record(plugin, where, error)


def record(plugin: str, where: str, error: BaseException) -> None:
    """Log and count a fault; `where` is a fixed name such as `panel noise.level`. Never raises."""
    get_logger(__name__).error("plugin_fault", plugin=plugin, where=where, exc_info=error)
    metrics.fault_caught(plugin)
    try:
        # An empty context is outside of any transaction, which may well be rolled back because of this very fault.
        Context().run(_store, plugin, where, error)
    except STORE_ERRORS:
        get_logger(__name__).warning("plugin_fault_not_stored", plugin=plugin, where=where)


def _store(plugin: str, where: str, error: BaseException) -> None:
    now = storage.utcnow()
    text = redact_text(f"{type(error).__name__}: {error}")[:500]
    with pymongo.timeout(STORE_SECONDS):
        storage.database()[COLLECTION].update_one(
            {"_id": f"{plugin} {where}"},
            {
                "$inc": {"count": 1},
                "$set": {"plugin": plugin, "where": where, "last_error": text, "last_at": now},
                "$setOnInsert": {"first_at": now},
            },
            upsert=True,
        )


def listed() -> list[Fault]:
    """Return all faults, the latest first."""
    rows = storage.database()[COLLECTION].find().sort("last_at", pymongo.DESCENDING).limit(500)
    return [
        Fault(
            plugin=row["plugin"],
            where=row["where"],
            count=row["count"],
            last_error=row["last_error"],
            last_at=row["last_at"],
        )
        for row in rows
    ]


def forget(plugin: str) -> int:
    """Drop the counted faults of a plugin, once they are dealt with; returns how many places had failed."""
    return storage.database()[COLLECTION].delete_many({"plugin": plugin}).deleted_count

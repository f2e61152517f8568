"""Lock-out: wrong passwords are counted by account name, whether such an account exists or not."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from backend import settings
from backend.identity.errors import AccountLocked
from backend.storage import database, utcnow


def count_attempt(account: str) -> None:
    """Count one attempt before its password is looked at; raises AccountLocked when there were too many.

    Counting first, in one atomic update, lets no more guesses through when many arrive at the same moment.
    """
    chosen, now = settings.current(), utcnow()
    first = {"_id": _key(account), "count": 1, "expires_at": now + timedelta(minutes=chosen.login_lock_minutes)}
    running = {"$gt": ["$expires_at", now]}
    counted = {"$cond": [running, {"$add": ["$count", 1]}, 1]}
    # The attempt that locks sets the end of the lock; later ones do not move it.
    locked = {"$and": [running, {"$gte": ["$count", chosen.login_attempts]}]}
    update = [{"$set": {"count": counted, "expires_at": {"$cond": [locked, "$expires_at", first["expires_at"]]}}}]
    entry = None
    while entry is None:
        # Of several that would make the entry at the same moment, all but one fail and count on what that one made.
        # Not an upsert: the embedded store may answer those with a count that holds the attempts after theirs too.
        entry = _attempts().find_one_and_update(
            {"_id": first["_id"]}, update, return_document=ReturnDocument.AFTER
        ) or _made(first)
    if entry["count"] > chosen.login_attempts:
        raise AccountLocked(retry_after=_seconds_until(entry["expires_at"], now))


def _made(entry: dict[str, Any]) -> dict[str, Any] | None:
    with suppress(DuplicateKeyError):
        _attempts().insert_one(entry)
        return entry
    return None


def forget_attempts(account: str) -> None:
    """Start counting anew: after the right password, or when an administrator resets it."""
    _attempts().delete_one({"_id": _key(account)})


def ensure_attempt_indexes() -> None:
    """Let the store drop old counts by itself."""
    _attempts().create_index("expires_at", expireAfterSeconds=0)


def _attempts() -> Collection[dict[str, Any]]:
    return database()["login_attempts"]


def _key(account: str) -> bytes:
    # People type passwords into the wrong field; so the name is not kept as typed.
    return hashlib.sha256(account.encode("utf-8", "surrogatepass")).digest()


def _seconds_until(end: datetime, now: datetime) -> int:
    return max(1, int((end - now).total_seconds()))

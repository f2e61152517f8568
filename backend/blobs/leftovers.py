"""What is left behind: objects that no record points to, and blobs that nothing refers to.

The first come from killed processes. The second from requests that died between keeping a blob and writing the record
that was to name it; so each blob is looked at once, a day after it was put. Blobs that lose their meaning later are
the business of whoever deletes the records: see `release`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from backend import storage
from backend.blobs.content import shred
from backend.blobs.objects import objects
from backend.blobs.records import key_name, records, uploads

DAY_SECONDS = 86_400
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class BlobUser:
    """Whoever keeps blobs: `name` is what `put_blob` was told as `user`.

    `referenced` is asked with a district and hashes, and returns those hashes that a record of this user names there. A
    blob goes a day after it was put when all users that put it are known and none of them names it.
    """

    name: str
    referenced: Callable[[str, Sequence[str]], Collection[str]]


_users: dict[str, BlobUser] = {}


def install_users(users: Iterable[BlobUser]) -> None:
    """Make these the users that are asked in this process."""
    _users.clear()
    _users.update((user.name, user) for user in users)


def remove_orphans(*, older_than_seconds: float = DAY_SECONDS) -> int:
    """Delete objects that no record points to and return how many: what killed processes left behind.

    The age must exceed the longest upload, or a blob being put would lose its object.
    """
    removed = 0
    names = objects().names(older_than_seconds=older_than_seconds)
    while batch := list(islice(names, BATCH)):
        kept = {record["object"] for record in records().find({"object": {"$in": batch}}, {"object": 1})}
        arriving = uploads().find({"parts.object": {"$in": batch}}, {"parts.object": 1})
        kept |= {part["object"] for upload in arriving for part in upload["parts"]}
        for name in set(batch) - kept:
            objects().delete(name)
            removed += 1
    return removed


def remove_unreferenced(*, older_than_seconds: float = DAY_SECONDS) -> int:
    """Shred the blobs that were put so long ago and that no user names, and return how many.

    A blob of a user that is not known here, a module that is switched off for example, is left for later.
    """
    before = storage.utcnow() - timedelta(seconds=older_than_seconds)
    shredded, position = 0, ""
    while True:
        waiting = {"unsettled": True, "_id": {"$gt": position}}
        rows = list(records().find(waiting).sort("_id").limit(BATCH))
        if not rows:
            return shredded
        position = rows[-1]["_id"]
        judged = [row for row in rows if row["put_at"] < before and _users.keys() >= set(row["users"])]
        named = _named(judged)
        for row in judged:
            if row["_id"] in named:
                # Put again since it was read, it is looked at again.
                found = {"_id": row["_id"], "put_at": row["put_at"]}
                records().update_one(found, {"$set": {"unsettled": False}})
            else:
                shredded += shred(row["sha256"], space=row["space"], put_before=before)


def release(hashes: Collection[str], *, space: str) -> list[str]:
    """Shred those of the blobs that no user names any more, and return all of them that are gone, in order.

    Call it after the records that named them say so no longer; called again it goes on where it was killed.
    """
    before, keys = storage.utcnow(), [key_name(space, sha256) for sha256 in hashes]
    rows = list(records().find({"_id": {"$in": keys}}))
    judged = [row for row in rows if row["object"] is not None and _users.keys() >= set(row["users"])]
    named = _named(judged)
    gone = {row["sha256"] for row in rows if row["object"] is None}
    for row in judged:
        if row["_id"] not in named and shred(row["sha256"], space=space, put_before=before):
            gone.add(row["sha256"])
    return sorted(gone)


def _named(rows: Iterable[dict[str, Any]]) -> set[str]:
    """Return the ids of the rows that some user names; what a user raises ends the job, and nothing is lost."""
    by_space: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_space[row["space"]].append(row)
    named = set()
    for space, members in by_space.items():
        hashes = [row["sha256"] for row in members]
        held = {sha256 for user in _users.values() for sha256 in user.referenced(space, hashes)}
        named |= {row["_id"] for row in members if row["sha256"] in held}
    return named

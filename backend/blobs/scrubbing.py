"""The scrub: every blob is read again and again, and what has rotted is named with its place.

A run of the job reads as much as its budget allows and leaves a cursor, so the next run goes on there, whichever
process it is in; after the last blob a new round begins. What was found bad stands until the blob is healed (the same
content is put again: it then has a new object), is shredded, or a later round finds it sound.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from backend import settings, storage
from backend.blobs.content import read_record
from backend.blobs.errors import BlobDamaged, BlobMissing
from backend.blobs.records import records

#: Blobs between two notes of the cursor.
BATCH = 50
#: So many bad blobs are named at most, and so many counted.
SHOWN, COUNTED = 100, 1000
#: Longest time that one run of the job reads, in seconds.
RUN_SECONDS = 40.0

Tell = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class RottenBlob:
    """A blob that cannot be read as it was written.

    `chunk` is the first bad chunk, counted from 0, and `offset` where its content begins in the plain file, in bytes;
    both are None when the whole object is missing or the blob's key does not open.
    """

    space: str
    sha256: str
    size: int
    kind: Literal["damaged", "missing"]
    chunk: int | None
    offset: int | None
    found_at: datetime


@dataclass(frozen=True, kw_only=True)
class ScrubStatus:
    """How the scrub stands: of the last full round its end, its length in seconds and how many blobs it read.

    `started_at`, `checked` and `bytes` are those of the round under way. `rotten` names at most 100, the oldest first;
    `rotten_count` counts to 1000.
    """

    finished_at: datetime | None
    round_seconds: float | None
    round_checked: int
    started_at: datetime | None
    checked: int
    bytes: int
    rotten: tuple[RottenBlob, ...]
    rotten_count: int


def scrub(*, max_bytes: int | None = None, max_seconds: float = RUN_SECONDS) -> bool:
    """Read on from where the last run stopped, within the budget; returns whether the round came to its end.

    The bytes default to the setting. A blob that was begun is read to its end. Raises BlobStoreUnavailable.
    """
    budget = settings.current().scrub_bytes if max_bytes is None else max_bytes
    return _read_on(_round(), budget, time.monotonic() + max_seconds)


def scrub_job() -> None:
    """Do one run: the platform's job `blobs.scrub`."""
    scrub()


def scrub_all(tell: Tell = lambda _: None) -> ScrubStatus:
    """Begin a new round, read every blob without a budget and return how it stands; a run of the job gives way."""
    fresh = _new_round()
    _rounds().update_one({"_id": "round"}, {"$set": fresh}, upsert=True)
    _read_on({"_id": "round", **fresh}, None, None, tell)
    return scrub_status()


def scrub_status() -> ScrubStatus:
    """Return how the scrub stands."""
    state = _rounds().find_one({"_id": "round"}) or {}
    rotten = _still_rotten()
    return ScrubStatus(
        finished_at=state.get("finished_at"),
        round_seconds=state.get("round_seconds"),
        round_checked=state.get("round_checked", 0),
        started_at=state.get("started_at"),
        checked=state.get("checked", 0),
        bytes=state.get("bytes", 0),
        rotten=tuple(rotten[:SHOWN]),
        rotten_count=len(rotten),
    )


def _read_on(state: dict[str, Any], budget: int | None, until: float | None, tell: Tell = lambda _: None) -> bool:
    spent = 0
    rows = records().find({"_id": {"$gt": state["position"]}, "object": {"$ne": None}}).sort("_id").batch_size(BATCH)
    while batch := list(islice(rows, BATCH)):
        for row in batch:
            if (budget is not None and spent >= budget) or (until is not None and time.monotonic() >= until):
                _note(state, state)
                return False
            _check(row, state["round"])
            spent += row["size"]
            state |= {"position": row["_id"], "checked": state["checked"] + 1, "bytes": state["bytes"] + row["size"]}
        if not _note(state, state):  # another process has begun a round of its own
            return False
        tell(f"已检查 {state['checked']} 个文件，{state['bytes'] / 1e6:.0f} MB。")
    now = storage.utcnow()
    _faults().delete_many({"round": {"$ne": state["round"]}})  # what this round found is all there is
    whole = {
        "finished_at": now,
        "round_seconds": (now - state["started_at"]).total_seconds(),
        "round_checked": state["checked"],
    }
    return _note(state, {**_new_round(), **whole})


def _check(row: Mapping[str, Any], number: str) -> None:
    """Read one blob; write down what is wrong with it, or that nothing is."""
    kind, chunk = _fault(row)
    if not kind:
        _faults().delete_one({"_id": row["_id"]})
        return
    offset = None if chunk is None else chunk * row["chunk"]
    seen = {"object": row["object"], "kind": kind, "chunk": chunk, "offset": offset, "round": number}
    first = {"space": row["space"], "sha256": row["sha256"], "size": row["size"], "found_at": storage.utcnow()}
    _faults().update_one({"_id": row["_id"]}, {"$set": seen, "$setOnInsert": first}, upsert=True)


def _fault(row: Mapping[str, Any]) -> tuple[str, int | None]:
    digest = hashlib.sha256()
    try:
        for part in read_record(row):
            digest.update(part)
    except BlobDamaged as error:
        return "damaged", error.chunk
    except BlobMissing:
        return "missing", None
    return ("", None) if digest.hexdigest() == row["sha256"] else ("damaged", 0)


def _still_rotten() -> list[RottenBlob]:
    """Return the faults whose blob still has the object that was found bad."""
    faults = list(_faults().find().sort("found_at").limit(COUNTED))
    now = {row["_id"]: row["object"] for row in records().find({"_id": {"$in": [each["_id"] for each in faults]}})}
    names = ("space", "sha256", "size", "kind", "chunk", "offset", "found_at")
    standing = [each for each in faults if now.get(each["_id"]) == each["object"]]
    return [RottenBlob(**{name: each[name] for name in names}) for each in standing]


def _round() -> dict[str, Any]:
    """Return the round under way, or begin the first one."""
    state = _rounds().find_one({"_id": "round"})
    if state is None:
        with suppress(DuplicateKeyError):  # another process was faster
            _rounds().insert_one({"_id": "round", **_new_round()})
        return _round()
    return state


def _new_round() -> dict[str, Any]:
    return {"round": uuid.uuid4().hex, "started_at": storage.utcnow(), "position": "", "checked": 0, "bytes": 0}


def _note(state: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Keep how far this process is, unless another round has begun since; two that are in one round are both right."""
    kept = {name: value for name, value in new.items() if name != "_id"}
    return bool(_rounds().update_one({"_id": "round", "round": state["round"]}, {"$set": kept}).matched_count)


def _rounds() -> Collection[dict[str, Any]]:
    return storage.database()["blob_scrub"]


def _faults() -> Collection[dict[str, Any]]:
    return storage.database()["blob_faults"]

"""The ledger: an act writes its entry in its own transaction; the entry gets its place in the chain right after.

Between the two an entry waits in `evidence_ledger_waiting`, so an act and its entry stand or fall together and no act
ever waits for another one's place in the chain. There is one chain for each district; nothing in it is ever changed or
removed. What a killed process left waiting is chained by the next act, or by the job `evidence.chain`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from bson import ObjectId
from mongoengine.errors import NotUniqueError
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    after_commit,
    atomically,
    current_actor,
    current_settings,
    district_of,
    get_logger,
    insert_later,
    utcnow,
)
from plugins.evidence.custody.canonical import NOTHING_BEFORE, canonical, entry_bytes, link
from plugins.evidence.custody.models import KINDS, LedgerEntry, LedgerHead, WaitingEntry
from plugins.evidence.custody.signing import UnknownKey, sign, signed

T = TypeVar("T")

log = get_logger(__name__)

WAITING = WaitingEntry._meta["collection"]
#: Entries that are chained in one transaction.
BATCH = 500
#: Rounds that one act chains for others that came meanwhile; the rest is left to them, or to the job.
ROUNDS = 3
#: Attempts to move a head that others move, too.
ATTEMPTS = 5
HEAD_FIELDS = ("seq", "hash", "roots", "rooted", "root_hash")
EMPTY_HEAD: dict[str, Any] = {"seq": 0, "hash": NOTHING_BEFORE, "roots": 0, "rooted": 0, "root_hash": NOTHING_BEFORE}


class LedgerBroken(Exception):
    """The head of a district's chain is missing or forged: hanging on to it would hide that. `verify` tells more."""


class Overtaken(Exception):
    """Another process moved the head first."""


@dataclass(frozen=True)
class Chaining:
    """The wish to have a district's waiting entries chained; equal ones are one wish."""

    district: str

    def __call__(self) -> None:
        """Chain, or leave it to the thread that is at it; what goes wrong is logged, for the act is done already."""
        _asked.add(self.district)
        for _ in range(ROUNDS):
            if not _asked or not _turn.acquire(blocking=False):
                return
            try:
                chain(_asked.pop())
            except Exception as error:
                log.warning("ledger_waits", district=self.district, error=f"{type(error).__name__}: {error}"[:200])
            finally:
                _turn.release()


# Districts that wait to be chained by this process, and the right to do so: its threads need not race each other.
_asked: set[str] = set()
_turn = threading.Lock()


def note(
    kind: str,
    *,
    area: str,
    subject: str,
    subject_id: str,
    case: str = "",
    sha256: str = "",
    purpose: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one entry in the current transaction; it is chained once that is committed.

    `detail` holds plain JSON without floats and nothing private: an entry can never be taken back. Raises LookupError
    for a kind that is not one of KINDS, TypeError or ValueError for a detail that is no such JSON.
    """
    if kind not in KINDS:
        raise LookupError(f"There is no kind of ledger entry {kind!r}.")
    check_detail(detail or {})
    district = district_of(area)
    entry = {
        "_id": ObjectId(),
        "district": district,
        "at": utcnow(),
        "kind": kind,
        "subject": subject,
        "subject_id": subject_id,
        "case": case,
        "sha256": sha256,
        "purpose": purpose,
        "actor": asdict(current_actor()),
        "area": area,
        "detail": dict(detail or {}),
    }
    insert_later(WAITING, entry)
    after_commit(Chaining(district))


def check_detail(value: Any) -> None:
    """Raise TypeError or ValueError unless this is JSON that has one way only to be written, and can be stored."""
    match value:
        case None | bool():
            return
        case str():
            value.encode()  # a lone surrogate has no UTF-8
        case int():
            if not -(2**63) <= value < 2**63:
                raise ValueError("A whole number in a ledger entry must fit into 64 bits.")
        case Mapping():
            for name, member in value.items():
                if not isinstance(name, str) or not name or name.startswith("$") or set(name) & {".", "\0"}:
                    raise TypeError(f"{name!r} cannot be a name in a ledger entry.")
                check_detail(name)
                check_detail(member)
        case list() | tuple():
            for member in value:
                check_detail(member)
        case _:
            raise TypeError(f"A ledger entry cannot hold a {type(value).__name__}: give floats as text.")


def chain(district: str) -> int:
    """Give every waiting entry of a district its place in the chain; returns how many. Any number may do so at once.

    Raises LedgerBroken, and what the store raises.
    """
    chained = 0
    while count := try_again(lambda: _chain_batch(district)):
        chained += count
        if count < BATCH:
            break
    return chained


def chain_waiting() -> int:
    """Chain what waits in any district: what killed processes left; returns how many."""
    return sum(chain(district) for district in WaitingEntry._get_collection().distinct("district"))


def head_of(district: str) -> dict[str, Any]:
    """Return the head of a district's chain, that of an empty chain when there is none; raises LedgerBroken."""
    row = LedgerHead._get_collection().find_one({"_id": district})
    if row is None:
        return dict(EMPTY_HEAD)
    try:
        right = signed(head_bytes(district, row), row["signature"])
    except (UnknownKey, KeyError, TypeError, ValueError, AttributeError):
        right = False
    if not right:
        raise LedgerBroken(f"The head of the ledger of {district!r} is not as it was signed.")
    return row


def move_head(district: str, old: Mapping[str, Any], **changes: Any) -> None:
    """Put a newly signed head in the place of the one that was read; raises Overtaken."""
    new = {**{name: old[name] for name in HEAD_FIELDS}, **changes}
    new["signature"] = sign(head_bytes(district, new)).as_dict()
    heads = LedgerHead._get_collection()
    if "_id" not in old:
        heads.insert_one({"_id": district, **new})
    elif not heads.update_one(
        {"_id": district, "seq": old["seq"], "roots": old["roots"]}, {"$set": new}
    ).modified_count:
        raise Overtaken


def head_bytes(district: str, head: Mapping[str, Any]) -> bytes:
    """Return what is signed of a head."""
    return canonical({"district": district, **{name: head[name] for name in HEAD_FIELDS}})


def try_again(work: Callable[[], T]) -> T:
    """Run `work`, which moves a head, in a transaction; when another process was faster, again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return atomically(work)
        except (Overtaken, DuplicateKeyError, NotUniqueError):
            continue
    return atomically(work)


def _chain_batch(district: str) -> int:
    rows = list(WaitingEntry._get_collection().find({"district": district}).sort("_id").limit(BATCH))
    if rows:
        append(district, rows)
        WaitingEntry._get_collection().delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
    return len(rows)


def append(district: str, rows: list[dict[str, Any]]) -> None:
    """Put entries at the end of the chain, in their order and in the current transaction; each gets its place."""
    head, hash_name = head_of(district), current_settings().ledger_hash
    seq, previous = head["seq"], head["hash"]
    for row in rows:
        seq += 1
        row |= {"seq": seq, "hash_name": hash_name}
        row["hash"] = link(hash_name, previous, entry_bytes(row))
        row["previous"], previous = previous, row["hash"]
    # The head first: whoever comes second learns it before all entries are sent.
    move_head(district, head, seq=seq, hash=previous)
    LedgerEntry._get_collection().insert_many(rows)

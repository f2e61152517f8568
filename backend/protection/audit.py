"""The audit trail: who did what to which record, in a form that cannot be changed unnoticed.

An entry is inserted in the transaction of what it tells, with a keyed hash (MAC) over its content. `seal` then gives
the entries a gapless `seq` and chains each to the one before by a second keyed hash; a signed head remembers the last.
`verify` walks the chain and names the first entry that was altered, removed, inserted or moved. Whoever has the
database but not the master key cannot make a MAC, a link or a head. Two things no chain inside a database can show by
itself: an entry removed before it was sealed (seconds), and a trail put back to an earlier state from which it was
sealed anew. Against the latter write down now and then the head that `verify` gives, and hand it to `verify` again.

There is no function that changes or removes an entry.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import bson
from bson import ObjectId
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from backend import storage
from backend.protection.actor import Actor, current_actor
from backend.protection.keys import AUDIT, current_key

#: Entries of one step of sealing, and of one reading of `verify`.
BATCH: Final = 500

_HEAD: Final = "head"
_LINK_FIELDS: Final = ("seq", "previous", "hash")


@dataclass(frozen=True)
class Entry:
    """One entry; `seq` is None until it is sealed."""

    id: str
    at: datetime
    actor: Actor
    action: str
    subject: str
    subject_id: str
    area: str
    detail: Mapping[str, Any]
    seq: int | None


@dataclass(frozen=True)
class Fault:
    """The first thing wrong in the chain; `entry_id` is None where an entry is missing."""

    kind: Literal["altered", "removed", "inserted", "moved", "head", "rewritten"]
    seq: int
    entry_id: str | None = None


@dataclass(frozen=True)
class Verification:
    """What `verify` found: entries that are right before the first fault, and the head to write down."""

    checked: int
    head: str
    fault: Fault | None = None

    @property
    def sentence(self) -> str:
        """The result for a person, in one sentence."""
        if self.fault is None:
            return f"审计链完整，共 {self.checked} 条，末条校验值 {self.head or '无'}。"
        found = {
            "altered": "的内容被改动",
            "removed": "缺失（被删除）",
            "inserted": "不属于审计链（被插入）",
            "moved": "的位置被改动",
            "head": "之后的链尾记录缺失或被改动",
            "rewritten": "与抄存的校验值不符（审计链被重写）",
        }[self.fault.kind]
        number = f"（编号 {self.fault.entry_id}）" if self.fault.entry_id else ""
        return f"审计链被破坏：第 {self.fault.seq} 条{number}{found}，此前 {self.checked} 条完整。"


class NotAHead(ValueError):
    """The text is not a head as `verify` gives it, `number:hash`."""


def ensure_indexes() -> None:
    """Create the indexes of the trail: one finds unsealed entries and walks the chain, one gives a record's history."""
    _entries().create_index([("seq", 1)])
    _entries().create_index([("subject", 1), ("subject_id", 1), ("_id", -1)])


def record(
    action: str, *, subject: str, subject_id: str, area: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """Write one entry in the current transaction; `action` is `module.noun.verb`, such as base_info.compound.change.

    `detail` holds plain JSON values, never the value of a private field. A look at private data in the clear is
    `module.noun.reveal` with `{"fields": [...], "purpose": ...}`.
    """
    storage.insert_later("audit_entries", _new_entry(_origin(), action, subject, subject_id, area, dict(detail or {})))


def record_many(action: str, *, subject: str, area: str, details: Mapping[str, Mapping[str, Any]]) -> None:
    """Write one entry for all records of one place that an act wrote together, with what it did to each by its id.

    It is found in the history of each of them; an import of thousands makes no more than a few hundred.
    """
    if details:
        every = [dict(detail) for detail in details.values()]
        storage.insert_later("audit_entries", _new_entry(_origin(), action, subject, list(details), area, every))


def history(subject: str, subject_id: str, limit: int = 50, cursor: str | None = None) -> list[Entry]:
    """Return a record's entries, newest first; `cursor` is the id of the last entry of the page before."""
    query: dict[str, Any] = {"subject": subject, "subject_id": subject_id}
    if cursor:
        query["_id"] = {"$lt": ObjectId(cursor)}
    return [_entry(row, subject_id) for row in _entries().find(query).sort("_id", -1).limit(limit)]


def _origin() -> dict[str, Any]:
    return {"at": storage.utcnow(), "actor": dict(vars(current_actor()))}


def _new_entry(
    origin: Mapping[str, Any], action: str, subject: str, subject_id: str | list[str], area: str, detail: Any
) -> dict[str, Any]:
    """Return what is stored; for several records `subject_id` is a list, and `detail` one of the same length."""
    entry: dict[str, Any] = {
        "_id": ObjectId(),
        **origin,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "area": area,
        "detail": detail,
    }
    entry["mac"] = _mac(entry)
    return entry


def seal() -> int:
    """Chain all entries that are not chained yet; returns how many. Any number of processes may do so at once."""
    sealed = 0
    while batch := _seal_batch():
        sealed += batch
    return sealed


def verify(noted: str = "") -> Verification:
    """Seal, then walk the whole chain in constant memory and stop at the first fault.

    `noted` is a head that an earlier verification gave: the chain must still go through it. Raises NotAHead.
    """
    noted_seq, noted_hash = _noted(noted)
    seal()
    seq, previous = 0, b""
    while True:
        head = _head()
        fault = None if head is None or _is_signed(head) else Fault("head", seq)
        last = head["seq"] if head is not None and fault is None else 0
        for number, rows in _positions(seq + 1, last):
            fault = _fault_at(number, rows, previous)
            if fault is None and number == noted_seq and rows[0]["hash"] != noted_hash:
                fault = Fault("rewritten", number, str(rows[0]["_id"]))
            if fault is not None:
                break
            seq, previous = number, rows[0]["hash"]
        if fault is None:
            fault = _fault_after(seq, previous, head)
            if fault is not None and _moved_on(head):
                continue  # sealing went on meanwhile: go on to the new head
        if fault is None and seq < noted_seq:
            fault = Fault("removed", seq + 1)
        return Verification(seq, f"{seq}:{previous.hex()}" if seq else "", fault)


def _seal_batch() -> int:
    """Chain up to BATCH entries and return how many; 0 when none is left.

    The one write that counts is that of the head, which takes the new links with it: of several processes one gets it
    through, and after a crash the next one finds there what is still to be put on the entries. The order is that in
    which sealing sees the entries: a transaction that commits late goes behind, whatever its ids.
    """
    while True:
        head = _head()
        if (head is None and _beyond(0) is not None) or (head is not None and not _is_signed(head)):
            return 0  # nothing can be hung on a lost or forged head without hiding that; `verify` tells of it
        seq, previous = (head["seq"], head["hash"]) if head else (0, b"")
        links = []
        for row in _entries().find({"seq": None}, {"mac": 1}).sort("_id").limit(BATCH):
            following = _link(previous, row.get("mac"))
            links.append({"_id": row["_id"], "seq": seq + 1, "previous": previous, "hash": following})
            seq, previous = seq + 1, following
        if not links:
            return 0
        signed = {"seq": seq, "hash": previous, "mac": _head_mac(seq, previous), "links": links}
        if _replace_head(head, signed):
            _head()
            return len(links)


def _head() -> dict[str, Any] | None:
    """Return the head, once the links that it took with it are on their entries."""
    head = _heads().find_one({"_id": _HEAD})
    if head is not None and head.get("links"):
        _entries().bulk_write(
            [
                UpdateOne({"_id": link["_id"], "seq": None}, {"$set": {name: link[name] for name in _LINK_FIELDS}})
                for link in head["links"]
            ],
            ordered=False,
        )
        _heads().update_one({"_id": _HEAD, "mac": head["mac"]}, {"$unset": {"links": ""}})
    return head


def _replace_head(old: dict[str, Any] | None, new: dict[str, Any]) -> bool:
    """Put the new head in the place of the old one; False when another process was faster."""
    if old is not None:
        return _heads().update_one({"_id": _HEAD, "mac": old["mac"]}, {"$set": new}).modified_count == 1
    try:
        _heads().insert_one({"_id": _HEAD, **new})
    except DuplicateKeyError:
        return False
    return True


def _positions(first: int, last: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield each position and what lies there, a batch at a time."""
    for start in range(first, last + 1, BATCH):
        stop = min(start + BATCH, last + 1)
        at: dict[int, list[dict[str, Any]]] = {number: [] for number in range(start, stop)}
        odd: list[dict[str, Any]] = []
        for row in _entries().find({"seq": {"$gte": start, "$lt": stop}}):
            (at[row["seq"]] if isinstance(row["seq"], int) else odd).append(row)
        for row in odd:  # a seq that is no whole number is an altered one: it left a gap
            at[next((number for number, rows in at.items() if not rows), start)].append(row)
        yield from at.items()


def _fault_at(number: int, rows: list[dict[str, Any]], previous: bytes) -> Fault | None:
    """Judge what lies at one position, given the hash of the entry before."""
    if not rows:
        return Fault("removed", number)
    faults = [_fault_of(row, number, previous) for row in rows]
    if len(rows) == 1:
        return faults[0]
    # More than one claims the place: the stranger is the one that does not fit; of two that fit, either.
    stranger = next((row for row, fault in zip(rows, faults, strict=True) if fault), rows[-1])
    return Fault("inserted", number, str(stranger["_id"]))


def _fault_of(row: dict[str, Any], number: int, previous: bytes) -> Fault | None:
    mac, link = row.get("mac"), row.get("hash")
    own = row.get("previous")
    if not isinstance(row["seq"], int) or not _same(mac, _mac(row)):
        return Fault("altered", number, str(row["_id"]))
    if not isinstance(own, bytes) or not _same(link, _link(own, mac)):
        return Fault("altered", number, str(row["_id"]))
    return None if own == previous else Fault("moved", number, str(row["_id"]))


def _fault_after(seq: int, previous: bytes, head: dict[str, Any] | None) -> Fault | None:
    """Judge what lies behind the last entry: nothing may, and the head must say so."""
    if head is not None and previous != head["hash"]:
        return Fault("head", seq)
    stray = _beyond(seq)
    if stray is None:
        return None
    return Fault("head", seq) if head is None else Fault("inserted", seq + 1, str(stray["_id"]))


def _moved_on(head: dict[str, Any] | None) -> bool:
    now = _heads().find_one({"_id": _HEAD}, {"mac": 1}) or {}
    return bool(now.get("mac") != (head or {}).get("mac"))


def _beyond(seq: int) -> dict[str, Any] | None:
    """Find an entry with a seq that lies outside of the chain, whatever its type."""
    outside = [{"seq": {"$gt": seq}}, {"seq": {"$not": {"$gte": 1}}}]
    return _entries().find_one({"seq": {"$ne": None}, "$or": outside}, {"_id": 1})


def _entries() -> Collection[dict[str, Any]]:
    return storage.database()["audit_entries"]


def _heads() -> Collection[dict[str, Any]]:
    return storage.database()["audit_head"]


def _mac(row: Mapping[str, Any]) -> bytes:
    """Hash the content: every stored field but those of the chain, in stored order and types."""
    content = {name: value for name, value in row.items() if name != "mac" and name not in _LINK_FIELDS}
    return hmac.digest(current_key(AUDIT).secret, b"entry\0" + bson.encode(content), "sha256")


def _link(previous: bytes, mac: object) -> bytes:
    told = mac if isinstance(mac, bytes) else b""  # a forged entry is chained as it is, and found by its MAC
    return hmac.digest(current_key(AUDIT).secret, b"link\0" + previous + b"\0" + told, "sha256")


def _head_mac(seq: int, last: bytes) -> bytes:
    return hmac.digest(current_key(AUDIT).secret, f"head\0{seq}\0".encode() + last, "sha256")


def _is_signed(head: Mapping[str, Any]) -> bool:
    seq, last = head.get("seq"), head.get("hash")
    return isinstance(seq, int) and isinstance(last, bytes) and _same(head.get("mac"), _head_mac(seq, last))


def _noted(text: str) -> tuple[int, bytes]:
    try:
        number, digest = text.split(":") if text else ("0", "")
        return int(number), bytes.fromhex(digest)
    except ValueError:
        raise NotAHead(f"校验值应形如 128:3fa9…，收到的是 {text!r}。") from None


def _same(stored: object, expected: bytes) -> bool:
    return isinstance(stored, bytes) and hmac.compare_digest(stored, expected)


def _entry(row: Mapping[str, Any], subject_id: str) -> Entry:
    """Return an entry as far as it tells of one record."""
    return Entry(
        id=str(row["_id"]),
        actor=Actor(**row["actor"]),
        subject_id=subject_id,
        detail=detail_of(row, subject_id),
        seq=row.get("seq"),
        **{name: row[name] for name in ("at", "action", "subject", "area")},
    )


def detail_of(row: Mapping[str, Any], subject_id: str) -> Mapping[str, Any]:
    """Return what a stored entry tells of one of its records."""
    detail: Any = row["detail"]
    if isinstance(row["subject_id"], list):
        detail = detail[row["subject_id"].index(subject_id)]
    return dict(detail)


def entries() -> Collection[dict[str, Any]]:
    """Return where the entries lie, for lists with conditions; nothing else is to be done with it than read."""
    return _entries()

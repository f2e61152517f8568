"""Verification: the whole ledger of a district walked in constant memory, up to the first thing that is wrong.

Whoever has the store but not the platform's keys can change nothing unseen: every entry hangs on the one before, the
roots cover the entries, each other and the stamps, and roots, stamps and the head are signed. One thing no ledger can
show by itself: all of it put back to an earlier state. Against that stand the roots that others hold, in packages that
were handed over and with the time stamp authority.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.collection import Collection

from backend.plugin_api import utcnow
from plugins.evidence.custody.authorities import Unanswered
from plugins.evidence.custody.canonical import (
    HASHES,
    NOTHING_BEFORE,
    canonical,
    root_bytes,
    root_hash,
    sha256,
    stamp_bytes,
)
from plugins.evidence.custody.ledger import EMPTY_HEAD, chain, head_bytes
from plugins.evidence.custody.merkle import Tree
from plugins.evidence.custody.models import LedgerCheck, LedgerEntry, LedgerHead, LedgerRoot
from plugins.evidence.custody.signing import UnknownKey, forget_keys, signed
from plugins.evidence.custody.stamping import examine

Place = Literal["entry", "root", "stamp", "head"]

#: Entries of one reading.
BATCH = 1000
STAMPS = ("none", "waiting", "stamped", "failed")
#: What reading something altered may raise on the way.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

PLACES = {"entry": "第 {number} 条", "root": "第 {number} 个根", "stamp": "第 {number} 个根的时间戳", "head": "链尾"}
FOUND = {
    "altered": "的内容被改动",
    "removed": "缺失（被删除）",
    "inserted": "不属于存证链（被插入）",
    "moved": "的位置被改动",
    "unsigned": "的签名不正确",
    "uncovered": "所覆盖的条目与其默克尔根不符",
}


@dataclass(frozen=True)
class Fault:
    """The first thing wrong: where (an entry's seq, a root's number, 0 for the head) and what."""

    place: Place
    number: int
    what: str

    @property
    def sentence(self) -> str:
        """The fault in Chinese."""
        return PLACES[self.place].format(number=self.number) + FOUND[self.what]


@dataclass(frozen=True)
class Verification:
    """What a verification found: how much was right before the first fault, and when and how long it took."""

    district: str
    entries: int
    roots: int
    stamps: int
    at: datetime
    seconds: float
    fault: Fault | None = None

    @property
    def sentence(self) -> str:
        """The result for a person, in one sentence."""
        if self.fault is None:
            return f"存证链完整：{self.entries} 条，{self.roots} 个根，{self.stamps} 个时间戳。"
        return f"存证链被破坏：{self.fault.sentence}，此前 {self.entries} 条、{self.roots} 个根完整。"

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored and shown."""
        fault = None if self.fault is None else {**asdict(self.fault), "sentence": self.fault.sentence}
        return {**asdict(self), "fault": fault, "sentence": self.sentence}


def verify(district: str) -> Verification:
    """Chain what waits, then walk entries, roots, signatures and stamps of a district; call it outside a transaction.

    Reading goes on while others write: what was added meanwhile is walked, too.
    """
    at, begun = utcnow(), time.monotonic()
    forget_keys()
    walk = _Walk(district)
    with suppress(Exception):  # a broken chain takes no more entries; the walk says what is wrong
        chain(district)
    try:
        walk.to_the_end()
        fault = None
    except _Found as found:
        fault = found.fault
    return Verification(district, walk.seq, walk.roots, walk.stamps, at, round(time.monotonic() - begun, 3), fault)


def verify_and_keep(district: str) -> Verification:
    """Verify a district and keep the result for those who ask how the ledger stands."""
    found = verify(district)
    kept = {**found.as_dict(), "_id": district}
    LedgerCheck._get_collection().replace_one({"_id": district}, kept, upsert=True)
    return found


def districts() -> list[str]:
    """Return every district that a head, a root or an entry names."""
    heads = LedgerHead._get_collection().distinct("_id")
    named = {*heads, *LedgerRoot._get_collection().distinct("district")}
    return sorted({*named, *LedgerEntry._get_collection().distinct("district")}, key=str)


class _Found(Exception):
    def __init__(self, place: Place, number: int, what: str) -> None:
        super().__init__(place, number, what)
        self.fault = Fault(place, number, what)


@dataclass
class _Walk:
    """How far a walk has come: `seq` and `previous` in the entries, `roots`, `rooted` and `root_hash` in the roots."""

    district: str
    seq: int = 0
    previous: str = NOTHING_BEFORE
    # Hashes of the entries that no root covers yet, as far as they were walked.
    open: list[bytes] = field(default_factory=list)
    roots: int = 0
    rooted: int = 0
    root_hash: str = NOTHING_BEFORE
    stamps: int = 0
    # SHA-256 of the token of the last root, "" when it has none.
    token: str = ""

    def to_the_end(self) -> None:
        """Walk to the head, and on when it has moved meanwhile; raises _Found."""
        head = self.head()
        while True:
            for number, rows in self.each_root(head["roots"]):
                self.root(number, rows)
            self.entries(head["seq"])
            if self.previous != head["hash"] or self.root_hash != head["root_hash"]:
                raise _Found("head", 0, "altered")
            stray, now = self.beyond(head), self.head()
            if all(now[name] == head[name] for name in ("seq", "roots")):
                if stray is not None:
                    raise stray
                return
            head = now

    def head(self) -> dict[str, Any]:
        """Return the head, once its signature is right."""
        row = LedgerHead._get_collection().find_one({"_id": self.district})
        if row is None:
            if LedgerEntry._get_collection().find_one({"district": self.district}, {"_id": 1}) is None:
                return dict(EMPTY_HEAD)
            raise _Found("head", 0, "removed")
        if not _right(lambda: signed(head_bytes(self.district, row), row["signature"])):
            raise _Found("head", 0, "unsigned")
        return row

    def each_root(self, last: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Yield the number of each root up to `last` and what lies there."""
        for start in range(self.roots + 1, last + 1, 100):
            stop = min(start + 100, last + 1)
            at: dict[int, list[dict[str, Any]]] = {number: [] for number in range(start, stop)}
            query = {"district": self.district, "number": {"$gte": start, "$lt": stop}}
            for row in _leniently(LedgerRoot).find(query):
                at.get(row["number"], at[start]).append(row)
            yield from at.items()

    def root(self, number: int, rows: list[dict[str, Any]]) -> None:
        """Judge a root, then the entries that it covers, then its stamp."""
        if len(rows) != 1:
            raise _Found("root", number, "inserted" if rows else "removed")
        row = rows[0]
        if not _right(lambda: signed(root_bytes(row), row["signature"])):
            raise _Found("root", number, "unsigned")
        if (row["number"], row["first"], row["previous_root"]) != (number, self.rooted + 1, self.root_hash):
            raise _Found("root", number, "moved")
        if row["previous_stamp"] not in ("", self.token):
            raise _Found("stamp", number - 1, "altered" if self.token else "removed")
        self.entries(row["last"])
        tree, size = Tree(HASHES[row["hash_name"]]), row["last"] - self.rooted
        for entry in self.open[:size]:
            tree.add(entry)
        if tree.root().hex() != row["root"]:
            raise _Found("root", number, "uncovered")
        self.stamp(row)
        self.roots, self.rooted, self.root_hash = number, row["last"], root_hash(row)
        del self.open[:size]

    def stamp(self, row: Mapping[str, Any]) -> None:
        """Judge the stamp of a root."""
        stamp, self.token = row.get("stamp") or {}, ""
        if stamp.get("state") not in STAMPS or (stamp["state"] == "stamped") != ("token" in stamp):
            raise _Found("stamp", row["number"], "altered")
        if stamp["state"] != "stamped":
            return
        if not _right(lambda: signed(stamp_bytes(row), stamp["signature"])):
            raise _Found("stamp", row["number"], "unsigned")
        try:
            examine(stamp["token"], root_bytes(row), None, stamp["certificates"])
        except Unanswered:
            raise _Found("stamp", row["number"], "altered") from None
        self.token = sha256(stamp["token"]).hex()
        self.stamps += 1

    def entries(self, last: int) -> None:
        """Recompute every entry up to `last`."""
        while self.seq < last:
            upto = min(self.seq + BATCH, last)
            query = {"district": self.district, "seq": {"$gt": self.seq, "$lte": upto}}
            # Times without a zone are UTC, and half as dear to read.
            for row in (
                _leniently(LedgerEntry, tz_aware=False).find(query, {"_id": 0}, batch_size=BATCH + 1).sort("seq")
            ):
                self.entry(row)
            if self.seq < upto:
                raise _Found("entry", self.seq + 1, "removed")

    def entry(self, row: dict[str, Any]) -> None:
        """Recompute one entry."""
        seq = self.seq + 1
        if row.get("seq") != seq:
            raise _Found("entry", *((seq, "removed") if row.get("seq", 0) > seq else (seq - 1, "inserted")))
        try:
            stated, before = row.pop("hash"), row.pop("previous")
            row["at"] = f"{row['at'].isoformat(timespec='microseconds')}Z"
            found = HASHES[row["hash_name"]](bytes.fromhex(before) + canonical(row))
        except UNREADABLE:
            raise _Found("entry", seq, "altered") from None
        if found.hex() != stated:
            raise _Found("entry", seq, "altered")
        if before != self.previous:
            raise _Found("entry", seq, "moved")
        self.seq, self.previous = seq, stated
        self.open.append(found)

    def beyond(self, head: Mapping[str, Any]) -> _Found | None:
        """Look for entries and roots behind the head, or with no number at all."""
        places: tuple[tuple[Place, Any, str, int], ...] = (
            ("entry", LedgerEntry, "seq", head["seq"]), ("root", LedgerRoot, "number", head["roots"])
        )  # fmt: skip
        for place, document, name, last in places:
            outside = [{name: {"$gt": last}}, {name: {"$not": {"$gte": 1}}}]
            row = document._get_collection().find_one({"district": self.district, "$or": outside}, {name: 1})
            if row is not None:
                number = row.get(name)
                return _Found(place, number if isinstance(number, int) else last + 1, "inserted")
        return None


def _right(test: Callable[[], bool]) -> bool:
    """Whether a signature is right, where altered content may not even be readable."""
    try:
        return test()
    except (*UNREADABLE, UnknownKey):
        return False


def _leniently(document: Any, *, tz_aware: bool = True) -> Collection[dict[str, Any]]:
    """Return a collection that is read even where its bytes are no text or no time."""
    options: CodecOptions[dict[str, Any]] = CodecOptions(
        tz_aware=tz_aware, unicode_decode_error_handler="replace", datetime_conversion=DatetimeConversion.DATETIME_AUTO
    )
    collection: Collection[dict[str, Any]] = document._get_collection()
    return collection.with_options(options)

"""All or nothing: several writes in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from bson import ObjectId
from mongoengine.errors import NotUniqueError, OperationError
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from backend.storage.connection import client, database

T = TypeVar("T")

DUPLICATE_KEY = 11000
WRITE_CONFLICT = 112
#: The wire version of MongoDB 8, the first that takes writes to several collections in one message.
MONGODB_8 = 25


class NothingMatched(Exception):
    """The document that `update_later` was to change is not there; nothing of the transaction stays."""


@dataclass(frozen=True)
class Write:
    """A write that waits: a new document, or with a `query` changes to the one that it finds, or with `make` makes."""

    collection: str
    content: Mapping[str, Any]
    query: Mapping[str, Any] | None = None
    make: bool = True

    def alone(self) -> None:
        """Send it by itself."""
        collection = database()[self.collection]
        if self.query is None:
            collection.insert_one(dict(self.content))
            return
        found = collection.update_one(self.query, self.content, upsert=self.make).matched_count
        if not (found or self.make):
            raise NothingMatched(self.collection)

    def among_others(self, number: int) -> dict[str, Any]:
        """Return it as a part of the command `bulkWrite`, for the collection of that number."""
        if self.query is None:
            return {"insert": number, "document": {"_id": ObjectId(), **self.content}}
        return {"update": number, "filter": self.query, "updateMods": self.content, "upsert": self.make}


@dataclass(frozen=True)
class Transaction:
    """What waits for the end of a transaction."""

    writes: list[Write] = field(default_factory=list)
    callbacks: list[Callable[[], object]] = field(default_factory=list)


# The transaction that this thread is in.
_current: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


def atomically(work: Callable[[], T]) -> T:
    """Run `work` in a transaction, MongoEngine calls included; inside another one it joins that.

    `work` runs again when the store asks for a retry, so it must have no effect but on the store.
    """
    if _current.get() is not None:
        return work()
    transaction = Transaction()

    def attempt(_session: object) -> T:
        transaction.writes.clear()
        transaction.callbacks.clear()
        try:
            result = work()
            settle()
            return result
        except OperationError as error:
            # MongoEngine hides what the store said, and with it the store's wish to try again.
            if isinstance(error, NotUniqueError) or not isinstance(error.__context__, PyMongoError):
                raise
            raise error.__context__ from None

    token = _current.set(transaction)
    try:
        # All reads go to the primary, where nothing has to wait for an earlier write to arrive.
        with client().start_session(causal_consistency=False) as session, session.bind():
            result = session.with_transaction(attempt)
    finally:
        _current.reset(token)
    for callback in transaction.callbacks:
        callback()
    return result


def in_transaction() -> bool:
    """Say whether the caller runs inside `atomically`."""
    return _current.get() is not None


def after_commit(callback: Callable[[], object]) -> None:
    """Call `callback` once the current transaction is committed, or now when there is none; equal ones only once."""
    transaction = _current.get()
    if transaction is None:
        callback()
    elif callback not in transaction.callbacks:
        transaction.callbacks.append(callback)


def insert_later(collection: str, document: Mapping[str, Any]) -> None:
    """Insert at the end of the transaction, together with all else that waits for it; outside of one at once.

    For what nothing in the transaction reads again: one message then carries what would be many.
    """
    _later(Write(collection, document))


def upsert_later(collection: str, query: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Change the document that `query` finds, or make it, when `insert_later` would insert."""
    _later(Write(collection, changes, query))


def update_later(collection: str, query: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Change the document that `query` finds, when `insert_later` would insert; raises NothingMatched then."""
    _later(Write(collection, changes, query, make=False))


def settle() -> None:
    """Send the writes that wait, in their order; raises DuplicateKeyError like the writes, and NothingMatched."""
    transaction = _current.get()
    if transaction is None or not transaction.writes:
        return
    writes = transaction.writes[:]
    transaction.writes.clear()
    if len(writes) == 1 or not _takes_many(client()):
        for write in writes:
            write.alone()
        return
    name = database().name
    collections = list(dict.fromkeys(write.collection for write in writes))
    answer = client().admin.command(
        "bulkWrite",
        1,
        ops=[write.among_others(collections.index(write.collection)) for write in writes],
        nsInfo=[{"ns": f"{name}.{collection}"} for collection in collections],
        errorsOnly=all(write.make for write in writes),
    )
    told = answer["cursor"]["firstBatch"]
    for refused in [each for each in told if not each["ok"]] if answer["nErrors"] else ():
        kind = DuplicateKeyError if refused["code"] == DUPLICATE_KEY else OperationFailure
        # The labels say whether the transaction may be tried again; inside such an answer there are none.
        labels = ["TransientTransactionError"] if refused["code"] == WRITE_CONFLICT else []
        raise kind(refused["errmsg"], refused["code"], {**refused, "errorLabels": labels})
    for each in told:
        if not (writes[each["idx"]].make or each["n"]):
            raise NothingMatched(writes[each["idx"]].collection)


def _later(write: Write) -> None:
    transaction = _current.get()
    if transaction is None:
        write.alone()
    else:
        transaction.writes.append(write)


@cache
def _takes_many(server: MongoClient[Any]) -> bool:
    with server.start_session() as session:  # one of its own: this cannot be asked inside a transaction
        return bool(server.admin.command("hello", session=session)["maxWireVersion"] >= MONGODB_8)

"""All or nothing: several writes in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from mongoengine.errors import NotUniqueError, OperationError
from pymongo.errors import PyMongoError

from backend.storage.connection import client

T = TypeVar("T")

# The callbacks waiting for the commit of the transaction that this thread is in; None outside of one.
_waiting: ContextVar[list[Callable[[], object]] | None] = ContextVar("waiting_for_commit", default=None)


def atomically(work: Callable[[], T]) -> T:
    """Run `work` in a transaction, MongoEngine calls included; inside another one it joins that.

    `work` runs again when the store asks for a retry, so it must have no effect but on the store.
    """
    if _waiting.get() is not None:
        return work()
    callbacks: list[Callable[[], object]] = []

    def attempt(_session: object) -> T:
        callbacks.clear()
        try:
            return work()
        except OperationError as error:
            # MongoEngine hides what the store said, and with it the store's wish to try again.
            if isinstance(error, NotUniqueError) or not isinstance(error.__context__, PyMongoError):
                raise
            raise error.__context__ from None

    token = _waiting.set(callbacks)
    try:
        with client().start_session() as session, session.bind():
            result = session.with_transaction(attempt)
    finally:
        _waiting.reset(token)
    for callback in callbacks:
        callback()
    return result


def in_transaction() -> bool:
    """Say whether the caller runs inside `atomically`."""
    return _waiting.get() is not None


def after_commit(callback: Callable[[], object]) -> None:
    """Call `callback` once the current transaction is committed, or now when there is none."""
    waiting = _waiting.get()
    if waiting is None:
        callback()
    else:
        waiting.append(callback)

"""Who is acting: named once at the border, known everywhere below, written into every audit entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, device or the platform itself; `address` is the client's network address."""

    id: str
    name: str
    kind: str
    address: str = ""


SYSTEM = Actor(id="system", name="系统", kind="system")

_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Say who does what is done inside."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """Return who is acting; SYSTEM when nobody was named."""
    return _actor.get()

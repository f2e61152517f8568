"""The ledger: an act writes its entry in its own transaction; the entry gets its place in the chain right after.

Between the two an entry waits in `evidence_ledger_waiting`, so an act and its entry stand or fall together and no act
ever waits for another one's place in the chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bson import ObjectId

from backend.plugin_api import current_actor, district_of, insert_later, utcnow
from plugins.evidence.custody.models import KINDS, WaitingEntry

WAITING = WaitingEntry._meta["collection"]


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
    entry = {
        "_id": ObjectId(),
        "district": district_of(area),
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

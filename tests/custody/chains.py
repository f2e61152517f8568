"""A chain looked at from outside, by the rules of docs/custody.md alone: nothing of the platform's code is used."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from backend import storage
from plugins.evidence.custody import note


def write(count: int = 1, *, area: str = "33/331", kind: str = "viewed", **values: Any) -> None:
    """Do one act that makes `count` entries."""

    def act() -> None:
        for number in range(count):
            note(kind, area=area, **{"subject": "evidence.capture", "subject_id": f"s{number}", **values})

    storage.atomically(act)


def entries(district: str = "33") -> list[dict[str, Any]]:
    """Return the chain of a district."""
    return list(storage.database().evidence_ledger.find({"district": district}).sort("seq"))


def waiting() -> int:
    """Return how many entries have no place yet."""
    return storage.database().evidence_ledger_waiting.count_documents({})


def by_the_rule(row: dict[str, Any]) -> bytes:
    """Return the canonical bytes of an entry."""
    content = {name: value for name, value in row.items() if name not in ("_id", "previous", "hash")}
    content["at"] = row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check_chain(district: str = "33") -> int:
    """Assert that a district's chain has no gap, no double and no broken link; returns its length."""
    rows, previous = entries(district), "0" * 64
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert row["previous"] == previous, row
        previous = hashlib.sha256(bytes.fromhex(previous) + by_the_rule(row)).hexdigest()
        assert row["hash"] == previous, row
    head = storage.database().evidence_ledger_heads.find_one({"_id": district}) or {"seq": 0, "hash": previous}
    assert (head["seq"], head["hash"]) == (len(rows), previous)
    return len(rows)

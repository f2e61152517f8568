"""What is hashed and signed: one way to write an entry or a root as bytes, and the hashes over it (docs/custody.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.hashes import SM3, Hash

Digest = Callable[[bytes], bytes]

#: What of a root is hashed, signed and stamped, beside the time `at`.
ROOT_FIELDS = ("district", "number", "first", "last", "root", "hash_name", "previous_root", "previous_stamp")
#: What the first entry and the first root have before them.
NOTHING_BEFORE = "0" * 64


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """Return the SM3 of `data` (GB/T 32905), 32 bytes."""
    running = Hash(SM3())
    running.update(data)
    return running.finalize()


#: The hashes that a ledger may use, by the name that stands in its entries and roots.
HASHES: dict[str, Digest] = {"SHA-256": sha256, "SM3": sm3}


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys, without spaces, as UTF-8; raises TypeError for what is not JSON.

    Keys are sorted by code points. There may be no floats inside, which have several ways to be written.
    """
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def moment(at: datetime) -> str:
    """Return a time in UTC with six digits and Z: `2026-11-22T06:30:00.123000Z`."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def entry_bytes(row: Mapping[str, Any]) -> bytes:
    """Return what is hashed of an entry as stored: all but its id, its hash and the hash before it."""
    content = {name: value for name, value in row.items() if name not in ("_id", "previous", "hash")}
    return canonical({**content, "at": moment(row["at"])})


def link(hash_name: str, previous: str, content: bytes) -> str:
    """Return the hash of an entry that stands behind the one with the hash `previous`; both are hexadecimal."""
    return HASHES[hash_name](bytes.fromhex(previous) + content).hex()


def root_bytes(row: Mapping[str, Any]) -> bytes:
    """Return what is hashed, signed and stamped of a root."""
    return canonical({**{name: row[name] for name in ROOT_FIELDS}, "at": moment(row["at"])})


def root_hash(row: Mapping[str, Any]) -> str:
    """Return the hash by which the next root names this one."""
    return HASHES[row["hash_name"]](root_bytes(row)).hex()


def stamp_bytes(row: Mapping[str, Any]) -> bytes:
    """Return what we sign of a root's stamp, so that no bit of it can change unseen."""
    stamp = row["stamp"]
    return canonical(
        {
            "district": row["district"],
            "number": row["number"],
            "authority": stamp["authority"],
            "at": moment(stamp["at"]) if stamp["at"] else "",
            "checked": stamp["checked"],
            "certificates": stamp["certificates"],
            "token": sha256(stamp["token"]).hex(),
        }
    )

"""Roots: one signed hash over all entries since the last one; each names the root before, so they make a chain, too.

A root is made every hour and whenever somebody needs a proof. Its time stamp comes later (see stamping): nothing that
happens outside of this machine can hold a root up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bson import ObjectId

from backend.plugin_api import current_settings, utcnow
from plugins.evidence.custody.canonical import HASHES, root_bytes, root_hash, sha256
from plugins.evidence.custody.ledger import LedgerBroken, chain, chain_waiting, head_of, move_head, try_again
from plugins.evidence.custody.merkle import Tree
from plugins.evidence.custody.models import LedgerEntry, LedgerHead, LedgerRoot
from plugins.evidence.custody.signing import sign
from plugins.evidence.custody.stamping import first_stamp

#: Entries of one root at most: a proof needs the hashes of all entries of its root.
MOST = 65_536


def make_roots(district: str) -> list[int]:
    """Chain what waits and cover every entry by a root; returns the numbers of those that were made.

    Call it outside of a transaction. Raises LedgerBroken where entries are missing: a root would hide that.
    """
    chain(district)
    made: list[int] = []
    while (head := head_of(district))["rooted"] < head["seq"]:
        root = _next_root(district, head)
        if try_again(partial(_keep, root)):
            made.append(root["number"])
    return made


def make_all_roots() -> int:
    """Make the roots of every district; returns how many."""
    chain_waiting()
    return sum(len(make_roots(district)) for district in LedgerHead._get_collection().distinct("_id"))


def leaves(district: str, first: int, last: int) -> Iterator[bytes]:
    """Yield the hashes of these entries, 32 bytes each; raises LedgerBroken where one is missing."""
    query = {"district": district, "seq": {"$gte": first, "$lte": last}}
    expected = first
    for row in LedgerEntry._get_collection().find(query, {"_id": 0, "seq": 1, "hash": 1}).sort("seq"):
        if row["seq"] != expected:
            break
        expected += 1
        yield bytes.fromhex(row["hash"])
    if expected <= last:
        raise LedgerBroken(f"Entry {expected} of the ledger of {district!r} is missing.")


def _next_root(district: str, head: Mapping[str, Any]) -> dict[str, Any]:
    hash_name = current_settings().ledger_hash
    first, last = head["rooted"] + 1, min(head["rooted"] + MOST, head["seq"])
    tree = Tree(HASHES[hash_name])
    for entry in leaves(district, first, last):
        tree.add(entry)
    before = LedgerRoot._get_collection().find_one({"district": district, "number": head["roots"]}) or {}
    token = before.get("stamp", {}).get("token")
    root = {
        "_id": ObjectId(),
        "district": district,
        "number": head["roots"] + 1,
        "first": first,
        "last": last,
        "root": tree.root().hex(),
        "hash_name": hash_name,
        "previous_root": head["root_hash"],
        "previous_stamp": sha256(token).hex() if token else "",
        "at": utcnow(),
    }
    return {**root, "signature": sign(root_bytes(root)).as_dict(), "stamp": first_stamp()}


def _keep(root: dict[str, Any]) -> bool:
    """Store a root and say so in the head; False when another process has made one meanwhile."""
    head = head_of(root["district"])
    if head["roots"] != root["number"] - 1:
        return False
    move_head(root["district"], head, roots=root["number"], rooted=root["last"], root_hash=root_hash(root))
    LedgerRoot._get_collection().insert_one(root)
    return True

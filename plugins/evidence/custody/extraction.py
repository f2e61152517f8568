"""Extracts: the entries about one case with all that is needed to check them elsewhere (docs/custody.md)."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backend.plugin_api import utcnow
from plugins.evidence.custody.canonical import HASHES, ROOT_FIELDS, moment
from plugins.evidence.custody.merkle import levels, proof
from plugins.evidence.custody.models import LedgerEntry, LedgerRoot
from plugins.evidence.custody.roots import leaves, make_roots
from plugins.evidence.custody.signing import our_keys
from plugins.evidence.custody.stamping import stamp_waiting

FORMAT = "qingxu-ledger/1"


@dataclass(frozen=True)
class LedgerExtract:
    """Entries with their proofs, the signed and stamped roots that they lead to, and the public keys; all plain JSON.

    Each of `entries` has `entry`, `previous`, `hash`, the number of its `root`, and its `proof` from the leaf up.
    """

    format: str
    district: str
    made_at: str
    entries: list[dict[str, Any]]
    roots: list[dict[str, Any]]
    keys: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def extract(district: str, *, case: str = "", subjects: Collection[str] = ()) -> LedgerExtract:
    """Return the entries of a case, and those about `subjects` (ids), by seq; every one leads to a signed root.

    Makes a root first, so call it outside of a transaction; an authority that is asked for its time stamp may take
    seconds, and its answer is not waited for any longer. Raises LedgerBroken.
    """
    make_roots(district)
    stamp_waiting(district)
    about: list[dict[str, Any]] = [{"case": case}] if case else []
    about += [{"subject_id": {"$in": sorted(set(subjects))}}] if subjects else []
    query = {"district": district, "$or": about}
    rows = list(LedgerEntry._get_collection().find(query).sort("seq")) if about else []
    roots = _roots_over(district, rows)
    return LedgerExtract(
        format=FORMAT,
        district=district,
        made_at=moment(utcnow()),
        entries=[each for root in roots for each in _proved(root, rows)],
        roots=[shown_root(root) for root in roots],
        keys=[key.shown for key in our_keys()],
    )


def shown_root(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a root as JSON has it; of its stamp only what speaks for it, the token in base64."""
    stamp = dict(row["stamp"])
    shown = {"state": stamp["state"]}
    if stamp["state"] == "stamped":
        shown |= {name: stamp[name] for name in ("authority", "checked", "certificates", "signature")}
        shown["at"] = moment(stamp["at"]) if stamp["at"] else ""
        shown["token"] = base64.b64encode(stamp["token"]).decode()
    return {
        **{name: row[name] for name in ROOT_FIELDS},
        "at": moment(row["at"]),
        "signature": dict(row["signature"]),
        "stamp": shown,
    }


def _roots_over(district: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the roots that cover these entries, by number; what came after the last root was made has none yet."""
    if not rows:
        return []
    query = {"district": district, "last": {"$gte": rows[0]["seq"]}, "first": {"$lte": rows[-1]["seq"]}}
    roots = LedgerRoot._get_collection().find(query).sort("number")
    return [root for root in roots if any(root["first"] <= row["seq"] <= root["last"] for row in rows)]


def _proved(root: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries below one root with their proofs."""
    tree = levels(HASHES[root["hash_name"]], list(leaves(root["district"], root["first"], root["last"])))
    proved = []
    for row in rows:
        if root["first"] <= row["seq"] <= root["last"]:
            content = {name: value for name, value in row.items() if name not in ("_id", "previous", "hash")}
            path = [each.hex() for each in proof(tree, row["seq"] - root["first"])]
            proved.append(
                {
                    "entry": {**content, "at": moment(row["at"])},
                    "previous": row["previous"],
                    "hash": row["hash"],
                    "root": root["number"],
                    "proof": path,
                }
            )
    return proved

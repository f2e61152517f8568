"""The custody ledger: how fast entries are appended, against a plain insert, and verified, against a fixed rate.

Appended in batches of 500: reading and checking the signed head, the canonical bytes and hash of each entry, the new
head's signature, head and entries written in one transaction. The peer inserts the same finished documents with
`insert_many` in the same batches into a collection with the same indexes on the same store, without a transaction. For
information, the whole way: entries that wait are read, chained and taken off the waiting list.

Verified: every hash recomputed from what is read from the store, links, Merkle roots, signatures of roots and head;
CPU time of this process, which does it on one core (the store's own time is the store's). Without time stamps, which
come once in an hour.
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bson import ObjectId

from backend import storage
from backend.embedded import start_store
from backend.settings import Settings, configure
from plugins.evidence.custody import ledger
from plugins.evidence.custody.models import DOCUMENTS, KINDS, LedgerEntry
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.verifying import verify
from tests.benchmarks.ratio import Ratio, medians

ROUNDS = 12
BATCHES = 6
VERIFIED = 60_000
LEAST_RATE = 50_000


def measure() -> Iterator[Ratio]:
    """Measure all three."""
    with store():
        yield appending("33", lambda rows: storage.atomically(lambda: ledger.append("33", rows)), at_least=0.5)
        yield appending("44", whole_way, at_least=None)
        yield verifying()


@contextmanager
def store() -> Iterator[None]:
    """Start a store with the indexes of the ledger, and of the peer's collection."""
    with tempfile.TemporaryDirectory() as name, start_store(Path(name) / "store") as server:
        configure(
            Settings(
                mode="demo",
                data_dir=Path(name),
                mongodb_url=server.url,
                master_key=base64.b64encode(os.urandom(32)).decode(),
                timestamp_authority="none",
                log_level="WARNING",
            )
        )
        storage.connect(server.url, "bench")
        storage.ensure_indexes(DOCUMENTS)
        for index in LedgerEntry._get_collection().index_information().values():
            if index["key"] != [("_id", 1)]:
                storage.database().peer.create_index(index["key"], unique=index.get("unique", False))
        yield
        storage.disconnect()


def appending(district: str, chain: Callable[[list[dict[str, Any]]], object], at_least: float | None) -> Ratio:
    """Append batches and insert the same documents, by turns."""
    chain(told(district, 1))  # makes the key
    ours, peer = [], []
    for number in range(ROUNDS + 2):
        batches = [told(district, ledger.BATCH) for _ in range(BATCHES)]
        if chain is whole_way:
            for batch in batches:
                storage.database()[ledger.WAITING].insert_many(batch)
        mine = seconds(batches, chain)
        first = storage.database().evidence_ledger_heads.find_one({"_id": district})["seq"] - BATCHES * ledger.BATCH
        query = {"district": district, "seq": {"$gt": first}}
        done = list(storage.database().evidence_ledger.find(query).sort("seq"))
        finished = [done[start : start + ledger.BATCH] for start in range(0, len(done), ledger.BATCH)]
        its = seconds(finished, storage.database().peer.insert_many)
        if number >= 2:
            ours.append(mine)
            peer.append(its)
    mine, its, ratio = medians(peer, ours)  # rates are the other way round than times
    count = BATCHES * ledger.BATCH
    return Ratio(
        name="ledger entries appended" if at_least else "ledger entries, the whole way from waiting",
        ours=f"{count / its:,.0f}/s",
        peer=f"insert_many {count / mine:,.0f}/s",
        ratio=ratio,
        at_least=at_least,
    )


def whole_way(rows: list[dict[str, Any]]) -> None:
    """Chain a batch that waits already; what makes the key waits first."""
    if len(rows) == 1:
        storage.database()[ledger.WAITING].insert_many(rows)
    ledger.chain(rows[0]["district"])


def verifying() -> Ratio:
    """Verify a ledger with a root for every 5,000 entries."""
    for _ in range(VERIFIED // 5000):
        for _ in range(5000 // ledger.BATCH):
            rows = told("55", ledger.BATCH)
            storage.atomically(lambda rows=rows: ledger.append("55", rows))
        make_roots("55")
    rates = []
    for _ in range(5):
        begun = time.process_time()
        found = verify("55")
        rates.append(found.entries / (time.process_time() - begun))
        assert found.fault is None and found.entries == VERIFIED
    rate, least, ratio = medians(rates, [LEAST_RATE] * len(rates))
    return Ratio(
        name="ledger entries verified on one core",
        ours=f"{rate:,.0f}/s",
        peer=f"required {least:,}/s",
        ratio=ratio,
        at_least=1.0,
    )


def seconds(batches: list[list[dict[str, Any]]], work: Callable[[list[dict[str, Any]]], object]) -> float:
    """Return how long it takes to do `work` with each batch."""
    begun = time.perf_counter()
    for batch in batches:
        work(batch)
    return time.perf_counter() - begun


def told(district: str, count: int) -> list[dict[str, Any]]:
    """Return entries as acts write them: looks at photos, with a purpose."""
    kinds, now = list(KINDS), storage.utcnow()
    return [
        {
            "_id": ObjectId(),
            "district": district,
            "at": now,
            "kind": kinds[number % len(kinds)],
            "subject": "evidence.capture",
            "subject_id": str(ObjectId()),
            "case": str(ObjectId()),
            "sha256": os.urandom(32).hex(),
            "purpose": "复核违规投放照片",
            "actor": {"id": str(ObjectId()), "name": "陈警官", "kind": "person", "address": "10.20.30.40"},
            "area": f"{district}/331/33101/C00042",
            "detail": {"photo": number % 9, "exhibit": str(ObjectId()), "kind": "face"},
        }
        for number in range(count)
    ]

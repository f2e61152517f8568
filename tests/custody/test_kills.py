"""A process killed after any single thing that it did to the store leaves no gap, no double and no broken chain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backend import storage
from plugins.evidence.custody.ledger import chain_waiting
from plugins.evidence.custody.roots import make_all_roots
from plugins.evidence.custody.stamping import stamp_waiting
from plugins.evidence.custody.verifying import verify
from tests.custody.chains import check_chain, entries, waiting
from tests.district import District

#: Points without which the test would not mean what it says.
PASSED = {
    "store insert acts",
    "store commitTransaction 1",
    "store update evidence_ledger_heads",
    "store insert evidence_ledger",
    "store delete evidence_ledger_waiting",
    "store insert evidence_roots",
    "store update evidence_roots",
}


@pytest.fixture
def killable(district: District) -> Iterator[subprocess.Popen[str]]:
    """Start the process that forks for each order."""
    chosen = {
        "mode": "demo",
        "data_dir": district.settings.data_dir,
        "mongodb_url": district.settings.mongodb_url,
        "mongodb_database": district.settings.mongodb_database,
        "master_key": district.settings.master_key,
        "log_level": "WARNING",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.custody.killable"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **{f"QINGXU_{name.upper()}": str(value) for name, value in chosen.items()}},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def let_a_minute_pass() -> None:
    """Let the store give up what the dead had begun, and leases end."""
    storage.client().admin.command({"killAllSessions": []})
    past = {"$set": {"stamp.due_at": storage.utcnow() - timedelta(seconds=1)}}
    storage.database().evidence_roots.update_many({"stamp.state": "waiting"}, past)


def test_a_process_killed_at_any_point_loses_and_doubles_nothing(killable: subprocess.Popen[str]) -> None:
    assert killable.stdin and killable.stdout
    struck: list[str] = []
    while True:
        killable.stdin.write(f"{len(struck) + 1} act-{len(struck)}\n")
        killable.stdin.flush()
        said = killable.stdout.readline().strip()
        assert said not in ("", "nothing"), struck
        if said == "done":
            break
        struck.append(said)
        let_a_minute_pass()
        chain_waiting()
        make_all_roots()
        stamp_waiting()
        acts = Counter(row["_id"] for row in storage.database().acts.find())
        told = Counter((row["subject_id"], row["kind"]) for row in entries())
        assert told == Counter((name, kind) for name in acts for kind in ("viewed", "downloaded")), struck
        assert (check_chain(), waiting()) == (2 * len(acts), 0), struck
        found = verify("33")
        assert (found.fault, found.entries, found.roots) == (None, 2 * len(acts), found.stamps), struck
    assert set(struck) >= PASSED, set(struck)
    assert len(entries()) >= 20

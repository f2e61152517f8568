"""Memory of the whole platform under `run`, with its demo district, when nobody asks it for anything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.ratio import Ratio
from tests.run.conftest import launch

LIMIT = 1_200_000_000
#: After this long, workers and scheduler have done what they do at the start.
SETTLED_SECONDS = 20


def measure() -> Iterator[Ratio]:
    """Start it, wait, and sum up what each process has of memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = launch(folder / "terminal", folder / "data", small=False)
        try:
            run.wait_for("Ctrl-C stops everything", 300)
            time.sleep(SETTLED_SECONDS)
            memory = run.memory()
        finally:
            run.stop()
    yield Ratio(
        name="memory of all processes at rest",
        ours=f"{memory / 1e6:,.0f} MB",
        peer=f"limit {LIMIT / 1e6:,.0f} MB",
        ratio=memory / LIMIT,
        at_most=1.0,
    )

"""All measures, or those that are named: `python -m tests.benchmarks import_rows`. Exits 1 when a promise is missed.

A measure is a module here with `measure()`, which yields what it has found as `Ratio`s, and a name in MEASURES.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence

from tests.benchmarks.ratio import report

#: In the order in which they run.
MEASURES = (
    "field_encryption",
    "vision_job",
    "vision_memory",
    "list_and_create",
    "order_list",
    "import_rows",
    "alert_intake",
    "ledger",
    "memory",
    "blob_write",
    "package",
    "cockpit_theme",
    "cockpit_page",
    "cockpit_viewers",
)


def main(names: Sequence[str]) -> int:
    """Run the measures and return the exit code."""
    if unknown := set(names) - set(MEASURES):
        raise SystemExit(f"No such measure: {', '.join(sorted(unknown))}. There are {', '.join(MEASURES)}.")
    if len(names) == 1:
        return report(importlib.import_module(f"tests.benchmarks.{names[0]}").measure())
    # Each in a process of its own: what one loads and sets must not count for the next.
    codes = [subprocess.run([sys.executable, "-m", "tests.benchmarks", name]).returncode for name in names or MEASURES]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

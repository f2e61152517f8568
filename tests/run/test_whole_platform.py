"""The real platform under `run`: it comes up with its demo, answers, and fits a small machine."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

AT_REST_BYTES = 1_200_000_000


def test_demo_comes_up_and_fits_a_small_machine(start):
    run = start(small=False, web_workers=2)
    run.wait_for("Ctrl-C stops everything", 400)
    for path in ("/readyz", "/api/openapi.json", "/healthz"):
        with urllib.request.urlopen(f"http://127.0.0.1:{run.port}{path}", timeout=30) as answer:
            assert answer.status == 200
    assert "admin / " in run.output
    assert " was killed" not in run.output
    assert " ended by itself" not in run.output
    assert run.memory() < AT_REST_BYTES
    (key,) = re.findall("QINGXU_MASTER_KEY=(.+)", (run.data / "secrets").read_text())
    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in run.children().values()]
    assert sum(key.encode() in each for each in environments) == 4, "the servers need no key"
    assert run.stop() == 0
    assert not run.left_over(0)
    for log in ("web", "worker-default", "worker-vision", "scheduler", "prepare"):
        assert "Traceback" not in (run.data / "logs" / f"{log}.log").read_text(), log

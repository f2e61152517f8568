"""Metrics of several processes are one answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from backend.monitoring import metrics

COUNT = "from backend.monitoring import metrics; metrics.request_answered('GET', '/x', 200, 0.1); "
SHOW = "import sys; sys.stdout.buffer.write(metrics.render([metrics.Level('qingxu_q', 'Q', 'queue', {'a': 1})]))"


def test_the_metrics_of_all_processes_are_summed(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"left over from the last run")
    shared = {**os.environ, **metrics.prepare_folder(folder)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], env=shared, check=True)
    answer = subprocess.run([sys.executable, "-c", COUNT + SHOW], env=shared, check=True, capture_output=True).stdout
    assert b'qingxu_http_requests_total{method="GET",route="/x",status="200"} 3.0' in answer
    assert b'qingxu_http_request_seconds_count{method="GET",route="/x"} 3.0' in answer
    assert b'qingxu_q{queue="a"} 1.0' in answer

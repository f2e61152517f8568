"""The commands of `python -m backend`, on the real platform."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.embedded.process import free_port

ROOT = Path(__file__).parents[2]


def command(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QINGXU_")}
    environment |= {f"QINGXU_{name.upper()}": str(value) for name, value in settings.items()}
    process = [sys.executable, "-m", "backend", *words]
    return subprocess.run(process, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_help_needs_no_database(tmp_path):
    answer = command("--help", data_dir=tmp_path)
    assert answer.returncode == 0
    assert "run" in answer.stdout
    assert "new-plugin" in answer.stdout
    assert "prepare" in answer.stdout


def test_help_names_the_commands_of_the_packages_where_a_database_is(clean):
    answer = command("--help", mongodb_url=clean.mongodb_url, mode="demo", master_key=clean.master_key)
    for name in ("create-administrator", "db", "rewrap-keys", "rotate-keys", "verify-audit", "worker", "scheduler"):
        assert f"\n  {name} " in answer.stdout, answer


@pytest.mark.parametrize("words", [("verify-audit",), ("worker", "default"), ("scheduler",)])
def test_without_a_database(tmp_path, words):
    answer = command(*words, data_dir=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr == (
        "qingxu: No platform runs in the data folder: start it (make run), or set QINGXU_MONGODB_URL.\n"
    )


def test_database_that_does_not_answer(tmp_path):
    port = free_port()
    answer = command("verify-audit", data_dir=tmp_path, mongodb_url=f"mongodb://127.0.0.1:{port}/")
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"qingxu: MongoDB does not answer at 127.0.0.1:{port}")


def test_queue_that_is_none(tmp_path):
    answer = command("worker", "postbox", data_dir=tmp_path)
    assert answer.returncode == 1
    assert "There is no queue postbox" in answer.stderr


def test_unknown_command(clean):
    answer = command("fly", mongodb_url=clean.mongodb_url, mode="demo", master_key=clean.master_key)
    assert answer.returncode == 2
    assert "No such command 'fly'" in answer.stderr

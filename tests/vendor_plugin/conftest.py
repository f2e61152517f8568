"""The example package, built and installed once into a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package as a vendor's customer would, and return the folder to put on the path."""
    source, target = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("site")
    # A copy, because building leaves files beside the source.
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("*.py[co]", "test_*", "conftest.py"))
    options = ["--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    uv = shutil.which("uv")
    command = (
        [uv, "pip", "install", "--quiet", "--python", sys.executable]
        if uv
        else [sys.executable, "-m", "pip", "install"]
    )
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target

"""What the scaffold writes works as written, in the source tree and as a package of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from backend.plugins_host.commands import new_plugin
from backend.plugins_host.discovery import ROOT

COPIED = ("backend", "plugins", "dash_cockpit", "pyproject.toml", "wsgi.py")


def run(*command: str, at: Path, path: list[Path]) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "NO_COLOR": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def pytest_at(at: Path, *paths: str, path: list[Path]) -> str:
    return run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths, at=at, path=path)


def well_formed(*paths: Path, at: Path) -> None:
    for check in (["check"], ["format", "--check"]):
        run(sys.executable, "-m", "ruff", *check, "--no-cache", *map(str, paths), at=at, path=[])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the source tree, for other tests load what lies in the real one."""
    tree = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, tree / name, ignore=ignored) if source.is_dir() else shutil.copy(source, tree / name)
    (tree / "tests" / "rollups").mkdir(parents=True)
    for name in ("browser.py", "conftest.py", "district.py", "rollups/exactness.py"):
        shutil.copy(ROOT / "tests" / name, tree / "tests" / name)
    return tree


def test_a_new_built_in_plugin_passes_its_own_tests_and_the_house_style(tree: Path) -> None:
    told = run(
        sys.executable, "-m", "backend", "new-plugin", "noise_watch", "--title", "噪声监测", at=tree, path=[tree]
    )
    assert "pytest tests/noise_watch" in told
    well_formed(tree / "plugins" / "noise_watch", tree / "tests" / "noise_watch", at=tree)
    assert "4 passed" in pytest_at(tree, "tests/noise_watch", path=[tree])


def test_a_new_package_passes_its_own_tests_once_installed(tmp_path: Path) -> None:
    package, site = tmp_path / "package", tmp_path / "site"
    answer = CliRunner().invoke(new_plugin, ["noise", "--title", "噪声", "--external", str(package)])
    assert answer.exit_code == 0, answer.output
    uv = shutil.which("uv")
    install = (
        [uv, "pip", "install", "-q", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    )
    copy = shutil.copytree(package, tmp_path / "build")
    run(*install, "--no-deps", "--no-build-isolation", "--target", str(site), str(copy), at=tmp_path, path=[])
    assert "4 passed" in pytest_at(package, "tests", path=[site, ROOT])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Noise"], "lower-case"),
        (["2noise"], "lower-case"),
        (["class"], "lower-case"),
        (["../../noise"], "lower-case"),
        (["noise", "--title", 'a"; import os'], "plain words"),
        (["base_info"], "exists already"),
    ],
)
def test_what_cannot_be_a_plugin_is_refused_and_nothing_written(arguments: list[str], reason: str) -> None:
    before = sorted(path for path in (ROOT / "plugins").iterdir())
    answer = CliRunner().invoke(new_plugin, arguments)
    assert answer.exit_code != 0 and reason in answer.output
    assert sorted(path for path in (ROOT / "plugins").iterdir()) == before

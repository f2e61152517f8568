"""A store without data keys before each test, and processes that meet it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backend import protection
from backend import settings as settings_module
from backend.settings import Settings, variable


@pytest.fixture(autouse=True)
def fresh_keys(clean: Settings) -> Iterator[None]:
    protection.forget_keys()
    yield
    settings_module.configure(clean)
    protection.forget_keys()


@pytest.fixture
def change_settings(clean: Settings) -> Callable[..., Settings]:
    """Give this process other settings, and let it see the keys anew."""

    def change(**changes: Any) -> Settings:
        protection.forget_keys()
        return settings_module.configure(dataclasses.replace(settings_module.current(), **changes))

    return change


@pytest.fixture
def start_process(clean: Settings) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `python -m module …` against this store, with its output to be read line by line."""
    started: list[subprocess.Popen[str]] = []

    def start(module: str, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        names = ("mongodb_url", "mongodb_database", "master_key", "cipher")
        chosen = {name: getattr(clean, name) for name in names} | changes
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={variable(name): value for name, value in chosen.items()},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout and process.stdin
        process.stdout.close()
        process.stdin.close()

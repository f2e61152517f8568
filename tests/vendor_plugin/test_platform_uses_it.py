"""What an installed plugin adds works like what is built in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.settings import Settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def found(installed: Path, store: Settings) -> dict[str, Any]:
    """Run `exercise.py` with the package installed, on a database of its own."""
    chosen = {
        "MODE": "production",
        "DATA_DIR": store.data_dir,
        "MONGODB_URL": store.mongodb_url,
        "MONGODB_DATABASE": "qingxu_vendor",
        "REDIS_URL": store.redis_url.removesuffix("/0") + "/7",
        "MASTER_KEY": store.master_key,
        "LOG_LEVEL": "ERROR",
    }
    environment = {**os.environ, **{f"QINGXU_{name}": str(value) for name, value in chosen.items()}}
    environment["PYTHONPATH"] = f"{installed}{os.pathsep}{ROOT}"
    script = Path(__file__).with_name("exercise.py")
    done = subprocess.run([sys.executable, str(script)], env=environment, cwd=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_its_handler_keeps_each_event_once_and_its_route_shows_it_to_those_of_the_area(found: dict[str, Any]) -> None:
    (mine,) = found["here"]
    assert (mine["kind"], mine["pieces"], mine["area"]) == ("bag", 3, "330110/330110001/330110001005/C00042")
    assert [each["area"] for each in found["there"]] == ["330111/330111001"]


def test_its_metric_is_summed_and_its_panel_reads_it(found: dict[str, Any]) -> None:
    assert found["panel"] == {"labels": ["bag"], "values": {"件数": [3]}}


def test_its_permission_is_in_the_roles_and_its_entry_in_the_menu(found: dict[str, Any]) -> None:
    assert found["role"] and found["menu"]


def test_its_route_is_in_the_openapi_document(found: dict[str, Any]) -> None:
    assert found["document"]


def test_its_job_runs(found: dict[str, Any]) -> None:
    assert found["kept"] == 1


def test_the_health_page_lists_it_without_faults(found: dict[str, Any]) -> None:
    (plugin,) = found["health"]
    assert (plugin["state"], plugin["version"], plugin["external"]) == ("loaded", "1.2.0", True)
    assert plugin["faults"] == [] and plugin["notes"] == []


def test_it_vanishes_where_its_module_is_switched_off(found: dict[str, Any]) -> None:
    assert (found["switched_off"]["status"], found["switched_off"]["code"]) == (404, "module_off")
    assert found["menu_switched_off"] is False

"""An installed package is found by its entry point, checked by its metadata and loaded behind the built-in plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LOAD = """
import json, sys
from flask import Flask
from backend import http
from backend.app import core_records
from backend.plugins_host import load_plugins
from backend.settings import Settings, configure

settings = configure(Settings(**json.loads(sys.argv[1])))
app = Flask("platform")
http.install(app, settings)
registry = load_plugins(settings, core=core_records(settings), url_map=app.url_map)
status = {each.name: each.__dict__ for each in registry.plugins}
kinds = ("permissions", "documents", "blueprints", "menu_entries", "panels", "metrics", "event_handlers", "jobs")
added = {
    kind: [getattr(each, "name", getattr(each, "__name__", "")) for each in getattr(registry, kind)
           if registry.owner_of(each) == "litter"]
    for kind in kinds
}
print(json.dumps({"status": status, "added": added, "ran": "qingxu_litter" in sys.modules}, default=str))
"""


def load(site: Path, **settings: object) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", LOAD, json.dumps(settings)]
    done = subprocess.run(command, env=environment, cwd=site, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_it_adds_one_of_each(installed: Path) -> None:
    answer = load(installed)
    status = answer["status"]["litter"]
    assert (status["state"], status["reason"]) == ("loaded", "")
    assert (status["title"], status["version"], status["external"]) == ("散落物统计", "1.2.0", True)
    assert status["source"] == "qingxu-litter 1.2.0"
    assert answer["added"] == {
        "permissions": ["litter:view"],
        "documents": ["LitterSighting"],
        "blueprints": ["litter"],
        "menu_entries": ["litter"],
        "panels": ["litter.kinds"],
        "metrics": ["litter.sightings"],
        "event_handlers": ["litter.note_sighting"],
        "jobs": ["litter.forget_old"],
    }


def test_safe_mode_and_the_setting_start_without_it_and_without_running_it(installed: Path) -> None:
    for settings, reason in (({"safe_mode": True}, "安全模式"), ({"disabled_plugins": ["litter"]}, "停用")):
        answer = load(installed, **settings)
        status = answer["status"]["litter"]
        assert status["state"] == "disabled" and reason in status["reason"] and status["title"] == "散落物统计"
        assert answer["ran"] is False
        assert answer["status"]["evidence"]["state"] == "loaded"


def test_without_what_it_needs_it_is_refused_without_running_it(installed: Path) -> None:
    answer = load(installed, disabled_plugins=["evidence"])
    assert answer["status"]["litter"]["state"] == "refused"
    assert "evidence" in answer["status"]["litter"]["reason"]
    assert answer["ran"] is False

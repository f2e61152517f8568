"""Loaded by Python at start: a platform of next to nothing stands where the real one would, so that tests are fast."""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from pathlib import Path


def module(name, **content):
    """Put a module in the place of the real one."""
    made = types.ModuleType(name)
    made.__dict__.update(content)
    made.__path__ = []
    sys.modules[name] = made
    return made


def prepare(settings, tell):
    """Write two records; tests interrupt it in between."""
    from pymongo import MongoClient

    things = MongoClient(settings.mongodb_url)[settings.mongodb_database].things
    if things.count_documents({}) == 0:
        things.insert_one({"step": 1})
        tell("half of the demo")
        time.sleep(float(os.environ.get("TEST_PREPARE_SECONDS", "0")))
        if filler := os.environ.get("TEST_FILL_DISK"):
            fill(Path(filler))
        things.insert_one({"step": 2, "photo": os.urandom(1_000_000)})
    return [types.SimpleNamespace(title="系统管理员", account="admin", password="secret-1")]


def fill(file):
    """Take all room that the disk of `file` has."""
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(65536))
        except OSError:
            return


def work(_what):
    """Wait for SIGTERM; then the servers must still be there."""
    import socket

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})
    for name in ("QINGXU_MONGODB_URL", "QINGXU_REDIS_URL"):
        port = os.environ[name].partition("127.0.0.1:")[2].partition("/")[0]
        socket.create_connection(("127.0.0.1", int(port))).close()
    sys.stdout.write("stopped before the servers\n")


class MigrationError(Exception):
    """As the real one."""


class DemoFailed(Exception):
    """As the real one."""


module("backend.app", create_app=lambda settings: None, prepare=prepare)
module("backend.jobs", QUEUES=("default", "vision", "outbound", "reports"), run_worker=work, run_scheduler=work)
module("backend.plugin_api")
module("backend.plugin_api.registry", installed=lambda: types.SimpleNamespace(jobs=()))
module("backend.monitoring", metrics=types.SimpleNamespace(prepare_folder=lambda folder: None, process_ended=print))
module("backend.storage")
module("backend.storage.migrations", MigrationError=MigrationError)
module("backend.demo")
module("backend.demo.making", DemoFailed=DemoFailed)
for absent in ("dash", "plotly", "dash_leaflet", "shapely", "mongoengine", "numpy"):
    sys.modules[absent] = None

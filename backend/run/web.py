"""Gunicorn's configuration: `gunicorn --config python:backend.run.web wsgi:app`."""

from __future__ import annotations

import gc
import importlib
import sys
from contextlib import suppress
from typing import Any

from backend.settings import Settings

_settings = Settings.from_env()

bind = f"{f'[{_settings.host}]' if ':' in _settings.host else _settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.web_workers
threads = _settings.web_threads
keepalive = 30
timeout = 60
graceful_timeout = 8
worker_tmp_dir = "/dev/shm" if sys.platform == "linux" else None  # noqa: S108 - heartbeats need no disk
control_socket_disable = True

#: Big libraries that every worker uses. Loaded once before the workers are forked, their memory is shared.
SHARED = ("backend.app", "dash", "plotly.graph_objects", "dash_leaflet", "shapely", "mongoengine", "numpy")


def on_starting(server: Any) -> None:
    """Load what the workers share; the app itself is made in each worker, because connections cannot be shared."""
    for name in SHARED:
        with suppress(ImportError):
            importlib.import_module(name)
    settle_memory()


def settle_memory() -> None:
    """Let the garbage collector leave alone what lives as long as the process: each of its rounds then costs less."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Answer the first pages inside the worker, before it takes requests: Dash fails while it is still cold."""
    sys.modules["wsgi"].warm()
    settle_memory()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the live figures of a worker that has ended."""
    from backend.monitoring import metrics

    metrics.process_ended(worker.pid)

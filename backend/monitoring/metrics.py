"""Prometheus metrics, summed over all processes when `PROMETHEUS_MULTIPROC_DIR` names a folder.

The variable has to be set before Python starts: the client library looks at it once, when it is imported.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

#: Content type of what `render` returns.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WORK = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

_requests = Counter("qingxu_http_requests", "Requests answered", ["method", "route", "status"])
_request_seconds = Histogram("qingxu_http_request_seconds", "Time to answer", ["method", "route"], buckets=LATENCY)
_jobs = Counter("qingxu_jobs", "Jobs run", ["job", "outcome"])
_job_seconds = Histogram("qingxu_job_seconds", "Time of a job", ["job"], buckets=WORK)
_deliveries = Counter("qingxu_deliveries", "Events handed to a handler", ["handler", "outcome"])
_delivery_seconds = Histogram("qingxu_delivery_seconds", "Time of an event handler", ["handler"], buckets=WORK)
_faults = Counter("qingxu_plugin_faults", "Errors of a plugin that were caught at its border", ["plugin"])


@dataclass(frozen=True)
class Level:
    """A figure that is looked up when the metrics are asked for, such as a queue's length; `values` by label."""

    name: str
    help: str
    label: str
    values: Mapping[str, float] = field(default_factory=dict)


def request_answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request; `route` is the template, such as `/api/v1/compounds/<id>`, never the address itself."""
    method = method if method in METHODS else "other"
    _requests.labels(method, route, str(status)).inc()
    _request_seconds.labels(method, route).observe(seconds)


@contextmanager
def timing_job(name: str) -> Iterator[None]:
    """Count and time the job that runs inside, by outcome `done` or `failed`."""
    with _timing(name, _jobs, _job_seconds):
        yield


@contextmanager
def timing_delivery(handler: str) -> Iterator[None]:
    """Count and time the event handler that runs inside, by outcome `done` or `failed`."""
    with _timing(handler, _deliveries, _delivery_seconds):
        yield


@contextmanager
def _timing(name: str, counter: Counter, seconds: Histogram) -> Iterator[None]:
    started = perf_counter()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        counter.labels(name, outcome).inc()
        seconds.labels(name).observe(perf_counter() - started)


def fault_caught(plugin: str) -> None:
    """Count one error of a plugin."""
    _faults.labels(plugin).inc()


def render(levels: Iterable[Level] = ()) -> bytes:
    """Return all metrics as text, of this process or of all that share the folder, and `levels` beside them."""
    registry = CollectorRegistry()
    if FOLDER_VARIABLE in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(_Everything())
    registry.register(_Levels(tuple(levels)))
    return generate_latest(registry)


def prepare_folder(folder: Path) -> dict[str, str]:
    """Empty the folder that the processes share and return the environment to start them with."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {FOLDER_VARIABLE: str(folder)}


def process_ended(pid: int) -> None:
    """Forget the live figures of a process that has ended; gunicorn's `child_exit` calls this."""
    if FOLDER_VARIABLE in os.environ:
        mark_process_dead(pid)


class _Everything(Collector):
    """All metrics of this process."""

    def collect(self) -> Iterator:
        yield from REGISTRY.collect()


class _Levels(Collector):
    """Figures looked up for this one answer."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self.levels = levels

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for level in self.levels:
            family = GaugeMetricFamily(level.name, level.help, labels=[level.label])
            for name, value in level.values.items():
                family.add_metric([name], value)
            yield family

"""All that the health page shows, put together when it is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from redis.exceptions import RedisError

import backend
from backend import storage
from backend.events import dead_deliveries
from backend.health import figures
from backend.jobs import dead_jobs
from backend.monitoring import faults, redact_text, run_checks
from backend.plugin_api.registry import Registry

#: The longest lists that a page can use.
MOST = 100
STATES = ("ok", "warn", "fail")


def make_report(registry: Registry) -> dict[str, Any]:
    """Return plugins, checks, queues and failed work; raises what the store raises when it does not answer."""
    plugins = plugin_rows(registry)
    checks = [asdict(result) for result in run_checks(registry.health_checks)]
    unloaded = any(row["state"] in ("broken", "refused") for row in plugins)
    return {
        "state": worst([*(check["state"] for check in checks), "warn" if unloaded else "ok"]),
        "platform_version": backend.__version__,
        "store": storage.store_name(),
        "at": storage.utcnow(),
        "plugins": plugins,
        "checks": checks,
        "queues": queue_rows(),
        "dead_deliveries": [with_clean_error(asdict(each)) for each in dead_deliveries(MOST)],
        "dead_jobs": [with_clean_error(asdict(each)) for each in dead_jobs(MOST)],
    }


def plugin_rows(registry: Registry) -> list[dict[str, Any]]:
    """Return every plugin with the faults that were caught at its border."""
    by_plugin: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for fault in faults.listed():
        by_plugin[fault.plugin].append(
            {"where": fault.where, "count": fault.count, "last_error": fault.last_error, "last_at": fault.last_at}
        )
    return [{**asdict(status), "faults": by_plugin.get(status.name, [])} for status in registry.plugins]


def queue_rows() -> list[dict[str, Any]]:
    """Return the queues' figures, none when Redis does not answer; its check says so."""
    try:
        return [asdict(each) for each in figures.queues()]
    except RedisError:
        return []


def worst(states: Iterable[str]) -> str:
    """Return the worst of several states."""
    return max(states, key=STATES.index, default="ok")


def with_clean_error(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose error text holds no private data."""
    return {**row, "error": redact_text(str(row.get("error") or ""))}

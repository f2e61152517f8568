"""The metrics of this process."""

from __future__ import annotations

from collections.abc import Iterable

from backend.rollups.records import Metric

_installed: dict[str, Metric] = {}


def install(metrics: Iterable[Metric]) -> None:
    """Make `metrics` those of this process; raises ValueError when two have one name."""
    found: dict[str, Metric] = {}
    for metric in metrics:
        if metric.name in found:
            raise ValueError(f"Two metrics are called {metric.name}.")
        found[metric.name] = metric
    _installed.clear()
    _installed.update(found)


def installed(name: str) -> Metric:
    """Return a metric by name; raises LookupError."""
    if name not in _installed:
        raise LookupError(f"There is no metric called {name}.")
    return _installed[name]


def all_installed() -> list[Metric]:
    """Return the metrics of this process."""
    return list(_installed.values())

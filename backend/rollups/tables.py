"""The lines of a stored sum: unfolded, put together by key, and laid out by column again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import add
from typing import Any

from backend.rollups.records import Metric

#: Measures by key, in the order of `Metric.measures`.
Sums = dict[tuple[Any, ...], list[Any]]

#: How two values of a measure become one.
COMBINED: Mapping[str, Callable[[Any, Any], Any]] = {"$sum": add, "$min": min, "$max": max}


def lines_of(
    table: Mapping[str, Sequence[Any]], key: Sequence[str | repeat[Any]], metric: Metric
) -> Iterable[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Return the key and the measures of each line; `key` names columns, or repeats one value for all lines."""
    if not table:
        return ()
    columns = [table[part] if isinstance(part, str) else part for part in key]
    keys = zip(*columns, strict=False) if columns else repeat(())
    return zip(keys, zip(*(table[name] for name in metric.measures), strict=True), strict=False)


def add_to(metric: Metric, sums: Sums, key: tuple[Any, ...], measured: Sequence[Any]) -> None:
    """Put the measures of a line to those of its key."""
    before = sums.get(key)
    if before is None:
        sums[key] = list(measured)
        return
    for place, (operator, *_) in enumerate(metric.measures.values()):
        one, other = before[place], measured[place]
        if one is None or other is None:
            before[place] = other if one is None else one
        else:
            before[place] = COMBINED[operator](one, other)


def table_of(key: Sequence[str], metric: Metric, sums: Sums) -> dict[str, list[Any]]:
    """Return sums by column, as they are stored."""
    table: dict[str, list[Any]] = {name: [line[place] for line in sums] for place, name in enumerate(key)}
    for place, name in enumerate(metric.measures):
        table[name] = [measured[place] for measured in sums.values()]
    return table


def total_of(metric: Metric, table: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return the measures of all lines together: what is read where no dimension is asked for."""
    sums: Sums = {}
    for key, measured in lines_of(table, (), metric):
        add_to(metric, sums, key, measured)
    return dict(zip(metric.measures, sums.get((), ()), strict=False))

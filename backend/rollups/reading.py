"""Reading figures: from the sums alone, so a page costs the same however many records there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend import storage
from backend.rollups.buckets import bucket_of, cut_area, within
from backend.rollups.buckets import bucket_starts as starts_of
from backend.rollups.records import LEVELS, Metric, depth
from backend.rollups.registry import installed

Numbers = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """Figures by group: `keys[i]` are the values of `by` of the i-th group, `measures[name][i]` its figure.

    Groups are sorted by key; one without records is not there.
    """

    by: tuple[str, ...]
    keys: Sequence[tuple[Any, ...]]
    measures: Mapping[str, Numbers]

    def total(self, measure: str = "count") -> int | float:
        """Return the sum of a measure over all groups; 0 when there are none."""
        return self.measures[measure].sum().item()

    def column(self, name: str) -> list[Any]:
        """Return the values of one part of the keys."""
        place = self.by.index(name)
        return [key[place] for key in self.keys]

    def along(self, values: Sequence[Any], measure: str = "count") -> Numbers:
        """Return a measure for each of `values`, 0 where there is none; for figures by one thing, such as time."""
        if len(self.by) != 1:
            raise ValueError("The figures must be by one thing.")
        figures = self.measures[measure]
        found = dict(zip((key[0] for key in self.keys), figures.tolist(), strict=True))
        return _numbers([found.get(value, 0) for value in values], whole=figures.dtype == np.int64)


def figures(
    name: str,
    *,
    area: str = "",
    scope: Mapping[str, Any] | None = None,
    level: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
) -> Summary:
    """Return the figures of a metric in `area`, or in what `scope` (a filter on areas) leaves, from `since` to `until`.

    `by` names what to group by: `at` (starts of time buckets, UTC), `area` (paths, cut at `level`) and dimensions;
    `where` gives values of dimensions. Both times are taken to whole buckets. Raises LookupError for an unknown
    metric, ValueError for an unknown dimension or level.
    """
    metric = installed(name)
    wanted, stored = _places(metric, area, scope or {}, level)
    if since is not None or until is not None:
        wanted.append({"at": _times(metric, since, until)})
    key = {f"k{number}": _group_key(metric, part, level) for number, part in enumerate(by)}
    rows = storage.database()["rollups"].aggregate(
        [
            {"$match": {"$and": [{"metric": name}, {"level": stored}, *wanted]}},
            {"$unwind": "$rows"},
            {"$match": {f"rows.by.{_dimension(metric, part)}": value for part, value in (where or {}).items()}},
            {"$group": {"_id": key, **{each: {op: f"$rows.{each}"} for each, op in _operators(metric).items()}}},
        ]
    )
    groups = sorted(
        ((tuple(row["_id"][part] for part in key), row) for row in rows),
        key=lambda group: tuple((value is not None, str(type(value)), value) for value in group[0]),
    )
    measures = {each: _measure([row[each] for _, row in groups]) for each in metric.measures}
    return Summary(tuple(by), [values for values, _ in groups], measures)


def bucket_starts(name: str, since: datetime, until: datetime) -> list[datetime]:
    """Return the starts of a metric's buckets from the one that holds `since` up to `until`: the axis of a chart."""
    return starts_of(installed(name), since, until)


def _places(metric: Metric, area: str, scope: Mapping[str, Any], level: str | None) -> tuple[list[dict[str, Any]], str]:
    """Return the filters on the area and the coarsest stored level that can answer them."""
    if level is not None and level not in LEVELS:
        raise ValueError(f"There is no level {level}.")
    whole = _whole_area(scope)
    if whole and (not area or f"{area}/".startswith(f"{whole}/")):
        area, scope = area or whole, {}
    wanted = [within(area)] if area else []
    if scope:
        # A scope may leave out any area, also below the level asked for: only the finest sums can respect it.
        return [*wanted, dict(scope)], metric.finest
    needed = max(depth(area) if area else 1, LEVELS.index(level) + 1 if level else 1)
    enough = [each for each in LEVELS[needed - 1 :] if each in metric.levels]
    return wanted, enough[0] if enough else metric.finest


def _whole_area(scope: Mapping[str, Any]) -> str:
    """Return the area when a scope is nothing but one whole area, else nothing."""
    place = scope.get("area")
    if len(scope) == 1 and isinstance(place, Mapping) and set(place) == {"$gte", "$lt"}:
        first = str(place["$gte"])
        return first if place["$lt"] == f"{first}0" else ""
    return ""


def _times(metric: Metric, since: datetime | None, until: datetime | None) -> dict[str, datetime | None]:
    if metric.bucket == "none":
        raise ValueError(f"Metric {metric.name} is not counted by time.")
    times = {"$gte": bucket_of(metric, since) if since else None, "$lt": until}
    return {operator: time for operator, time in times.items() if time is not None}


def _group_key(metric: Metric, part: str, level: str | None) -> Any:
    if part == "at":
        return "$at"
    if part == "area":
        return cut_area(level) if level else "$area"
    return f"$rows.by.{_dimension(metric, part)}"


def _dimension(metric: Metric, name: str) -> str:
    if name not in metric.dimensions:
        raise ValueError(f"Metric {metric.name} has no dimension {name}.")
    return f"d{metric.dimensions.index(name)}"


def _operators(metric: Metric) -> dict[str, str]:
    return {name: next(iter(measure)) for name, measure in metric.measures.items()}


def _measure(values: Sequence[Any]) -> Numbers:
    return _numbers(
        [0 if value is None else value for value in values], whole=all(isinstance(value, int) for value in values)
    )


def _numbers(values: Sequence[Any], *, whole: bool) -> Numbers:
    return np.array(values, dtype=np.int64) if whole else np.array(values, dtype=np.float64)

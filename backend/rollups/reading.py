"""Reading figures: from the sums alone, so a page costs the same however many records there are."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, repeat
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend import storage
from backend.rollups.buckets import Piece, district_of, pieces, starts_of
from backend.rollups.records import LEVELS, SPANS, Metric, cut, depth
from backend.rollups.registry import installed
from backend.rollups.tables import Sums, add_to, lines_of

T = TypeVar("T")

Numbers = NDArray[np.int64] | NDArray[np.float64]

#: More sums than this come in several trips.
ONE_TRIP = 10_000
#: Comes after the slash and before all letters and digits.
LAST = "0"
#: What is read of a stored sum. They are put together here: a store takes ten times as long to unfold and group them.
READ = {"_id": 0, "span": 1, "at": 1, "area": 1}


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

    def total_of(self, name: str, values: Container[Any], measure: str = "count") -> int | float:
        """Return the sum of a measure over the groups whose part `name` is one of `values`."""
        place = self.by.index(name)
        kept = [key[place] in values for key in self.keys]
        return self.measures[measure][np.array(kept, dtype=bool)].sum().item()

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
    step: str | None = None,
) -> Summary:
    """Return the figures of a metric in `area`, or in what `scope` (a filter on areas) leaves, from `since` to `until`.

    `by` names what to group by: `at` (starts of time buckets, or of each `step`: hour, day, month; UTC), `area` (paths,
    cut at `level`) and dimensions; `where` gives values of dimensions. Both times are taken to whole buckets. Raises
    LookupError for an unknown metric, ValueError for an unknown dimension, level or step.
    """
    spans = [(since, until)]
    [found] = figures_over(name, spans, area=area, scope=scope, level=level, by=by, where=where, step=step)
    return found


def figures_over(
    name: str,
    spans: Sequence[tuple[datetime | None, datetime | None]],
    *,
    area: str = "",
    scope: Mapping[str, Any] | None = None,
    level: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
    step: str | None = None,
) -> list[Summary]:
    """Return what `figures` does for each of several spans of time (since, until), read in one trip."""
    metric = installed(name)
    places, inside, stored = _places(metric, area, scope or {}, level)
    asked = [_dimension(metric, part) for part in (*by, *(where or {})) if part not in ("at", "area")]
    steps = _steps(metric, step) if "at" in by else metric.spans
    read = [_pieces(metric, steps, since, until) for since, until in spans]
    sums: list[Sums] = [{} for _ in spans]
    fields = {**READ, "rows" if asked else "total": 1}
    # One piece after the other: each names a whole index and ends in its only range, so that none reads more than it
    # needs. For a choice of several, or a second range, the embedded store reads all there is.
    for piece in dict.fromkeys(piece for every in read for piece in every):
        shown = [total for total, every in zip(sums, read, strict=True) if piece in every]
        query = {"metric": name, "level": stored, **places, **_at(piece)}
        for row in storage.database()["rollups"].find(query, fields).batch_size(ONE_TRIP):
            if inside and not inside <= row["area"] < f"{inside}{LAST}":
                continue
            fixed = {"at": row["at"], "area": cut(row["area"], level) if level else row["area"]}
            columns = [repeat(fixed[part]) if part in fixed else _dimension(metric, part) for part in by]
            table = row["rows"] if asked else {name: (value,) for name, value in row["total"].items()}
            for key, measured in _asked(lines_of(table, columns, metric), table, metric, where or {}):
                for total in shown:
                    add_to(metric, total, key, measured)
    return [_summary(metric, by, total) for total in sums]


def bucket_starts(name: str, since: datetime, until: datetime, step: str | None = None) -> list[datetime]:
    """Return the starts of a metric's buckets, or steps, from the one that holds `since` up to `until`: an axis."""
    metric = installed(name)
    if metric.bucket == "none":
        return []
    return starts_of(_steps(metric, step)[0], since, until)


def _steps(metric: Metric, step: str | None) -> tuple[str, ...]:
    """Return the one span in which time is grouped: the step, or the metric's bucket where that is longer."""
    if step is not None and step not in SPANS:
        raise ValueError(f"There is no step {step}.")
    return (step,) if step in metric.spans else metric.spans[:1]


def _pieces(metric: Metric, spans: Sequence[str], since: datetime | None, until: datetime | None) -> list[Piece]:
    if metric.bucket == "none":
        if since is not None or until is not None:
            raise ValueError(f"Metric {metric.name} is not counted by time.")
        return [("none", None, None)]
    return pieces(spans, since, until)


def _at(piece: Piece) -> dict[str, Any]:
    """Return the filter of the sums of one piece."""
    span, since, until = piece
    times = {operator: at for operator, at in (("$gte", since), ("$lt", until)) if at is not None}
    return {"span": span, "at": times} if times else {"span": span}


def _asked(
    lines: Iterable[T], table: Mapping[str, Sequence[Any]], metric: Metric, where: Mapping[str, Any]
) -> Iterable[T]:
    """Return the lines whose dimensions have the values asked for."""
    if not where or not table:
        return lines
    columns = zip(*(table[_dimension(metric, part)] for part in where), strict=True)
    return compress(lines, (values == tuple(where.values()) for values in columns))


def _summary(metric: Metric, by: Sequence[str], total: Sums) -> Summary:
    """Return the groups in the order of their keys."""
    keys = sorted(total, key=lambda key: tuple((value is not None, str(type(value)), value) for value in key))
    columns = zip(*(total[key] for key in keys), strict=True) if keys else repeat((), len(metric.measures))
    measures = {name: _measure(values) for name, values in zip(metric.measures, columns, strict=True)}
    return Summary(tuple(by), keys, measures)


def _places(metric: Metric, area: str, scope: Mapping[str, Any], level: str | None) -> tuple[dict[str, Any], str, str]:
    """Return the filter on places, the area in which they must lie as well, and the coarsest level that can answer."""
    if level is not None and level not in LEVELS:
        raise ValueError(f"There is no level {level}.")
    whole = _whole_area(scope)
    if whole and (not area or f"{area}/".startswith(f"{whole}/")):
        area, scope = area or whole, {}
    if scope:
        # A scope may leave out any area, also below the level asked for: only the finest sums can respect it.
        return dict(scope), area, metric.finest
    needed = max(depth(area) if area else 1, LEVELS.index(level) + 1 if level else 1)
    enough = [each for each in LEVELS[needed - 1 :] if each in metric.levels]
    stored = enough[0] if enough else metric.finest
    if not area:
        return {}, "", stored
    own = LEVELS.index(stored) + 1 == depth(area)
    return ({"area": area} if own else {"district": district_of(area)}), area, stored


def _whole_area(scope: Mapping[str, Any]) -> str:
    """Return the area when a scope is nothing but one whole area, else nothing."""
    place = scope.get("area")
    if len(scope) == 1 and isinstance(place, Mapping) and set(place) == {"$gte", "$lt"}:
        first = str(place["$gte"])
        return first if place["$lt"] == f"{first}0" else ""
    return ""


def _dimension(metric: Metric, name: str) -> str:
    if name not in metric.dimensions:
        raise ValueError(f"Metric {metric.name} has no dimension {name}.")
    return str(metric.dimensions.index(name))


def _measure(values: Sequence[Any]) -> Numbers:
    return _numbers(
        [0 if value is None else value for value in values], whole=all(isinstance(value, int) for value in values)
    )


def _numbers(values: Sequence[Any], *, whole: bool) -> Numbers:
    return np.array(values, dtype=np.int64) if whole else np.array(values, dtype=np.float64)

"""Figures counted by hand from the records themselves: what sums are held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from backend.rollups import Metric, figures, figures_over
from backend.rollups.registry import all_installed
from backend.storage import LOCAL_ZONE, database

COMBINED: Mapping[str, Callable[[Sequence[Any]], Any]] = {"$sum": sum, "$min": min, "$max": max}


def counted_records(metric: Metric) -> list[dict[str, Any]]:
    """Return what each single record gives: where, when, of which kind, and its measures as the store computes them."""
    key = {"_id": "$_id", "area": "$area", "at": f"${metric.time_field}" if metric.time_field else None}
    key |= {f"d{n}": {"$ifNull": [f"${name}", None]} for n, name in enumerate(metric.dimensions)}
    measures = {name: dict(measure) for name, measure in metric.measures.items()}
    pipeline = [{"$match": dict(metric.match)}, {"$group": {"_id": key, **measures}}]
    return list(database()[metric.source].aggregate(pipeline))


def kinds_of(record: Mapping[str, Any], count: int) -> tuple[Any, ...]:
    """Return a record's values of the first `count` dimensions."""
    return tuple(record["_id"].get(f"d{n}") for n in range(count))


def begins(step: str, at: datetime) -> datetime:
    """Return when the hour, day or month of Shanghai begins that holds a time."""
    local = at.astimezone(LOCAL_ZONE).replace(minute=0, second=0, microsecond=0)
    if step != "hour":
        local = local.replace(hour=0)
    return local.replace(day=1) if step == "month" else local


def by_hand(
    metric: Metric,
    records: Sequence[Mapping[str, Any]],
    key: Callable[[Mapping[str, Any]], tuple[Any, ...]],
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the measures of the records by key."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return {
        each: {
            name: COMBINED[next(iter(measure))]([record[name] or 0 for record in group])
            for name, measure in metric.measures.items()
        }
        for each, group in groups.items()
    }


def told(metric: Metric, **asked: Any) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the measures that the sums give, by key."""
    found = figures(metric.name, **asked)
    columns = {name: found.measures[name].tolist() for name in metric.measures}
    return {key: {name: columns[name][n] for name in columns} for n, key in enumerate(found.keys)}


def assert_exact(metric: Metric) -> int:
    """Fail unless every sum of a metric is what its records give; returns how many records there are."""
    records = counted_records(metric)
    if not records:
        assert not database()["rollups"].find_one({"metric": metric.name, "rows": {"$ne": {}}}), metric.name
        return 0

    def kinds(record: Mapping[str, Any]) -> tuple[Any, ...]:
        return kinds_of(record, len(metric.dimensions))

    def place(record: Mapping[str, Any], level: int) -> str:
        return "/".join(record["_id"]["area"].split("/")[:level])

    for depth, level in enumerate(("district", "street", "community", "compound"), start=1):
        if level not in metric.levels:
            continue
        if metric.time_field is None:
            expected = by_hand(metric, records, lambda record, d=depth: (place(record, d), *kinds(record)))
            assert told(metric, level=level, by=("area", *metric.dimensions)) == expected, (metric.name, level)
            continue
        for step in metric.spans:
            expected = by_hand(
                metric,
                records,
                lambda record, s=step, d=depth: (begins(s, record["_id"]["at"]), place(record, d), *kinds(record)),
            )
            found = told(metric, level=level, step=step, by=("at", "area", *metric.dimensions))
            assert found == expected, (metric.name, level, step)
    if metric.time_field is not None:
        assert_spans(metric, records)
    return len(records)


def assert_spans(metric: Metric, records: Sequence[Mapping[str, Any]]) -> None:
    """Fail unless spans that are put together from months, days and hours are right, with and without dimensions."""
    first, last = min(each["_id"]["at"] for each in records), max(each["_id"]["at"] for each in records)
    third = (last - first) / 3 + timedelta(hours=1)
    cuts = [begins(metric.bucket, first + third * n) for n in range(5)]
    spans = [(cuts[0], cuts[1]), (cuts[1], cuts[3]), (cuts[0], cuts[4]), (None, cuts[2]), (cuts[2], None)]
    for by in ((), metric.dimensions):
        count = len(by)
        for (since, until), found in zip(spans, figures_over(metric.name, spans, by=by), strict=True):
            inside = [
                each
                for each in records
                if (since is None or begins(metric.bucket, each["_id"]["at"]) >= since)
                and (until is None or begins(metric.bucket, each["_id"]["at"]) < until)
            ]
            expected = by_hand(metric, inside, lambda record, n=count: kinds_of(record, n))
            for name in metric.measures:
                given = dict(zip(found.keys, found.measures[name].tolist(), strict=True))
                assert given == {key: each[name] for key, each in expected.items()}, (metric.name, by, since, until)


def assert_all_exact() -> dict[str, int]:
    """Fail unless every registered metric is exact; returns how many records each counts."""
    return {metric.name: assert_exact(metric) for metric in all_installed()}

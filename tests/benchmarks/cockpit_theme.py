"""Server time of a theme with 100,000, 1,000,000 and 5,000,000 events behind it, and of its figures from the events.

The theme is that of alerts, as its panels are registered, asked for two weeks with the two weeks before and those of a
year before. Each size is a metric of its own, declared as the one of alerts: for the smallest the sums are made by the
code that makes them, for the others they are stored as that code would have stored them. All three lie in the store at
once and are asked by turns. The peer of the last ratio groups a million events, under an index that fits, for the very
same figures; both must give the same numbers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from backend import rollups, storage
from backend.demo.district import draw_district
from backend.plugin_api import comparing, installed_registry
from backend.plugin_api.panels import Period, View
from backend.rollups import LEVELS, Metric, Summary, reading
from backend.rollups.buckets import cut_area, start_of
from backend.rollups.registry import all_installed, install
from backend.rollups.tables import table_of, total_of
from backend.storage import LOCAL_ZONE, utcnow
from dash_cockpit.draw import draw
from dash_cockpit.feeds import to_json
from plugins.alerts import panels as alerts
from plugins.alerts.kinds import defaults
from tests.benchmarks import ground
from tests.benchmarks.ratio import Ratio, medians

SIZES = (100_000, 1_000_000, 5_000_000)
DAYS = 14
ROUNDS = 15
THEME = "alerts"
PORTION = 5_000
STATES = (("closed", 0.8), ("dismissed", 0.12), ("dispatched", 0.04), ("raised", 0.03), ("unconfirmed", 0.01))
KINDS = defaults.KINDS
COUNTS = (len(STATES), len(KINDS))

Integers = NDArray[np.int64]


def measure() -> Iterator[Ratio]:
    """Measure the theme by turns over all sizes, then its figures from sums and from events."""
    with ground.platform() as settings:
        ground.app_of(settings)
        areas = [area.path for area in draw_district(20261122) if area.level == "compound"]
        # Not today: what is compared must be over, so that all rounds see the same.
        today = utcnow().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        period = Period("range", today - timedelta(days=DAYS), today)
        [declared] = alerts.METRICS
        metrics = [replace(declared, name=f"bench.events_{size}", collection=f"bench_{size}") for size in SIZES]
        install([*all_installed(), *metrics])
        for metric, size in zip(metrics, SIZES, strict=True):
            began = time.perf_counter()
            events = make_events(size, len(areas), period)
            if size < SIZES[-1]:
                store_events(metric, events, areas)
            if size == SIZES[0]:
                rollups.rebuild(metric.name)
                rollups.recompute_dirty()
            store_definition(metric)
            if size > SIZES[0]:
                store_sums(metric, events, areas)
            print(f"{size:,} events: ready after {time.perf_counter() - began:.0f} s", flush=True)
        view = View(area=areas[0].split("/")[0], scope=whole(areas[0].split("/")[0]), period=period)
        yield from compare_sizes(metrics, view)
        yield compare_sources(metrics[1], view)


def compare_sizes(metrics: Sequence[Metric], view: View) -> Iterator[Ratio]:
    """Ask the theme over each size by turns."""
    taken: list[list[float]] = [[] for _ in metrics]
    for number in range(ROUNDS + 2):
        for metric, times in zip(metrics, taken, strict=True):
            spent = time_theme(metric, view)
            if number >= 2:
                times.append(spent)
    for metric, size, times in zip(metrics[1:], SIZES[1:], taken[1:], strict=True):
        ours, peer, ratio = medians(times, taken[0])
        del metric
        yield Ratio(
            name=f"theme with {size:,} events against {SIZES[0]:,}",
            ours=f"{ours * 1000:.0f} ms",
            peer=f"{peer * 1000:.0f} ms",
            ratio=ratio,
            at_most=1.2,
        )


def time_theme(metric: Metric, view: View) -> float:
    """Return the seconds that all panels and shaded layers of the theme take, drawn and encoded."""
    registry = installed_registry()
    panels = [each for each in registry.panels if THEME in each.themes]
    layers = [each for each in registry.map_layers if THEME in each.themes and each.style == "areas"]
    with patch.object(alerts, "METRIC", metric.name):
        began = time.perf_counter()
        for panel in panels:
            to_json(draw(panel.show(view), drills=panel.rows is not None))
        for layer in layers:
            layer.show(view)
        return time.perf_counter() - began


def compare_sources(metric: Metric, view: View) -> Ratio:
    """Answer each question that the theme asks of the metric from the sums, and from the events."""
    asked: list[tuple[Any, dict[str, Any]]] = []
    answer = reading.figures_over

    def listen(name: str, spans: Any, **question: Any) -> list[Summary]:
        if name == metric.name:
            asked.append((spans, question))
        return answer(name, spans, **question)

    with patch.object(reading, "figures_over", listen), patch.object(comparing, "figures_over", listen):
        time_theme(metric, view)
    began = time.perf_counter()
    from_events = [grouped(metric, spans, **question) for spans, question in asked]
    peer = time.perf_counter() - began
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        from_sums = [answer(metric.name, spans, **question) for spans, question in asked]
        times.append(time.perf_counter() - began)
    for ours, theirs in zip(from_sums, from_events, strict=True):
        assert [as_counts(each) for each in ours] == theirs
    ours_median = float(np.median(times))
    return Ratio(
        name=f"the theme's {len(asked)} questions at {SIZES[1]:,} events, from sums instead of events",
        ours=f"{ours_median * 1000:.0f} ms",
        peer=f"{peer * 1000:.0f} ms",
        ratio=peer / ours_median,
        at_least=50,
    )


def as_counts(found: Summary) -> dict[tuple[Any, ...], int]:
    """Return the counts of a summary by key."""
    return dict(zip(found.keys, found.measures["count"].tolist(), strict=True))


def grouped(
    metric: Metric,
    spans: Sequence[tuple[datetime | None, datetime | None]],
    *,
    area: str = "",
    scope: Mapping[str, Any] | None = None,
    level: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
    step: str | None = None,
) -> list[dict[tuple[Any, ...], int]]:
    """Return counts by key from the events themselves, one aggregation for each span."""
    places = [scope or {}, {"area": {"$gte": area, "$lt": f"{area}0"}} if area else {}, dict(where or {})]
    unit = {"date": "$raised_at", "unit": step or metric.bucket, "timezone": str(LOCAL_ZONE)}
    parts: dict[str, Any] = {"at": {"$dateTrunc": unit}, "area": cut_area(level) if level else "$area"}
    key = {f"k{n}": parts.get(part, f"${part}") for n, part in enumerate(by)}
    sums = {name: dict(measure) for name, measure in metric.measures.items()}
    found = []
    for since, until in spans:
        times = {operator: at for operator, at in (("$gte", since), ("$lt", until)) if at is not None}
        match = {"$and": [each for each in (*places, dict(metric.match), {"raised_at": times}) if each]}
        rows = storage.database()[metric.source].aggregate([{"$match": match}, {"$group": {"_id": key, **sums}}])
        found.append({tuple(row["_id"][part] for part in key): row["count"] for row in rows})
    return found


def whole(area: str) -> dict[str, Any]:
    """Return the scope of somebody who sees all of an area."""
    return {"area": {"$gte": area, "$lt": f"{area}0"}}


def make_events(size: int, areas: int, period: Period) -> dict[str, Integers]:
    """Return made-up events in the period, the one before and that of a year before: hour, area, kinds, durations."""
    chance = np.random.default_rng(size)
    starts = [each.since for each in (period, period.before(), period.year_before())]
    hours = np.array([int(start.timestamp()) // 3600 for start in starts])
    # As people are up: little at night, most in the morning and the evening.
    daily = 0.2 + np.exp(-((np.arange(24) - 8) ** 2) / 8) + 1.2 * np.exp(-((np.arange(24) - 19) ** 2) / 8)
    hour = chance.choice(24, size, p=daily / daily.sum()) + 24 * chance.integers(0, DAYS, size)
    state = chance.choice(len(STATES), size, p=[share for _, share in STATES])
    closed = state == 0
    return {
        "hour": hours[chance.integers(0, 3, size)] + hour,
        "area": chance.integers(0, areas, size),
        "state": state,
        "kind": chance.integers(0, len(KINDS), size),
        "late": (closed & (chance.random(size) < 0.1)).astype(np.int64),
        "close_seconds": np.where(closed, chance.integers(60, 90_000, size), 0),
    }


def kind_of(number: int) -> dict[str, Any]:
    """Return what follows from an event's kind, in the order of the metric's dimensions."""
    kind = KINDS[number]
    return {"category": kind["category"], "severity": kind["severity"], "kind": kind["code"]}


def store_events(metric: Metric, events: Mapping[str, Integers], areas: Sequence[str]) -> None:
    """Store the events, lean, under the index that the questions need."""
    raw = storage.database()[metric.source]
    raw.create_index([("area", 1), ("raised_at", 1)])
    columns = {name: values.tolist() for name, values in events.items()}
    minutes = random.Random(1)
    for start in range(0, len(columns["hour"]), PORTION):
        raw.insert_many(
            [
                {
                    "area": areas[columns["area"][n]],
                    "raised_at": datetime.fromtimestamp(columns["hour"][n] * 3600 + minutes.randrange(3600), UTC),
                    "state": STATES[columns["state"][n]][0],
                    **kind_of(columns["kind"][n]),
                    "late": columns["late"][n],
                    "close_seconds": columns["close_seconds"][n],
                }
                for n in range(start, min(start + PORTION, len(columns["hour"])))
            ],
            ordered=False,
        )


def store_definition(metric: Metric) -> None:
    """Say that the sums are those of this declaration, so that nothing makes them anew."""
    storage.database()["rollup_definitions"].update_one(
        {"_id": metric.name}, {"$set": {"digest": metric.digest()}}, upsert=True
    )


def store_sums(metric: Metric, events: Mapping[str, Integers], areas: Sequence[str]) -> None:
    """Store the sums of all events, as a recomputation lays them out."""
    kinds = np.ravel_multi_index([events["state"], events["kind"]], COUNTS)
    different, hours = np.unique(events["hour"], return_inverse=True)
    times = [datetime.fromtimestamp(int(hour) * 3600, UTC) for hour in different]
    for span in metric.spans:
        starts = sorted({start_of(span, at) for at in times})
        begin = np.array([starts.index(start_of(span, at)) for at in times])[hours]
        for level in metric.levels:
            cut = ["/".join(path.split("/")[: LEVELS.index(level) + 1]) for path in areas]
            paths = sorted(set(cut))
            place = np.array([paths.index(path) for path in cut])[events["area"]]
            store_level(metric, events, (begin, place, kinds), starts, paths, span, level)


def store_level(
    metric: Metric,
    events: Mapping[str, Integers],
    key: tuple[Integers, Integers, Integers],
    starts: Sequence[datetime],
    paths: Sequence[str],
    span: str,
    level: str,
) -> None:
    """Store the sums of one length on one level."""
    shape = (len(starts), len(paths), int(np.prod(COUNTS)))
    lines, index, counts = np.unique(np.ravel_multi_index(key, shape), return_inverse=True, return_counts=True)
    late = np.bincount(index, events["late"]).astype(np.int64)
    seconds = np.bincount(index, events["close_seconds"]).astype(np.int64)
    begin, place, kind = np.unravel_index(lines, shape)
    state, which = (part.tolist() for part in np.unravel_index(kind, COUNTS))
    kinds = [kind_of(number) for number in range(len(KINDS))]
    # Lines are sorted by time and place: where one of them changes, another document begins.
    edges = np.flatnonzero(np.diff(begin * len(paths) + place)) + 1
    bounds = [0, *edges.tolist(), len(lines)]
    measures = list(zip(counts.tolist(), late.tolist(), seconds.tolist(), strict=True))
    sums, documents = storage.database()["rollups"], []
    for first, last in pairwise(bounds):
        found = {(STATES[state[n]][0], *kinds[which[n]].values()): list(measures[n]) for n in range(first, last)}
        table = table_of([str(n) for n in range(len(metric.dimensions))], metric, found)
        at, area = starts[int(begin[first])], paths[int(place[first])]
        documents.append(
            {
                "_id": f"{metric.name}|{level}|{area}|{span}|{at.isoformat()}",
                "metric": metric.name,
                "level": level,
                "span": span,
                "district": area.partition("/")[0],
                "area": area,
                "at": at,
                "rows": table,
                "total": total_of(metric, table),
                "token": "loaded",
            }
        )
        if len(documents) == PORTION or last == len(lines):
            sums.insert_many(documents, ordered=False)
            documents = []

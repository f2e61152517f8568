"""What the registers can say on the pages of collection, recyclables and results: places, and the waste they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.plugin_api import (
    Bars,
    Figure,
    Figures,
    Panel,
    Row,
    Rows,
    Tone,
    View,
    area_names,
    figures,
    level_below,
)
from plugins.base_info.behind import listed, of_area, place_of
from plugins.base_info.models import STREAMS, Compound, DropOffPoint, Station

VIEW = "base_info:view"
POINTS, STATIONS, COMPOUNDS = "base_info.drop_off_points", "base_info.stations", "base_info.compounds"
STREAM_TONES: Mapping[str, Tone] = {stream: stream for stream in STREAMS}  # type: ignore[misc] # each is a tone
MOST_ROWS = 50
#: From how many kilograms on a station counts as of that size.
SIZES = {"1 吨以下": 0, "1–3 吨": 1000, "3–5 吨": 3000, "5 吨以上": 5000}

#: How many points take each kind of waste.
STREAM_MEASURES: Mapping[str, Any] = {
    "count": {"$sum": 1},
    **{stream: {"$sum": {"$cond": [{"$in": [stream, {"$ifNull": ["$streams", []]}]}, 1, 0]}} for stream in STREAMS},
}
STATION_MEASURES: Mapping[str, Any] = {
    "count": {"$sum": 1},
    "capacity_kg": {"$sum": {"$ifNull": ["$capacity_kg", 0]}},
}


def collection_headline(view: View) -> Figures:
    """Return how much there is to collect from."""
    stations = figures(STATIONS, area=view.area, scope=view.scope)
    return Figures(
        (
            Figure("集置点", stations.total(), "座", "recyclable"),
            Figure("集置点容量", round(stations.total("capacity_kg") / 1000, 1), "吨", "recyclable"),
            Figure("投放点", figures(POINTS, area=view.area, scope=view.scope).total(), "个"),
            Figure("服务小区", figures(COMPOUNDS, area=view.area, scope=view.scope).total(), "个"),
        )
    )


def recyclables_headline(view: View) -> Figures:
    """Return how many points take recyclables, and how much of the whole that is."""
    points = figures(POINTS, area=view.area, scope=view.scope)
    whole, taking = points.total(), points.total("recyclable")
    compounds = figures(COMPOUNDS, area=view.area, scope=view.scope)
    return Figures(
        (
            Figure("可回收物投放点", taking, "个", "recyclable"),
            Figure("占投放点", round(100 * taking / whole, 1) if whole else "—", "%" if whole else "", "good"),
            Figure("服务小区", compounds.total(), "个"),
            Figure("服务住户", compounds.total("households"), "户"),
        )
    )


def capacity_by_area(view: View) -> Bars:
    """Return how many tonnes the stations of each area below hold."""
    paths, names, sums = by_area(view, STATIONS, "capacity_kg")
    tonnes = np.array([round(kg / 1000, 1) for kg in sums])
    return Bars(names, {"容量": tonnes}, "吨", keys=paths)


def recyclables_by_area(view: View) -> Bars:
    """Return how many points of each area below take recyclables."""
    paths, names, sums = by_area(view, POINTS, "recyclable")
    title = "可回收物投放点"
    return Bars(names, {title: np.array(sums)}, "个", tones={title: "recyclable"}, keys=paths)


def by_area(view: View, metric: str, measure: str) -> tuple[list[str], list[str], list[float]]:
    """Return the areas below, their names, and a measure of each."""
    found = figures(metric, area=view.area, scope=view.scope, level=level_below(view.area), by=("area",))
    sums = dict(zip(found.column("area"), found.measures[measure].tolist(), strict=True)) if found.keys else {}
    paths = sorted(sums)
    names = area_names(paths)
    return paths, [names.get(path, path.rsplit("/", 1)[-1]) for path in paths], [sums[path] for path in paths]


def streams(view: View) -> Bars:
    """Return how many points take each kind of waste."""
    found = figures(POINTS, area=view.area, scope=view.scope)
    counts = np.array([found.total(stream) for stream in STREAMS])
    each = np.diag(counts)
    labels = list(STREAMS.values())
    series = dict(zip(labels, each, strict=True))
    return Bars(
        labels,
        series,
        "个",
        horizontal=True,
        tones=dict(zip(labels, STREAM_TONES.values(), strict=True)),
        keys=list(STREAMS),
    )


def station_sizes(view: View) -> Bars:
    """Return how many stations there are of each size."""
    query = {"$and": [dict(view.scope), {"active": True, "capacity_kg": {"$gte": 0}}]}
    capacities = [row["capacity_kg"] for row in Station._get_collection().find(query, {"capacity_kg": 1})]
    places = np.searchsorted(list(SIZES.values()), capacities, side="right") - 1
    return Bars(list(SIZES), {"集置点": np.bincount(places.astype(np.int64), minlength=len(SIZES))}, "座")


def stations(view: View) -> Rows:
    """Return the stations, the largest first."""
    query = {"$and": [dict(view.scope), {"active": True}]}
    rows = Station._get_collection().find(query).sort([("capacity_kg", -1), ("_id", 1)]).limit(MOST_ROWS)
    return Rows(
        ("集置点", "容量"),
        [
            Row(
                (row["name"], f"{row['capacity_kg'] / 1000:g} 吨" if row.get("capacity_kg") is not None else "—"),
                place=place_of(row),
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def recyclables_points(view: View) -> Rows:
    """Return the points that take recyclables, with the hours in which they are open."""
    query = {"$and": [dict(view.scope), {"active": True, "streams": "recyclable"}]}
    rows = DropOffPoint._get_collection().find(query).sort("_id", 1).limit(MOST_ROWS)
    return Rows(
        ("投放点", "开放时间"),
        [Row((row["name"], row.get("opening_hours") or "—"), place=place_of(row), key=str(row["_id"])) for row in rows],
    )


def largest_compounds(view: View) -> Bars:
    """Return the compounds with the most households: where most recyclables are to be expected."""
    query = {"$and": [dict(view.scope), {"active": True, "households": {"$gt": 0}}]}
    rows = list(Compound._get_collection().find(query, {"name": 1, "households": 1}).sort("households", -1).limit(12))
    return Bars(
        [row["name"] for row in rows], {"住户": np.array([row["households"] for row in rows])}, "户", horizontal=True
    )


def behind_stations(view: View, key: str) -> Rows:
    """Return the stations of an area below."""
    return listed(view, "stations", of_area(key))


def behind_recyclables(view: View, key: str) -> Rows:
    """Return the points of an area below that take recyclables."""
    return listed(view, "drop_off_points", {"streams": "recyclable", **of_area(key)})


def behind_stream(view: View, key: str) -> Rows:
    """Return the points that take a kind of waste."""
    return listed(view, "drop_off_points", {"streams": key} if key else {})


def panel(name: str, title: str, show: Any, theme: str, place: str, order: int, rows: Any = None) -> Panel:
    """Return a panel of what is registered now."""
    look: Mapping[str, Any] = {"permission": VIEW, "place": place, "order": order, "timeless": True, "rows": rows}
    return Panel(name=f"base_info.{name}", title=title, show=show, theme=theme, **look)


PANELS = (
    panel("collection_headline", "收运设施", collection_headline, "vehicles", "top", 50),
    panel("capacity_by_area", "各区域集置点容量", capacity_by_area, "vehicles", "left", 50, behind_stations),
    panel("station_sizes", "集置点规模", station_sizes, "vehicles", "left", 60),
    panel("station_list", "集置点", stations, "vehicles", "right", 60, behind_stations),
    panel("recyclables_headline", "回收设施", recyclables_headline, "recycling", "top", 50),
    panel(
        "recyclables_by_area", "各区域可回收物投放点", recyclables_by_area, "recycling", "left", 50, behind_recyclables
    ),
    panel("largest_compounds", "住户最多的小区", largest_compounds, "recycling", "left", 60),
    panel("recyclables_points", "可回收物投放点", recyclables_points, "recycling", "right", 60, behind_recyclables),
    panel("streams", "各类垃圾投放点", streams, "effectiveness", "left", 60, behind_stream),
)

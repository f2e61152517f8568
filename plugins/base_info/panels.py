"""What the cockpit shows of the registers (驾驶舱 1e): counts from rollups, places on the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backend.plugin_api import (
    AreaValues,
    Bars,
    Figure,
    Figures,
    MapLayer,
    Metric,
    Panel,
    Point,
    Ring,
    Row,
    Rows,
    View,
    area_names,
    area_values,
    figures,
    level_below,
)
from plugins.base_info import behind, facilities
from plugins.base_info.behind import place_of
from plugins.base_info.models import (
    DEVICE_KINDS,
    DEVICE_STATES,
    STATE_TONES,
    STREAMS,
    Compound,
    Device,
    DropOffPoint,
    Station,
)

THEME, VIEW = "base_info", "base_info:view"
#: The most points that one layer draws; nearer areas show theirs in full.
MOST_POINTS = 10_000

METRICS = [
    Metric(
        name="base_info.compounds",
        title="小区数",
        collection=Compound,
        measures={"count": {"$sum": 1}, "households": {"$sum": "$households"}},
        match={"active": True},
    ),
    Metric(
        name=facilities.POINTS,
        title="投放点数",
        collection=DropOffPoint,
        measures=facilities.STREAM_MEASURES,
        match={"active": True},
    ),
    Metric(
        name=facilities.STATIONS,
        title="集置点数",
        collection=Station,
        measures=facilities.STATION_MEASURES,
        match={"active": True},
    ),
    Metric(
        name="base_info.devices",
        title="设备数",
        collection=Device,
        dimensions=("kind", "state"),
        match={"active": True},
    ),
]


def headline(view: View) -> Figures:
    """Return the size of the registers, and the share of devices that run."""
    compounds = figures("base_info.compounds", area=view.area, scope=view.scope)
    states = figures("base_info.devices", area=view.area, scope=view.scope, by=("state",))
    devices = states.total()
    running = states.along(list(DEVICE_STATES))[list(DEVICE_STATES).index("running")] if states.keys else 0
    return Figures(
        (
            Figure("小区", compounds.total(), "个", key="compounds"),
            Figure("住户", compounds.total("households"), "户", key="compounds"),
            Figure(
                "投放点",
                figures("base_info.drop_off_points", area=view.area, scope=view.scope).total(),
                "个",
                key="drop_off_points",
            ),
            Figure(
                "集置点",
                figures("base_info.stations", area=view.area, scope=view.scope).total(),
                "个",
                key="stations",
            ),
            Figure("智能设备", devices, "台", key="devices"),
            Figure("设备在线率", f"{running / devices:.1%}" if devices else "—", tone="good", key="running"),
        )
    )


def devices_by_kind(view: View) -> Bars:
    """Return the devices of each kind by running state."""
    found = figures("base_info.devices", area=view.area, scope=view.scope, by=("kind", "state"))
    counts = dict(zip(found.keys, found.measures["count"], strict=True))
    return Bars(
        labels=list(DEVICE_KINDS.values()),
        series={
            title: np.array([counts.get((kind, state), 0) for kind in DEVICE_KINDS], dtype=np.int64)
            for state, title in DEVICE_STATES.items()
        },
        unit="台",
        horizontal=True,
        tones={DEVICE_STATES[state]: tone for state, tone in STATE_TONES.items()},
        keys=list(DEVICE_KINDS),
    )


def device_states(view: View) -> Ring:
    """Return the devices by running state."""
    found = figures("base_info.devices", area=view.area, scope=view.scope, by=("state",))
    return Ring(
        labels=list(DEVICE_STATES.values()),
        values=found.along(list(DEVICE_STATES)) if found.keys else np.zeros(len(DEVICE_STATES), dtype=np.int64),
        unit="台",
        tones=[STATE_TONES[state] for state in DEVICE_STATES],
        keys=list(DEVICE_STATES),
    )


def by_area(view: View, metrics: Mapping[str, str], unit: str) -> Bars:
    """Return counts by the areas one level below what is looked at: {series title: metric}."""
    level = level_below(view.area)
    found = {
        title: figures(metric, area=view.area, scope=view.scope, level=level, by=("area",))
        for title, metric in metrics.items()
    }
    paths = sorted({path for each in found.values() for path in each.column("area")})
    names = area_names(paths)
    return Bars(
        labels=[names.get(path, path.rsplit("/", 1)[-1]) for path in paths],
        series={
            title: each.along(paths) if each.keys else np.zeros(len(paths), dtype=np.int64)
            for title, each in found.items()
        },
        unit=unit,
        keys=paths,
    )


def compounds_by_area(view: View) -> Bars:
    """Return the compounds of each area below."""
    return by_area(view, {"小区": "base_info.compounds"}, "个")


def points_by_area(view: View) -> Bars:
    """Return drop-off points and stations of each area below."""
    return by_area(view, {"投放点": "base_info.drop_off_points", "集置点": "base_info.stations"}, "个")


def devices_down(view: View) -> Rows:
    """Return the devices that do not run, the longest unchanged first."""
    query = {"$and": [dict(view.scope), {"active": True, "state": {"$in": ["faulty", "offline", "maintenance"]}}]}
    rows = Device._get_collection().find(query).sort("updated_at", 1).limit(30)
    return Rows(
        columns=("设备", "类型", "状态"),
        rows=[
            Row(
                texts=(row["name"], DEVICE_KINDS[row["kind"]], DEVICE_STATES[row["state"]]),
                place=place_of(row),
                tone=STATE_TONES[row["state"]],
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def placed(document: type, view: View, fields: Sequence[str]) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Yield the active records of a register that have a place, with that place."""
    query = {"$and": [dict(view.scope), {"active": True, "place": {"$type": "object"}}]}
    projection = dict.fromkeys((*fields, "name", "place"), 1)
    for row in document._get_collection().find(query, projection).limit(MOST_POINTS).batch_size(MOST_POINTS):  # type: ignore[attr-defined]
        yield row, *row["place"]["coordinates"]


def drop_off_points(view: View) -> list[Point]:
    """Return the drop-off points with what they take."""
    return [
        Point(
            key=str(row["_id"]),
            lon=lon,
            lat=lat,
            label=row["name"],
            kind="投放点",
            tone="food",
            details=(
                ("类别", "、".join(STREAMS[each] for each in row.get("streams", ()))),
                ("开放时间", row.get("opening_hours", "—")),
            ),
        )
        for row, lon, lat in placed(DropOffPoint, view, ("streams", "opening_hours"))
    ]


def stations(view: View) -> list[Point]:
    """Return the stations with their capacity."""
    return [
        Point(
            key=str(row["_id"]),
            lon=lon,
            lat=lat,
            label=row["name"],
            kind="集置点",
            tone="recyclable",
            details=(("容量", f"{row['capacity_kg']:g} 千克" if row.get("capacity_kg") is not None else "—"),),
        )
        for row, lon, lat in placed(Station, view, ("capacity_kg",))
    ]


def devices(view: View) -> list[Point]:
    """Return the devices by running state."""
    return [
        Point(
            key=str(row["_id"]),
            lon=lon,
            lat=lat,
            label=row["name"],
            kind="智能设备",
            tone=STATE_TONES[row["state"]],
            details=(
                ("类型", DEVICE_KINDS[row["kind"]]),
                ("型号", row.get("model", "—")),
                ("状态", DEVICE_STATES[row["state"]]),
            ),
        )
        for row, lon, lat in placed(Device, view, ("kind", "state", "model"))
    ]


def panel(name: str, title: str, show: Any, place: Any, order: int, rows: Any, **more: Any) -> Panel:
    """Return a panel of this theme; registers tell what there is now, whatever period is looked at."""
    look = {"theme": THEME, "permission": VIEW, "place": place, "order": order, "timeless": True, **more}
    return Panel(name=f"base_info.{name}", title=title, show=show, rows=rows, **look)


PANELS = [
    panel("headline", "基础业务信息", headline, "top", 10, behind.behind_headline, theme=(THEME, "overview")),
    panel("devices_by_kind", "智能设施设备", devices_by_kind, "left", 10, behind.behind_device_kind),
    panel(
        "device_states",
        "设备运行状态",
        device_states,
        "left",
        40,
        behind.behind_device_state,
        theme=(THEME, "overview"),
    ),
    panel("compounds_by_area", "小区分布", compounds_by_area, "left", 30, behind.behind_compounds),
    panel("points_by_area", "投放点与集置点分布", points_by_area, "right", 10, behind.behind_points),
    panel("devices_down", "异常设备", devices_down, "right", 20, behind.behind_devices_down),
    *facilities.PANELS,
]


def taking_recyclables(view: View) -> list[Point]:
    """Return the drop-off points that take recyclables."""
    return drop_off_points(replace(view, scope={"$and": [dict(view.scope), {"streams": "recyclable"}]}))


def households(view: View) -> AreaValues:
    """Return the households of each area below."""
    return area_values(view, "base_info.compounds", measure="households", unit="户", timeless=True)


def points_of_areas(view: View) -> AreaValues:
    """Return the drop-off points of each area below."""
    return area_values(view, "base_info.drop_off_points", unit="个", timeless=True)


def where_people_live(view: View) -> list[Point]:
    """Return the compounds, each with the weight of its households."""
    return [
        Point(str(row["_id"]), lon, lat, row["name"], "小区", weight=row.get("households") or 0)
        for row, lon, lat in placed(Compound, view, ("households",))
    ]


def layer(name: str, title: str, show: Any, order: int, **look: Any) -> MapLayer:
    """Return a map layer of this theme."""
    look = {"theme": THEME, "permission": VIEW, "timeless": True, **look}
    return MapLayer(name=f"base_info.{name}", title=title, show=show, order=order, **look)


POINT_CARD = "base_info.drop_off_point"
LAYERS = [
    layer(
        "drop_off_points", "投放点", drop_off_points, 10, record=POINT_CARD, theme=(THEME, "overview", "effectiveness")
    ),
    layer("recyclables", "可回收物投放点", taking_recyclables, 10, record=POINT_CARD, theme="recycling"),
    layer("stations", "集置点", stations, 20, record="base_info.station", theme=(THEME, "overview", "vehicles")),
    layer("devices", "智能设备", devices, 30, record="base_info.device"),
    layer("households", "住户数", households, 40, style="areas", theme=(THEME, "overview")),
    layer("points_by_area", "投放点数", points_of_areas, 50, style="areas", hidden=True),
    layer("people", "住户热力", where_people_live, 60, style="heat", hidden=True),
]

"""A lively platform in memory: the demo district, several themes, live violations, and panels that go wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import plotly.graph_objects as go
from flask import Flask, Response, request
from shapely import Polygon

from backend.demo.district import draw_district
from backend.plugin_api.maps import MapLayer, Point
from backend.plugin_api.panels import (
    Bars,
    Chart,
    Figure,
    Figures,
    Panel,
    Ring,
    Row,
    Rows,
    Theme,
    Trend,
    View,
)
from backend.plugin_api.periods import Period
from dash_cockpit import CockpitSources, MapArea, Owned, mount, warm

AREAS = {area.path: area for area in draw_district(7)}
HOME = next(iter(AREAS))
STREETS = [area for area in AREAS.values() if area.level == "street"]
KINDS = ("混投", "垃圾落地", "桶满溢", "垃圾袋未破袋", "非投放时段投放")
LEVELS = ("hint", "minor", "major", "critical")
NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
PHOTO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200"><defs><linearGradient id="a" x2="0" y2="1">'
    b'<stop stop-color="#5c7a8c"/><stop offset="1" stop-color="#2c3e46"/></linearGradient></defs>'
    b'<rect width="320" height="200" fill="url(#a)"/><rect y="140" width="320" height="60" fill="#777"/>'
    b'<g><rect x="40" y="80" width="50" height="80" rx="4" fill="#3d9bff"/><rect x="100" y="80" width="50" height="80" '
    b'rx="4" fill="#2ea56a"/><rect x="160" y="80" width="50" height="80" rx="4" fill="#777c88"/></g>'
    b'<circle cx="250" cy="84" r="18" fill="#333"/><rect x="232" y="100" width="36" height="70" rx="12" fill="#444"/>'
    b"</svg>"
)


@dataclass(frozen=True)
class Person:
    """Somebody who looks at the cockpit; `home` is all he or she may see."""

    name: str
    home: str = HOME
    permissions: frozenset[str] = frozenset({"base_info:view", "evidence:view", "odd:view"})


PEOPLE = {
    "chief": Person("陈志远"),
    "street": Person("林晓梅", home=STREETS[1].path),
    "clerk": Person("王芳", permissions=frozenset({"base_info:view"})),
    "dialler": Person("赵敏", permissions=frozenset({"base_info:view", "base_info:dial", "evidence:view"})),
}


@dataclass
class Platform:
    """What the fake plugins know and what was asked of them."""

    violations: list[Point] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[Any, ...]] = field(default_factory=list)
    asked: list[tuple[Period, str]] = field(default_factory=list)
    areas: dict[str, str] = field(default_factory=dict)
    down: bool = False
    slow_seconds: float = 8.0

    def read(self, name: str) -> None:
        """Count a read of the panel `name`; raises while the store is down."""
        self.reads[name] = self.reads.get(name, 0) + 1
        if self.down:
            raise ConnectionError("The store does not answer.")

    @contextmanager
    def guard(self, plugin: str, where: str) -> Iterator[None]:
        """Catch and count, as the platform's own border does."""
        try:
            yield
        except Exception as error:
            self.faults.append((plugin, where, str(error)))

    def violate(self, number: int, at: datetime | None = None) -> Point:
        """Let something happen at a drop-off point; returns what the map shortly shows."""
        random = np.random.default_rng(900 + number)
        area = COMPOUNDS[number * 37 % len(COMPOUNDS)]
        lon, lat = spread(area.path, 1, number)[0]
        point = Point(
            key=f"violation-{number}",
            lon=lon,
            lat=lat,
            label=f"{area.name}{number % 3 + 1}号投放点",
            kind=KINDS[number % len(KINDS)],
            tone=LEVELS[int(random.integers(4))],
            picture="/photos/masked.svg",
            details=[("区域", " ".join(names(area.path)[1:3])), ("来源", "视频监控 AI 识别"), ("状态", "待派单")],
            at=at or NOW - timedelta(minutes=7 * number),
        )
        self.violations.insert(0, point)
        self.areas[point.key] = area.path
        return point


COMPOUNDS = [area for area in AREAS.values() if area.level == "compound"]


def names(path: str) -> list[str]:
    """Return the names of the areas on the way to `path`."""
    codes = path.split("/")
    return [AREAS["/".join(codes[: i + 1])].name for i in range(len(codes))]


def spread(path: str, count: int, seed: int) -> list[tuple[float, float]]:
    """Return places inside the area at `path`."""
    shape = Polygon(AREAS[path].boundary)
    random, (west, south, east, north) = np.random.default_rng(seed), shape.bounds
    centre = shape.representative_point()
    scale = 0.25
    return [
        (
            float(centre.x + random.uniform(-1, 1) * (east - west) * scale),
            float(centre.y + random.uniform(-1, 1) * (north - south) * scale),
        )
        for _ in range(count)
    ]


def places(kind: str, per_compound: float, seed: int) -> list[tuple[str, Point]]:
    """Return the area and the point of each thing of a kind."""
    random = np.random.default_rng(seed)
    found = []
    for i, area in enumerate(COMPOUNDS):
        for j, (lon, lat) in enumerate(spread(area.path, int(per_compound + random.random()), seed + i)):
            tone = "off" if random.random() < 0.08 else "plain"
            state = "停用" if tone == "off" else "正常"
            details = [("所在", " ".join(names(area.path)[1:])), ("状态", state)]
            found.append(
                (
                    area.path,
                    Point(f"{kind}-{i}-{j}", lon, lat, f"{area.name}{j + 1}号{kind}", kind, tone, details=details),
                )
            )
    return found


POINTS = places("投放点", 2.0, 11)
STATIONS = places("集置点", 0.0, 12) + places("集置点", 0.375, 5)


def inside(area: str, view: View) -> bool:
    """Say whether an area lies in the viewed one, by the filter of the scope."""
    bounds = view.scope["area"]
    return bounds["$gte"] <= area < bounds["$lt"]


def scope_filter(principal: Person, permission: str, *, within: str = "") -> Mapping[str, Any]:
    """Return the range of paths in `within`."""
    assert permission in principal.permissions
    return {"area": {"$gte": within, "$lt": within + "0"}}


def areas(path: str, depth: int) -> Sequence[MapArea]:
    """Return the area at `path` and those down to `depth` levels below."""
    if path not in AREAS:
        return []
    found = [each for key, each in AREAS.items() if key == path or key.startswith(path + "/")]
    return [
        MapArea(
            path=each.path,
            name=each.name,
            level=each.level,
            boundary={"type": "Polygon", "coordinates": [each.boundary]},
        )
        for each in found
        if each.path.count("/") - path.count("/") <= depth
    ]


def children(view: View) -> list[Any]:
    """Return the areas one level below the viewed one."""
    return [each for each in AREAS.values() if each.path.rpartition("/")[0] == view.area] or [AREAS[view.area]]


def build(platform: Platform) -> CockpitSources:
    """Return the sources of the cockpit for a fake platform."""

    def counted(name: str, show: Any) -> Any:
        def read(view: View) -> Any:
            platform.read(name)
            return show(view)

        return read

    def panel(
        plugin: str,
        name: str,
        title: str,
        theme: str,
        place: str,
        order: int,
        show: Any,
        refresh: int = 30,
        rows: Any = None,
        timeless: bool = False,
    ) -> Owned[Panel]:
        record = Panel(
            name=f"{plugin}.{name}",
            title=title,
            theme=theme,
            permission=f"{plugin}:view",
            place=place,
            order=order,
            show=counted(name, show),
            refresh_seconds=refresh,
            rows=rows,
            timeless=timeless,
        )
        return Owned(plugin, record)

    def base_figures(view: View) -> Figures:
        points = sum(inside(path, view) for path, _ in POINTS)
        return Figures(
            [
                Figure("小区", sum(inside(each.path, view) for each in COMPOUNDS), "个"),
                Figure("投放点", points, "个"),
                Figure("集置点", sum(inside(path, view) for path, _ in STATIONS), "座"),
                Figure("设备在线率", 94.7, "%", "good"),
            ]
        )

    def evidence_figures(view: View) -> Figures:
        return Figures(
            [
                Figure("收运量", 286_413.4, "吨", before=271_950.0, year_before=298_300.0, better="less"),
                Figure(
                    "抓拍", len(platform.violations), "起", "major", before=15, year_before=0, better="less", key="all"
                ),
            ]
        )

    def compounds_by_area(view: View) -> Bars:
        below = children(view)
        counts = np.array([sum(each.path.startswith(area.path) for each in COMPOUNDS) for area in below])
        managed = counts * 7 // 10
        return Bars([each.name for each in below], {"有物业": managed, "无物业": counts - managed}, "个")

    def device_ring(view: View) -> Ring:
        return Ring(["视频监控", "智能喊话", "电子围栏", "智能垃圾箱", "称重"], np.array([148, 52, 36, 44, 20]), "台")

    def waste_ring(view: View) -> Ring:
        return Ring(
            ["可回收物", "有害垃圾", "易腐垃圾", "其他垃圾"],
            np.array([812.4, 9.6, 1204.2, 1650.8]),
            "吨",
            ["recyclable", "hazardous", "food", "residual"],
        )

    def point_ranking(view: View) -> Bars:
        below = sorted(children(view), key=lambda each: each.path)[:12]
        random = np.random.default_rng(3)
        values = np.sort(random.integers(20, 99, len(below)))[::-1].astype(float)
        return Bars([each.name for each in below], {"投放点": values}, "个", horizontal=True)

    def community_ranking(view: View) -> Bars:
        below = [each for each in AREAS.values() if each.level == "community"]
        values = np.sort(np.random.default_rng(4).normal(86, 7, len(below)))[::-1]
        return Bars([each.name for each in below], {"准确率": values.round(1)}, "%", horizontal=True)

    def hours(view: View) -> Trend:
        times = [NOW - timedelta(hours=23 - i) for i in range(24)]
        random = np.random.default_rng(5)
        shape = (
            30
            + 60 * np.exp(-(((np.arange(24) - 7) % 24 - 4.0) ** 2) / 8)
            + 80 * np.exp(-((np.arange(24) - 19.0) ** 2) / 8)
        )
        return Trend(times, {"今日": (shape + random.normal(0, 4, 24)).round(), "昨日": (shape * 0.9).round()}, "起")

    def days(view: View) -> Trend:
        times = [NOW - timedelta(days=29 - i) for i in range(30)]
        random = np.random.default_rng(6)
        series = {
            name: level + np.cumsum(random.normal(0, level / 30, 30))
            for name, level in {
                "可回收物": 9_200.0,
                "易腐垃圾": 42_000.0,
                "其他垃圾": 61_000.0,
                "有害垃圾": 900.0,
            }.items()
        }
        tones = {"可回收物": "recyclable", "易腐垃圾": "food", "其他垃圾": "residual", "有害垃圾": "hazardous"}
        return Trend(times, {name: values.round() for name, values in series.items()}, "kg", tones)

    def newest(view: View) -> Rows:
        rows = [
            Row(
                [point.label, point.kind, f"{point.at.astimezone():%H:%M}"],
                point.picture,
                (point.lon, point.lat),
                point.tone,
                point.key,
            )
            for point in platform.violations[:20]
        ]
        return Rows(["投放点", "类型", "时间"], rows)

    def behind(view: View, key: str) -> Rows:
        """Return who was caught, whatever was clicked; the first line tells what was asked for."""
        platform.read("behind")
        platform.asked.append((view.period, key))
        if key == "broken":
            raise ValueError("The vendor made another mistake.")
        rows = [
            Row([point.label, point.kind, "待派单"], point.picture, (point.lon, point.lat), point.tone, point.key)
            for point in platform.violations
        ]
        return Rows(["投放点", "类型", "状态"], rows * (30 if key == "many" else 1))

    def period(view: View) -> Figures:
        return Figures([Figure(view.period.name, view.period.days)])

    def orders(view: View) -> Rows:
        rows = [
            Row(
                [f"PD{2026112200 + i}", names(COMPOUNDS[i * 13 % 160].path)[2], ("待签收", "处置中", "已回单")[i % 3]],
                tone=("minor", "plain", "good")[i % 3],
                key=str(i),
            )
            for i in range(14)
        ]
        return Rows(["派单号", "社区", "状态"], rows)

    def radar(view: View) -> Chart:
        trace = go.Scatterpolar(
            r=[86, 92, 78, 95, 81, 88, 86],
            theta=["投放", "收集", "运输", "处置", "宣传", "整改", "投放"],
            fill="toself",
        )
        return Chart(go.Figure(trace, layout={"polar": {"radialaxis": {"range": [0, 100]}}}))

    def broken(view: View) -> Bars:
        raise ValueError("The vendor made a mistake.")

    def slow(view: View) -> Figures:
        time.sleep(platform.slow_seconds)
        return Figures([Figure("慢", 1)])

    def violations(view: View) -> list[Point]:
        platform.read("violations")
        return [point for point in platform.violations if inside(platform.areas[point.key], view)]

    def layer(points: list[tuple[str, Point]]) -> Any:
        return lambda view: [point for path, point in points if inside(path, view)]

    return CockpitSources(
        themes=[
            Theme(name="overview", title="总览", order=10),
            Theme(name="alerts", title="预警事件上报", order=20),
            Theme(name="dispatch", title="派单处置管理", order=30),
            Theme(name="vehicles", title="车辆收运监管", order=40),
            Theme(name="recycling", title="再生资源管理", order=50),
            Theme(name="base", title="基础业务信息", order=60),
            Theme(name="effect", title="垃圾分类成效", order=70),
            Theme(name="odd", title="厂商试验", order=80),
            Theme(name="unseen", title="无人可见", order=90),
        ],
        panels=[
            panel("base_info", "figures", "概况", "overview", "top", 10, base_figures),
            panel("evidence", "figures", "概况", "overview", "top", 20, evidence_figures, 2, rows=behind),
            panel("base_info", "compounds", "小区分布", "overview", "left", 10, compounds_by_area, rows=behind),
            panel("base_info", "devices", "智能设施设备", "overview", "left", 20, device_ring, rows=behind),
            panel("base_info", "ranking", "投放点排行", "overview", "left", 30, point_ranking, rows=behind),
            panel("evidence", "hours", "违规投放时段", "overview", "right", 10, hours, rows=behind),
            panel("evidence", "newest", "最新抓拍", "overview", "right", 20, newest, 2),
            panel("evidence", "waste", "四分类占比", "overview", "right", 30, waste_ring),
            panel("evidence", "alert_list", "预警列表", "alerts", "right", 10, newest, 2),
            panel("evidence", "days", "近三十日收运量", "dispatch", "left", 10, days),
            panel("evidence", "radar", "综合评价指数", "dispatch", "left", 20, radar),
            panel("evidence", "orders", "派单列表", "dispatch", "right", 10, orders),
            panel("base_info", "accuracy", "社区分类准确率", "base", "left", 10, community_ranking),
            panel("base_info", "empty", "检查考核", "base", "left", 20, lambda view: Rows(["小区"], [])),
            panel("base_info", "two", "设备状况", "base", "right", 10, base_figures),
            panel("base_info", "waste2", "四分类占比", "base", "right", 20, waste_ring),
            panel("evidence", "vehicle_days", "近三十日收运量", "vehicles", "left", 10, days),
            panel("evidence", "recycling_ring", "回收品类", "recycling", "left", 10, device_ring),
            panel("evidence", "effect_ring", "四分类占比", "effect", "right", 10, waste_ring),
            panel("odd", "period", "时段", "odd", "right", 20, period),
            panel("odd", "now", "当前", "odd", "right", 30, period, timeless=True),
            panel("odd", "fine_period", "今日", "odd", "right", 40, period, 1),
            panel("odd", "broken", "噪声监测", "odd", "left", 10, broken),
            panel("odd", "slow", "迟缓数据", "odd", "left", 20, slow),
            panel("odd", "fine", "噪声趋势", "odd", "right", 10, hours, 1),
        ],
        map_layers=[
            Owned(
                "base_info",
                MapLayer(
                    name="base_info.points",
                    title="投放点",
                    theme="overview",
                    permission="base_info:view",
                    show=layer(POINTS),
                    order=10,
                ),
            ),
            Owned(
                "base_info",
                MapLayer(
                    name="base_info.stations",
                    title="集置点",
                    theme="overview",
                    permission="base_info:view",
                    show=layer(STATIONS),
                    order=20,
                ),
            ),
            Owned(
                "evidence",
                MapLayer(
                    name="evidence.live",
                    title="违规抓拍",
                    theme="overview",
                    permission="evidence:view",
                    show=violations,
                    order=30,
                    live=True,
                ),
            ),
            Owned(
                "evidence",
                MapLayer(
                    name="evidence.alerts",
                    title="预警事件",
                    theme="alerts",
                    permission="evidence:view",
                    show=violations,
                    live=True,
                ),
            ),
            Owned(
                "base_info",
                MapLayer(
                    name="base_info.all_points",
                    title="投放点",
                    theme="base",
                    permission="base_info:view",
                    show=layer(POINTS),
                ),
            ),
        ],
        principal=lambda: PEOPLE.get(request.cookies.get("who", "")),
        permitted=lambda person, permission: permission in person.permissions,
        scope_filter=scope_filter,
        home=lambda person: person.home,
        areas=areas,
        guard=platform.guard,
        audited=lambda viewer, *entry: platform.taken.append((viewer.name, *entry)),
    )


def application(platform: Platform, *, patience_seconds: float = 1.0) -> Flask:
    """Return a Flask app with the cockpit, warmed."""
    app = Flask("fake")
    mount(app, build(platform), patience_seconds=patience_seconds)

    @app.get("/photos/masked.svg")
    def photo() -> Response:
        return Response(PHOTO, mimetype="image/svg+xml")

    @app.get("/login")
    def login() -> str:
        return "登录"

    warm(app)
    return app

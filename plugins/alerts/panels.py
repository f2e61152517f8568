"""What the cockpit shows of alerts (驾驶舱 1a)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from backend.plugin_api import (
    LOCAL_ZONE,
    AreaValues,
    Bars,
    Chart,
    Figure,
    Figures,
    MapLayer,
    Metric,
    Panel,
    Point,
    Row,
    Rows,
    Tone,
    View,
    area_names,
    area_values,
    figures,
    level_below,
    utcnow,
)
from plugins.alerts.alerts.models import ALERT_FLOW, OPEN, Alert, place_of
from plugins.alerts.intake.raising import METRIC
from plugins.alerts.kinds.defaults import CATEGORIES, SEVERITIES

THEME, VIEW = "alerts", "alerts:view"
SEVERITY_TONES: Mapping[int, Tone] = {1: "hint", 2: "minor", 3: "major", 4: "critical"}
STATE_TONES: Mapping[str, Tone] = {
    "待确认": "hint",
    "待处理": "major",
    "已派单": "minor",
    "已办结": "good",
    "已排除": "off",
}
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
MOST_LIVE = 300
MOST_HEAT = 5000
DAYS = 30

METRICS = [
    Metric(
        name=METRIC,
        title="预警事件数",
        unit="起",
        collection=Alert,
        time_field="raised_at",
        bucket="hour",
        dimensions=("state", "category", "severity"),
        measures={
            "count": {"$sum": 1},
            "late": {"$sum": {"$ifNull": ["$late", 0]}},
            "close_seconds": {"$sum": {"$ifNull": ["$close_seconds", 0]}},
        },
        match={"state": {"$ne": "merged"}},
    )
]


def today() -> datetime:
    """Return when today began in Shanghai."""
    return utcnow().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def thirty_days() -> datetime:
    """Return when the last thirty days began."""
    return today() - timedelta(days=DAYS - 1)


def headline(view: View) -> Figures:
    """Return today's alerts, what is open and overdue now, and how much of thirty days was closed in time."""
    new = figures(METRIC, area=view.area, scope=view.scope, since=today()).total()
    found = figures(METRIC, area=view.area, scope=view.scope, since=thirty_days(), by=("state",))
    states = dict(zip(found.column("state"), found.measures["count"].tolist(), strict=True))
    late = Alert._get_collection().count_documents({"$and": [{"due_at": {"$lte": utcnow()}}, dict(view.scope)]})
    closed = states.get("closed", 0)
    in_time = closed - found.total("late") if found.keys else 0
    return Figures(
        (
            Figure("今日预警", new, "起", "major"),
            Figure("待处理", states.get("raised", 0) + states.get("unconfirmed", 0), "起", "hint"),
            Figure("已派单", states.get("dispatched", 0), "起", "minor"),
            Figure("当前超期", late, "起", "critical" if late else "good"),
            Figure("按期办结", share(in_time, closed), "%", "good"),
        )
    )


def share(part: float, whole: float) -> float | str:
    """Return percents, or a dash where there is nothing to take a share of."""
    return round(100 * part / whole, 1) if whole else "–"


def by_category(view: View) -> Bars:
    """Return the alerts of the last thirty days by category and by what became of them."""
    found = figures(METRIC, area=view.area, scope=view.scope, since=thirty_days(), by=("category", "state"))
    counts = dict(zip(found.keys, found.measures["count"].tolist(), strict=True))
    present = most_first(counts)
    return Bars(
        labels=[CATEGORIES.get(code, code) for code in present],
        series=by_state(present, counts),
        unit="起",
        horizontal=True,
        tones=STATE_TONES,
    )


def most_first(counts: Mapping[tuple[str, str], int]) -> list[str]:
    """Return the keys of (key, state), that with the most first."""
    totals: dict[str, int] = {}
    for (key, _), count in counts.items():
        totals[key] = totals.get(key, 0) + count
    return sorted(totals, key=lambda key: -totals[key])


def by_state(keys: list[str], counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return a series for each state that there is, along the keys."""
    every = {state: np.array([counts.get((key, state), 0) for key in keys], dtype=np.int64) for state in SHOWN}
    return {ALERT_FLOW.states[state]: values for state, values in every.items() if values.any()}


#: From what is settled to what is not, as the bars stand.
SHOWN = ("closed", "dismissed", "dispatched", "raised", "unconfirmed")


def by_area(view: View) -> Bars:
    """Return the alerts of the last thirty days by the areas below and by what became of them, the most at the top."""
    level = level_below(view.area)
    found = figures(METRIC, area=view.area, scope=view.scope, level=level, since=thirty_days(), by=("area", "state"))
    counts = dict(zip(found.keys, found.measures["count"].tolist(), strict=True))
    paths = most_first(counts)[:12]
    names = area_names(paths)
    return Bars(
        labels=[names.get(path, path.rsplit("/", 1)[-1]) for path in paths],
        series=by_state(paths, counts),
        unit="起",
        horizontal=True,
        tones=STATE_TONES,
    )


def heat(view: View) -> Chart:
    """Return when in the week alerts come, over four whole weeks."""
    since = today() - timedelta(days=27)
    found = figures(METRIC, area=view.area, scope=view.scope, since=since, by=("at",))
    counts = np.zeros((7, 24), dtype=np.int64)
    for (start,), count in zip(found.keys, found.measures["count"].tolist(), strict=True):
        local = start.astimezone(LOCAL_ZONE)
        counts[local.weekday(), local.hour] += count
    import plotly.graph_objects as go  # here alone: it takes much memory, and workers never draw

    figure = go.Figure(
        go.Heatmap(
            z=counts,
            x=[f"{hour} 时" for hour in range(24)],
            y=list(WEEKDAYS),
            coloraxis="coloraxis",
            xgap=2,
            ygap=2,
            hovertemplate="%{y} %{x}：%{z} 起<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False, tickvals=[f"{hour} 时" for hour in range(0, 24, 4)], tickangle=0)
    return Chart(figure)


def ticker(view: View) -> Rows:
    """Return the newest alerts; what is settled is grey."""
    return Rows(
        columns=("事件", "点位", "上报"),
        rows=[
            Row(
                texts=(event_of(row), point_of(row), f"{how_long(utcnow() - row['raised_at'])}前"),
                place=place_of(row),
                tone=SEVERITY_TONES[row["severity"]] if row["state"] in OPEN else "off",
                key=str(row["_id"]),
            )
            for row in recent(view.scope, 30)
        ],
    )


def overdue(view: View) -> Rows:
    """Return what is past its limit, the longest first."""
    query = {"$and": [{"due_at": {"$lte": utcnow()}}, dict(view.scope)]}
    found = Alert._get_collection().find(query, READ).sort("due_at", 1).limit(30)
    return Rows(
        columns=("事件", "点位", "超期"),
        rows=[
            Row(
                texts=(event_of(row), point_of(row), how_long(utcnow() - row["due_at"])),
                place=place_of(row),
                tone=SEVERITY_TONES[row["severity"]],
                key=str(row["_id"]),
            )
            for row in found
        ],
    )


def event_of(row: Mapping[str, Any]) -> str:
    """Return what was seen and how often, as it fits a column."""
    times = f" ×{row['count']}" if row["count"] > 1 else ""
    return cut(row["kind_name"], 5) + times


def point_of(row: Mapping[str, Any]) -> str:
    """Return where it was seen, as it fits a column."""
    return cut(row.get("point_name") or "–", 9)


def cut(text: str, longest: int) -> str:
    """Return a text of limited length."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def live(view: View) -> list[Point]:
    """Return the open alerts whose place is known, the newest first."""
    query = {"$and": [{"state": {"$in": list(OPEN)}}, dict(view.scope)]}
    return [
        Point(
            key=str(row["_id"]),
            lon=place[0],
            lat=place[1],
            label=row["kind_name"],
            kind="预警",
            tone=SEVERITY_TONES[row["severity"]],
            details=(
                ("编号", row["number"]),
                ("点位", row.get("point_name") or "–"),
                ("等级", SEVERITIES[row["severity"]]),
                ("状态", ALERT_FLOW.states[row["state"]]),
                ("次数", str(row["count"])),
                ("上报", local_time(row["raised_at"])),
                ("办结时限", local_time(row["close_by"])),
            ),
            at=row["raised_at"],
        )
        for row in recent(query, MOST_LIVE)
        if (place := place_of(row))
    ]


def alerts_of_areas(view: View) -> AreaValues:
    """Return the alerts of each area below in the period."""
    return area_values(view, METRIC, unit="起")


def where_alerts_were(view: View) -> list[Point]:
    """Return the places of the period's newest alerts, the more severe ones heavier."""
    span = {"raised_at": {"$gte": view.period.since, "$lt": view.period.until}}
    query = {"$and": [span, {"state": {"$ne": "merged"}}, dict(view.scope)]}
    rows = Alert._get_collection().find(query, {"place": 1, "severity": 1}).sort("_id", -1).limit(MOST_HEAT)
    return [
        Point(str(row["_id"]), *place, "", "预警", weight=row["severity"])
        for row in rows.batch_size(MOST_HEAT)
        if (place := place_of(row))
    ]


def recent(query: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return the newest alerts of a filter, in one round trip."""
    return list(Alert._get_collection().find(dict(query), READ).sort("_id", -1).limit(limit).batch_size(limit + 1))


#: What panels read of an alert: not its timeline and pictures.
READ = (
    "number", "kind_name", "severity", "state", "count", "point_name", "place", "raised_at", "close_by", "due_at",
)  # fmt: skip


def local_time(moment: datetime) -> str:
    """Return the time in Shanghai, without the day where it is today."""
    local = moment.astimezone(LOCAL_ZONE)
    return local.strftime("%H:%M:%S" if local >= today() else "%m-%d %H:%M")


def how_long(span: timedelta) -> str:
    """Return a span as people say it."""
    minutes = int(span.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} 分"
    return f"{minutes // 60} 小时" if minutes < 24 * 60 else f"{minutes // 1440} 天"


def panel(name: str, title: str, show: Any, place: Any, order: int, refresh: int = 30) -> Panel:
    """Return a panel of this theme."""
    return Panel(
        name=f"alerts.{name}",
        title=title,
        theme=THEME,
        permission=VIEW,
        show=show,
        place=place,
        order=order,
        refresh_seconds=refresh,
    )


PANELS = [
    panel("headline", "预警事件", headline, "top", 5, 5),
    panel("by_category", "近 30 日预警类别与处置", by_category, "left", 2),
    panel("heat", "预警时段分布", heat, "left", 4, 60),
    panel("overdue", "超期未办", overdue, "left", 6, 10),
    panel("ticker", "实时预警", ticker, "right", 2, 2),
    panel("by_area", "近 30 日区域分布", by_area, "right", 4),
]


def map_layer(name: str, title: str, show: Any, order: int, **look: Any) -> MapLayer:
    """Return a layer of the maps of alerts and of the overview."""
    return MapLayer(
        name=f"alerts.{name}", title=title, theme=(THEME, "overview"), permission=VIEW, show=show, order=order, **look
    )


LAYERS = [
    map_layer("open", "未了结预警", live, 5, live=True, record="alerts.alert"),
    map_layer("count", "预警数", alerts_of_areas, 20, style="areas"),
    map_layer("heat", "预警热力", where_alerts_were, 90, style="heat", hidden=True),
]

"""What the cockpit shows of alerts (驾驶舱 1a)."""

from __future__ import annotations

import re
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
    Summary,
    Tone,
    Trend,
    View,
    area_names,
    area_values,
    compared,
    figures,
    figures_in,
    level_below,
    steps_in,
    utcnow,
)
from plugins.alerts import behind
from plugins.alerts.alerts.models import ALERT_FLOW, OPEN, Alert, place_of
from plugins.alerts.behind import SEVERITY_TONES
from plugins.alerts.intake.raising import METRIC
from plugins.alerts.kinds.defaults import CATEGORIES, SEVERITIES

THEME, VIEW = "alerts", "alerts:view"
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

METRICS = [
    Metric(
        name=METRIC,
        title="预警事件数",
        unit="起",
        collection=Alert,
        time_field="raised_at",
        bucket="hour",
        dimensions=("state", "category", "severity", "kind"),
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


def headline(view: View) -> Figures:
    """Return the alerts of the period and how they went, next to earlier ones, and what is overdue now."""
    found = compared(METRIC, view, by=("state",))
    late = Alert._get_collection().count_documents({"$and": [{"due_at": {"$lte": utcnow()}}, dict(view.scope)]})

    def of(*states: str) -> int:
        return int(found.now.total_of("state", states))

    return Figures(
        (
            Figure("预警事件", unit="起", tone="major", better="less", **found.of(Summary.total)),
            Figure("当前超期", late, "起", "critical" if late else "good", key="overdue"),
            Figure("按期办结率", unit="%", tone="good", better="more", key="closed", **found.of(in_time)),
            Figure("待处理", of("raised", "unconfirmed"), "起", "hint", key="open"),
            Figure("已派单", of("dispatched"), "起", "minor", key="dispatched"),
        )
    )


def in_time(found: Summary) -> float | None:
    """Return how much of what was closed kept its limit, in percent."""
    closed = found.total_of("state", ("closed",))
    return round(100 * (closed - found.total("late")) / closed, 1) if closed else None


def by_category(view: View) -> Bars:
    """Return the alerts of the period by category and by what became of them."""
    found = figures_in(METRIC, view, by=("category", "state"))
    counts = dict(zip(found.keys, found.measures["count"].tolist(), strict=True))
    present = most_first(counts)
    return Bars(
        labels=[CATEGORIES.get(code, code) for code in present],
        series=by_state(present, counts),
        unit="起",
        horizontal=True,
        tones=STATE_TONES,
        keys=present,
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
    """Return the alerts of the period by the areas below and by what became of them, the most at the top."""
    found = figures_in(METRIC, view, level=level_below(view.area), by=("area", "state"))
    counts = dict(zip(found.keys, found.measures["count"].tolist(), strict=True))
    paths = most_first(counts)[:12]
    names = area_names(paths)
    return Bars(
        labels=[names.get(path, path.rsplit("/", 1)[-1]) for path in paths],
        series=by_state(paths, counts),
        unit="起",
        horizontal=True,
        tones=STATE_TONES,
        keys=paths,
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
    return cut(re.sub("（.*?）", "", row["kind_name"]), 6) + times


def point_of(row: Mapping[str, Any]) -> str:
    """Return where it was seen, as it fits a column."""
    return cut((row.get("point_name") or "–").replace(" ", ""), 9)


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
    query = {"$and": [behind.in_period(view), dict(view.scope)]}
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


def over_time(view: View) -> Trend:
    """Return the alerts along the period."""
    steps = steps_in(METRIC, view)
    counts = figures_in(METRIC, view, by=("at",)).along(steps)
    return Trend(steps, {"预警": counts}, unit="起", tones={"预警": "major"})


def panel(name: str, title: str, show: Any, place: Any, order: int, refresh: int = 30, **more: Any) -> Panel:
    """Return a panel of this theme."""
    look = {"theme": THEME, "permission": VIEW, "place": place, "order": order, "refresh_seconds": refresh, **more}
    return Panel(name=f"alerts.{name}", title=title, show=show, **look)


PANELS = [
    panel("headline", "预警事件", headline, "top", 5, 5, theme=(THEME, "overview"), rows=behind.behind_headline),
    panel("by_category", "预警类别与处置", by_category, "left", 2, rows=behind.behind_category),
    panel("trend", "预警趋势", over_time, "left", 3, theme=(THEME, "overview"), rows=behind.behind_category),
    panel("heat", "近四周预警时段", heat, "left", 4, 60, timeless=True),
    panel("overdue", "当前超期未办", overdue, "left", 6, 10, timeless=True, rows=behind.behind_overdue),
    panel(
        "ticker", "实时预警", ticker, "right", 2, 2, theme=(THEME, "overview"), timeless=True, rows=behind.behind_ticker
    ),
    panel("by_area", "预警区域分布", by_area, "right", 4, theme=(THEME, "overview"), rows=behind.behind_area),
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

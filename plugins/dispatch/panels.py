"""What the cockpit shows of orders (驾驶舱 1b): what is to do, what became of it, and what is too late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import plotly.graph_objects as go

from backend.plugin_api import (
    LOCAL_ZONE,
    AreaValues,
    Bars,
    Chart,
    Figure,
    Figures,
    MapLayer,
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
    utcnow,
)
from plugins.dispatch import behind
from plugins.dispatch.behind import place_of
from plugins.dispatch.figures import KIND_TITLES, statistics
from plugins.dispatch.orders.clock import median_minutes
from plugins.dispatch.orders.models import HANDLING, ORDER_FLOW, WorkOrder
from plugins.dispatch.orders.reading import PHASES
from plugins.dispatch.orders.telling import ORDERS, UNITS

THEME, VIEW = "dispatch", "dispatch:view"
MOST_POINTS, MOST_ROWS = 500, 30
#: As many as a panel shows without being moved.
MOST_KINDS, MOST_MEDIANS = 7, 4
#: What became of orders, in the order of their way; states under one name.
OUTCOMES: Mapping[str, tuple[tuple[str, ...], Tone]] = {
    "待派遣": (PHASES["waiting"], "hint"),
    "办理中": ((*HANDLING, "suspended", *PHASES["checking"]), "minor"),
    "按期": (("closed", "forced_closed"), "good"),
    "超期": (("closed", "forced_closed"), "critical"),
    "不立案": (("dismissed",), "off"),
}
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
STATE_TONES: Mapping[str, Tone] = {
    "reported": "hint",
    "filed": "hint",
    "returned": "hint",
    "dispatched": "minor",
    "in_progress": "minor",
    "rework": "major",
    "replied": "recyclable",
    "verifying": "recyclable",
    "suspended": "off",
    "closed": "good",
    "forced_closed": "off",
    "dismissed": "off",
    "merged": "off",
}


def outcome(state: str, on_time: bool | None) -> str | None:
    """Return the name under which an order is counted."""
    for name, (states, _) in OUTCOMES.items():
        if state in states and (name not in ("按期", "超期") or (name == "按期") == (on_time is not False)):
            return name
    return None


def headline(view: View) -> Figures:
    """Return the orders of the period next to earlier ones, and what is open and overdue now, whenever reported."""
    now = figures(ORDERS, area=view.area, scope=view.scope, by=("state",))
    late = WorkOrder._get_collection().count_documents(overdue_now(view))
    reported = compared(ORDERS, view, by=("state",))
    handled = compared(UNITS, view, by=("duration_class",))
    classes = {
        int(key): int(n)
        for (key,), n in zip(handled.now.keys, handled.now.measures["count"], strict=True)
        if key is not None
    }
    closed = reported.of(lambda each: each.total_of("state", ("closed", "forced_closed")))
    return Figures(
        (
            Figure("派单", unit="件", tone="recyclable", key="all", **reported.of(Summary.total)),
            Figure("当前超期", late, "件", "critical" if late else "good", key="overdue"),
            Figure("按期处置率", unit="%", tone="good", better="more", key="ended", **handled.of(kept)),
            Figure("当前待派遣", now.total_of("state", PHASES["waiting"]), "件", "hint", key="waiting"),
            Figure("当前处置中", now.total_of("state", PHASES["handling"]), "件", "minor", key="handling"),
            Figure("当前待核查", now.total_of("state", PHASES["checking"]), "件", "recyclable", key="checking"),
            Figure("结案", unit="件", tone="good", better="more", key="closed", **closed),
            Figure("中位时长", duration(median_minutes(classes)), tone="plain", key="ended"),
        )
    )


def kept(found: Summary) -> float | None:
    """Return how much of what was handled was handled in time, in percent."""
    ended = found.total() - found.total_of("duration_class", (None,))
    return round(100 * found.total("on_time") / ended, 1) if ended else None


def overdue_now(view: View) -> dict[str, Any]:
    """Return the filter of what is past its limit; it reads only what is open."""
    late = {"state": {"$in": list(PHASES["open"])}, "due_at": {"$lte": utcnow()}}
    return {"$and": [dict(view.scope), late]}


def by_kind(view: View) -> Bars:
    """Return the orders of the period by type and result."""
    found = figures_in(ORDERS, view, by=("kind", "state", "on_time"))
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for (kind, state, on_time), count in zip(found.keys, found.measures["count"].tolist(), strict=True):
        if name := outcome(state, on_time):
            counts[kind, name] += count
    totals = {code: sum(n for (each, _), n in counts.items() if each == code) for code, _ in counts}
    kinds = sorted(totals, key=lambda code: (-totals[code], code))[:MOST_KINDS]
    return Bars(
        labels=[KIND_TITLES.get(code, code) for code in kinds],
        series={name: np.array([counts.get((code, name), 0) for code in kinds], dtype=np.int64) for name in OUTCOMES},
        unit="件",
        horizontal=True,
        tones={name: tone for name, (_, tone) in OUTCOMES.items()},
        keys=kinds,
    )


def by_street(view: View) -> Bars:
    """Return the orders of the period by the areas below, by result."""
    found = figures_in(ORDERS, view, level=level_below(view.area), by=("area", "state", "on_time"))
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for (area, state, on_time), count in zip(found.keys, found.measures["count"].tolist(), strict=True):
        name = outcome(state, on_time)
        if name:
            counts[area, name if name in ("按期", "超期") else "未结案"] += count
    paths = sorted({area for area, _ in counts})
    names = area_names(paths)
    tones: dict[str, Tone] = {"按期": "good", "超期": "critical", "未结案": "minor"}
    return Bars(
        labels=[names.get(path, path.rpartition("/")[2]) for path in paths],
        series={name: np.array([counts.get((path, name), 0) for path in paths], dtype=np.int64) for name in tones},
        unit="件",
        tones=tones,
        keys=paths,
    )


def on_time(view: View) -> Trend:
    """Return the share of what was handled in time, by when it was reported; times without any are left out."""
    found = figures_in(UNITS, view, by=("at", "duration_class"))
    ended: dict[datetime, int] = defaultdict(int)
    kept: dict[datetime, int] = defaultdict(int)
    for (at, number), count, good in zip(
        found.keys, found.measures["count"].tolist(), found.measures["on_time"].tolist(), strict=True
    ):
        if number is not None:
            ended[at] += count
            kept[at] += good
    days = sorted(ended)
    return Trend(
        times=days,
        series={"按期处置率": np.array([round(100 * kept[day] / ended[day], 1) for day in days])},
        unit="%",
        tones={"按期处置率": "good"},
    )


def overdue(view: View) -> Rows:
    """Return what is past its limit now, the longest first, with its age."""
    rows = list(WorkOrder._get_collection().find(overdue_now(view)).sort("due_at", 1).limit(MOST_ROWS))
    now = utcnow()
    return Rows(
        columns=("派单", "处置单位", "已超"),
        rows=[
            Row(
                texts=(
                    f"{row['title']} · {row.get('point_name') or row['number'][-6:]}",
                    row.get("unit_name") or "未派遣",
                    duration((now - row["due_at"]).total_seconds() / 60),
                ),
                place=place_of(row),
                tone="critical" if now - row["due_at"] > timedelta(days=1) else "major",
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def median_time(view: View) -> Bars:
    """Return the median handling time of each kind, in hours."""
    found = statistics("kind", view.area, view.scope, view.period.since, view.period.until)
    items = [each for each in found if each["median_minutes"] is not None]
    items = sorted(items, key=lambda each: (-each["median_minutes"], each["key"]))[:MOST_MEDIANS]
    return Bars(
        labels=[each["name"] for each in items],
        series={"中位时长": np.array([round(each["median_minutes"] / 60, 1) for each in items])},
        unit="小时",
        horizontal=True,
        tones={"中位时长": "recyclable"},
        keys=[each["key"] for each in items],
    )


def heat(view: View) -> Chart:
    """Return how many orders were reported in each hour of each weekday, over four weeks."""
    since = utcnow() - timedelta(weeks=4)
    found = figures(ORDERS, area=view.area, scope=view.scope, since=since, by=("at",))
    counts = np.zeros((7, 24), dtype=np.int64)
    for at, count in zip(found.column("at"), found.measures["count"].tolist(), strict=True):
        local = at.astimezone(LOCAL_ZONE)
        counts[local.weekday(), local.hour] += count
    drawn = go.Figure(
        go.Heatmap(
            z=counts,
            x=[f"{hour} 时" for hour in range(24)],
            y=list(WEEKDAYS),
            xgap=2,
            ygap=2,
            colorscale=[[0, "#0d2344"], [0.35, "#1b5fa8"], [0.7, "#2fc6e0"], [1, "#ffd166"]],
            showscale=False,
            hovertemplate="%{y} %{x}：%{z} 件<extra></extra>",
        )
    )
    drawn.update_yaxes(autorange="reversed")
    drawn.update_xaxes(tickvals=[f"{hour} 时" for hour in range(0, 24, 4)])
    return Chart(drawn)


def ticker(view: View) -> Rows:
    """Return the orders that changed last."""
    rows = WorkOrder._get_collection().find(dict(view.scope)).sort("updated_at", -1).limit(MOST_ROWS)
    return Rows(
        columns=("时间", "派单", "进展"),
        rows=[
            Row(
                texts=(
                    row["updated_at"].astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M"),
                    f"{row['title']} · {row.get('point_name') or row['number'][-6:]}",
                    ORDER_FLOW.states[row["state"]],
                ),
                place=place_of(row),
                tone=STATE_TONES[row["state"]],
                key=f"{row['_id']}-{row['version']}",
            )
            for row in rows
        ],
    )


def open_orders(view: View) -> list[Point]:
    """Return the open orders on the map, what is late in red."""
    query = {"$and": [dict(view.scope), {"state": {"$in": list(PHASES["open"])}, "place": {"$type": "object"}}]}
    now = utcnow()
    return [
        Point(
            key=str(row["_id"]),
            lon=place[0],
            lat=place[1],
            label=row["title"],
            kind=ORDER_FLOW.states[row["state"]],
            tone="critical"
            if (late := bool(row.get("due_at") and row["due_at"] <= now))
            else STATE_TONES[row["state"]],
            details=(
                ("单号", row["number"]),
                ("点位", row.get("point_name") or "—"),
                ("状态", ORDER_FLOW.states[row["state"]] + ("（已超期）" if late else "")),
                ("处置", row.get("handler_name") or "未派遣"),
                ("时限", row["due_at"].astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M") if row.get("due_at") else "—"),
            ),
            at=row["created_at"],
        )
        for row in WorkOrder._get_collection().find(query).sort("_id", -1).limit(MOST_POINTS)
        if (place := place_of(row))
    ]


def orders_of_areas(view: View) -> AreaValues:
    """Return the orders of each area below in the period."""
    return area_values(view, ORDERS, unit="件")


def duration(minutes: float | None) -> str:
    """Return a length of time as people say it."""
    if minutes is None:
        return "—"
    if minutes < 60:
        return f"{minutes:.0f} 分钟"
    return f"{minutes / 60:.1f} 小时" if minutes < 48 * 60 else f"{minutes / 1440:.1f} 天"


def panel(name: str, title: str, show: Any, place: Any, order: int, seconds: int = 30, **more: Any) -> Panel:
    """Return a panel of this theme."""
    look = {"theme": THEME, "permission": VIEW, "place": place, "order": order, "refresh_seconds": seconds, **more}
    return Panel(name=f"dispatch.{name}", title=title, show=show, **look)


PANELS = [
    panel("headline", "派单处置", headline, "top", 10, 15, theme=(THEME, "overview"), rows=behind.behind_headline),
    panel("kinds", "派单类型与结果", by_kind, "left", 10, rows=behind.behind_kind),
    panel("streets", "各区域办理情况", by_street, "left", 20, rows=behind.behind_area),
    panel("on_time", "按期处置率", on_time, "left", 30, theme=(THEME, "overview"), rows=behind.behind_kind),
    panel("overdue", "当前超期", overdue, "right", 10, 15, timeless=True, rows=behind.behind_overdue),
    panel("median", "处置时长中位数", median_time, "right", 20, rows=behind.behind_kind),
    panel("heat", "近四周上报时段", heat, "right", 30, 300, timeless=True),
    panel("ticker", "实时动态", ticker, "right", 40, 5, timeless=True, rows=behind.behind_ticker),
]
LAYERS = [
    MapLayer(
        name="dispatch.orders",
        title="未办结派单",
        theme=(THEME, "overview"),
        permission=VIEW,
        show=open_orders,
        order=10,
        record="dispatch.order",
        timeless=True,
    ),
    MapLayer(
        name="dispatch.count",
        title="派单数",
        theme=(THEME, "overview"),
        permission=VIEW,
        show=orders_of_areas,
        order=30,
        style="areas",
    ),
]

"""Alerts by the kind of waste that they are about, and those that a collection truck settles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.plugin_api import Bars, Figure, Figures, Panel, Row, Rows, View, area_names, figures_in, utcnow
from plugins.alerts import behind
from plugins.alerts.alerts.models import OPEN, Alert, place_of
from plugins.alerts.behind import SEVERITY_TONES
from plugins.alerts.intake.raising import METRIC
from plugins.alerts.panels import READ, STATE_TONES, VIEW, by_state, event_of, how_long, point_of

#: Every kind of waste, special ones included, and the codes of alerts about it; some have none, and stand there all
#: the same. What concerns no single kind is counted as mixed.
WASTES: Mapping[str, tuple[str, ...]] = {
    "可回收物": (),
    "有害垃圾": ("E12",),
    "易腐垃圾": ("E05", "V03"),
    "其他垃圾": ("E02", "E03", "V02"),
    "四类混投": ("E04", "E11", "V01"),
    "装修垃圾": ("E08",),
    "大件垃圾": ("E07", "V05"),
    "园林垃圾": (),
}
#: What a truck has left, or mixed.
HAULING = ("E02", "E11")


def by_waste(view: View) -> Bars:
    """Return the alerts of the period by kind of waste and by what became of them."""
    found = figures_in(METRIC, view, by=("kind", "state"))
    counts: dict[tuple[str, str], int] = {}
    wastes = {code: waste for waste, codes in WASTES.items() for code in codes}
    for (kind, state), count in zip(found.keys, found.measures["count"].tolist() if found.keys else [], strict=True):
        if kind in wastes:
            counts[wastes[kind], state] = counts.get((wastes[kind], state), 0) + count
    series = by_state(list(WASTES), counts) or {"待处理": np.zeros(len(WASTES), dtype=np.int64)}
    return Bars(list(WASTES), series, "起", horizontal=True, tones=STATE_TONES)


def behind_waste(view: View, key: str) -> Rows:
    """Return the alerts of a kind of waste."""
    codes = WASTES.get(key) if key else [code for codes in WASTES.values() for code in codes]
    return behind.listed(view, behind.in_period(view), {"kind": {"$in": list(codes or ())}})


def behind_hauling(view: View, key: str) -> Rows:
    """Return the open alerts that wait for a truck."""
    return behind.listed(view, {"kind": {"$in": list(HAULING)}, "state": {"$in": list(OPEN)}})


def results(view: View) -> Figures:
    """Return the sorting alerts of the period, and how many were settled in time."""
    found = figures_in(METRIC, view, by=("category", "state"))
    rows = list(zip(found.keys, found.measures["count"].tolist() if found.keys else [], strict=True))
    closed = sum(count for (_, state), count in rows if state == "closed")
    every = sum(count for (_, state), count in rows if state != "dismissed")
    return Figures(
        (
            Figure("分类问题", sum(n for (category, _), n in rows if category == "sorting"), "起", "major"),
            Figure("环境卫生问题", sum(n for (category, _), n in rows if category == "environment"), "起", "minor"),
            Figure("问题办结率", round(100 * closed / every, 1) if every else "—", "%" if every else "", "good"),
        )
    )


def hauling(view: View) -> Rows:
    """Return the open alerts that wait for a truck, the newest first."""
    query = {"$and": [dict(view.scope), {"kind": {"$in": list(HAULING)}, "state": {"$in": list(OPEN)}}]}
    rows = Alert._get_collection().find(query, READ).sort("_id", -1).limit(50)
    return Rows(
        ("事件", "点位", "上报"),
        [
            Row(
                (event_of(row), point_of(row), f"{how_long(utcnow() - row['raised_at'])}前"),
                place=place_of(row),
                tone=SEVERITY_TONES[row["severity"]],
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def worst_compounds(view: View) -> Bars:
    """Return the compounds with the most alerts of the period."""
    found = figures_in(METRIC, view, level="compound", by=("area",))
    counts = zip(found.column("area"), found.measures["count"].tolist(), strict=True) if found.keys else ()
    most = sorted(counts, key=lambda each: (-each[1], each[0]))[:10]
    names = area_names([path for path, _ in most])
    paths = [path for path, _ in most]
    labels = [names.get(path, path.rsplit("/", 1)[-1]) for path in paths]
    numbers = np.array([count for _, count in most])
    return Bars(labels, {"预警": numbers}, "起", horizontal=True, tones={"预警": "major"}, keys=paths)


def panel(name: str, title: str, show: Any, theme: str, place: Any, order: int, **more: Any) -> Panel:
    """Return a panel of another page."""
    look: Mapping[str, Any] = {"permission": VIEW, "place": place, "order": order, **more}
    return Panel(name=f"alerts.{name}", title=title, show=show, theme=theme, **look)


PANELS = (
    panel("results", "分类问题", results, "effectiveness", "top", 10),
    panel("by_waste", "各类垃圾问题", by_waste, "effectiveness", "left", 10, rows=behind_waste),
    panel("worst_compounds", "问题最多的小区", worst_compounds, "effectiveness", "right", 40, rows=behind.behind_area),
    panel(
        "hauling",
        "待清运预警",
        hauling,
        "vehicles",
        "right",
        10,
        refresh_seconds=10,
        timeless=True,
        rows=behind_hauling,
    ),
)

"""What the cockpit shows of patrols, on the theme of warning events."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import numpy as np

from backend.plugin_api import (
    LOCAL_ZONE,
    Bars,
    Figure,
    Figures,
    Metric,
    Panel,
    Tone,
    View,
    area_names,
    figures,
    level_below,
    utcnow,
)
from plugins.alerts.patrol.generating import METRIC
from plugins.alerts.patrol.models import PatrolRound
from plugins.alerts.patrol.vocabulary import STATES, VIEW

#: Areas of the panel by area.
MOST_AREAS = 12
TONES: dict[str, Tone] = {
    "已完成": "good",
    "巡检中": "minor",
    "待巡检": "hint",
    "未走完": "major",
    "漏检": "critical",
}

METRICS = (
    Metric(
        name=METRIC,
        title="巡检次数",
        unit="次",
        collection=PatrolRound,
        time_field="starts_at",
        bucket="day",
        dimensions=("state",),
        measures={name: {"$sum": of} for name, of in (
            ("count", 1), ("stops", "$total"), ("done", "$done"), ("findings", "$findings"), ("flagged", "$flagged"),
        )},
    ),
)  # fmt: skip


def today() -> tuple[datetime, datetime]:
    """Return when today begins and ends in Shanghai."""
    start = utcnow().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def headline(view: View) -> Figures:
    """Return today's rounds by how they stand, and what they found."""
    since, until = today()
    found = figures(METRIC, area=view.area, scope=view.scope, since=since, until=until, by=("state",))
    counts = dict(zip(found.column("state"), found.measures["count"].tolist(), strict=True))
    due = sum(counts.values()) - counts.get("planned", 0) - counts.get("under_way", 0)
    rate = f"{round(100 * counts.get('finished', 0) / due)}" if due else "–"
    return Figures(
        [
            Figure("今日应巡", sum(counts.values()), "次"),
            Figure("已完成", counts.get("finished", 0), "次", "good"),
            Figure("巡检中", counts.get("under_way", 0), "次"),
            Figure("漏检", counts.get("missed", 0) + counts.get("partial", 0), "次", "critical"),
            Figure("完成率", rate, "%" if due else ""),
            Figure("发现问题", int(found.total("findings")), "项", "major"),
            Figure("存疑打卡", int(found.total("flagged")), "个"),
        ]
    )


def counts_by_area(view: View) -> dict[str, dict[str, int]]:
    """Return today's rounds of the areas below by state; those with most missed first."""
    since, until = today()
    level = "compound" if level_below(view.area) == "compound" else "community"
    found = figures(
        METRIC, area=view.area, scope=view.scope, level=level, since=since, until=until, by=("area", "state")
    )
    counts: dict[str, dict[str, int]] = {}
    for (area, state), count in zip(found.keys, found.measures["count"].tolist(), strict=True):
        counts.setdefault(area, dict.fromkeys(STATES, 0))[state] = count
    return dict(sorted(counts.items(), key=lambda each: (-each[1]["missed"] - each[1]["partial"], each[0])))


def by_area(view: View) -> Bars:
    """Return today's rounds of the areas below, by how they stand."""
    counts = dict(islice(counts_by_area(view).items(), MOST_AREAS))
    names = area_names(set(counts))
    series = {
        title: np.array([states[state] for states in counts.values()], dtype=np.int64)
        for state, title in STATES.items()
    }
    labels = [names.get(area, area) for area in counts]
    return Bars(labels, series, unit="次", horizontal=True, tones=dict(TONES))


PANELS = (
    Panel(
        name="alerts.patrol_today", title="今日巡检", theme="alerts", permission=VIEW, show=headline, place="left",
        order=7, timeless=True,
    ),
    Panel(
        name="alerts.patrol_by_area", title="今日巡检 · 社区", theme="alerts", permission=VIEW, show=by_area,
        place="right", order=6, timeless=True,
    ),
)  # fmt: skip

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
    Row,
    Rows,
    Tone,
    View,
    area_names,
    figures,
    level_below,
    utcnow,
)
from plugins.alerts.patrol.closing import ending, local
from plugins.alerts.patrol.generating import METRIC
from plugins.alerts.patrol.models import PatrolRound
from plugins.alerts.patrol.vocabulary import FLAGS, STATES, VIEW
from plugins.alerts.patrol.windows import local_day

#: Areas of the panel by area.
MOST_AREAS = 12
#: Rounds behind a figure.
MOST_ROWS = 200
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
    return Figures(
        [
            Figure("今日应巡", sum(counts.values()), "次"),
            Figure("已完成", counts.get("finished", 0), "次", "good", key="finished"),
            Figure("巡检中", counts.get("under_way", 0), "次", key="under_way"),
            Figure("漏检", counts.get("missed", 0), "次", "critical", key="missed"),
            Figure("未走完", counts.get("partial", 0), "次", "major", key="partial"),
            Figure("发现问题", int(found.total("findings")), "项", "minor", key="findings"),
            Figure("存疑打卡", int(found.total("flagged")), "个", "hint", key="flagged"),
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
    return Bars(labels, series, unit="次", horizontal=True, tones=dict(TONES), keys=list(counts))


def rounds_of(view: View, key: str) -> Rows:
    """Return today's rounds behind a figure (a state, findings or flagged) or behind an area, the latest first."""
    asked: dict[str, object] = {"day": local_day(utcnow()).isoformat()}
    if key in STATES:
        asked["state"] = key
    elif key in ("findings", "flagged"):
        asked[key] = {"$gt": 0}
    elif "/" in key:
        asked["area"] = {"$gte": key, "$lt": f"{key}0"}
    query = {"$and": [asked, dict(view.scope)]}
    found = list(PatrolRound._get_collection().find(query, {"stops": 0}).sort("starts_at", -1).limit(MOST_ROWS + 1))
    rows = [
        Row(
            texts=(
                row["plan_name"],
                f"{local(row['starts_at'])}–{ending(row['ends_at'])}",
                row.get("supervisor_name") or "未指派",
                STATES[row["state"]],
                f"{row['done']}/{row['total']}",
                "、".join(FLAGS[code] for code in row["flags"]),
            ),
            tone=TONES[STATES[row["state"]]],
            key=str(row["_id"]),
        )
        for row in found[:MOST_ROWS]
    ]
    return Rows(("计划", "时段", "专管员", "状态", "打卡", "存疑"), rows, more=len(found) > MOST_ROWS)


PANELS = (
    Panel(
        name="alerts.patrol_today",
        title="今日巡检",
        theme="alerts",
        permission=VIEW,
        show=headline,
        rows=rounds_of,
        place="left",
        order=7,
        timeless=True,
    ),
    Panel(
        name="alerts.patrol_by_area",
        title="今日巡检区域分布",
        theme="alerts",
        permission=VIEW,
        show=by_area,
        rows=rounds_of,
        place="right",
        order=6,
        timeless=True,
    ),
)

"""What the cockpit shows of captures (驾驶舱 1a): only masked pictures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from backend.plugin_api import (
    LOCAL_ZONE,
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
    Tone,
    Trend,
    View,
    area_names,
    bucket_starts,
    figures,
    level_below,
    utcnow,
)
from plugins.evidence.captures.models import VIOLATIONS, Capture
from plugins.evidence.captures.reading import picture_address, recent
from plugins.evidence.cases import panels as cases

THEME, VIEW = "alerts", "evidence:view"
METRIC = "evidence.captures"
STATE_TONES: Mapping[str, Tone] = {"received": "hint", "extracted": "major", "failed": "off"}
LIVE_HOURS = 24
MOST_LIVE = 200

METRICS = [
    Metric(
        name=METRIC,
        title="取证数",
        unit="起",
        collection=Capture,
        time_field="received_at",
        bucket="hour",
        dimensions=("violation", "state"),
    ),
    *cases.METRICS,
]


def today() -> datetime:
    """Return when today began in Shanghai."""
    return utcnow().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def headline(view: View) -> Figures:
    """Return today's captures by state, and the last seven days."""
    found = figures(METRIC, area=view.area, scope=view.scope, since=today(), by=("state",))
    states = dict(zip(found.column("state"), found.measures["count"].tolist(), strict=True))
    week = figures(METRIC, area=view.area, scope=view.scope, since=today() - timedelta(days=6))
    return Figures(
        (
            Figure("今日取证", sum(states.values()), "起", "major"),
            Figure("已取证", states.get("extracted", 0), "起", "good"),
            Figure("待提取", states.get("received", 0), "起", "hint"),
            Figure("提取失败", states.get("failed", 0), "起"),
            Figure("近七日取证", week.total(), "起"),
        )
    )


def by_hour(view: View) -> Trend:
    """Return the captures of each of the last 24 hours."""
    now = utcnow()
    since = now - timedelta(hours=23)
    found = figures(METRIC, area=view.area, scope=view.scope, since=since, by=("at",))
    starts = bucket_starts(METRIC, since, now)
    counts = found.along(starts) if found.keys else np.zeros(len(starts), dtype=np.int64)
    return Trend(times=starts, series={"取证": counts}, unit="起", tones={"取证": "major"})


def by_violation(view: View) -> Ring:
    """Return the kinds of violations of the last seven days."""
    since = today() - timedelta(days=6)
    found = figures(METRIC, area=view.area, scope=view.scope, since=since, by=("violation",))
    return Ring(
        labels=[VIOLATIONS.get(code, code) for code in found.column("violation")],
        values=found.measures["count"],
        unit="起",
    )


def by_area(view: View) -> Bars:
    """Return the captures of the last seven days by the areas below."""
    since = today() - timedelta(days=6)
    level = level_below(view.area)
    found = figures(METRIC, area=view.area, scope=view.scope, level=level, since=since, by=("area",))
    paths = found.column("area")
    names = area_names(paths)
    return Bars(
        labels=[names.get(path, path.rsplit("/", 1)[-1]) for path in paths],
        series={"取证": found.measures["count"]},
        unit="起",
        horizontal=True,
        tones={"取证": "major"},
    )


def latest(view: View) -> Rows:
    """Return the newest captures with their masked pictures."""
    return Rows(
        columns=("时间", "违规", "点位"),
        rows=[
            Row(
                texts=(local_time(row["received_at"]), VIOLATIONS[row["violation"]], row["point_name"]),
                picture=picture_of(row),
                place=place_of(row),
                tone=STATE_TONES[row["state"]],
                key=str(row["_id"]),
            )
            for row in recent(view.scope, 30)
        ],
    )


def live(view: View) -> list[Point]:
    """Return the captures of the last 24 hours from which something was extracted."""
    since = {"state": "extracted", "received_at": {"$gte": utcnow() - timedelta(hours=LIVE_HOURS)}}
    return [
        Point(
            key=str(row["_id"]),
            lon=place[0],
            lat=place[1],
            label=VIOLATIONS[row["violation"]],
            kind="预警",
            tone="major",
            picture=picture_of(row),
            details=(
                ("点位", row["point_name"]),
                ("设备", row["device_name"]),
                ("时间", local_time(row["received_at"])),
                ("识别", found_text(row.get("found", {}))),
            ),
            at=row["received_at"],
        )
        for row in recent({"$and": [dict(view.scope), since]}, MOST_LIVE)
        if (place := place_of(row))
    ]


def found_text(found: Mapping[str, Any]) -> str:
    """Say what was found on the photos."""
    return f"人脸 {found.get('faces', 0)} 个（已遮盖），物品 {found.get('objects', 0)} 件"


def picture_of(row: Mapping[str, Any]) -> str:
    """Return the address of the masked thumbnail, or nothing while there is none."""
    return picture_address(row["thumbnail"]) if row.get("thumbnail") else ""


def place_of(row: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return WGS-84 degrees, or None when the place is not known."""
    coordinates = (row.get("place") or {}).get("coordinates")
    return (coordinates[0], coordinates[1]) if coordinates else None


def local_time(moment: datetime) -> str:
    """Return the time in Shanghai."""
    return moment.astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M:%S")


def panel(
    name: str, title: str, show: Any, place: Any, order: int, refresh: int = 30, theme: str = cases.THEME
) -> Panel:
    """Return a panel, on the page of cases if no other is named."""
    return Panel(
        name=f"evidence.{name}",
        title=title,
        theme=theme,
        permission=VIEW,
        show=show,
        place=place,
        order=order,
        refresh_seconds=refresh,
    )


PANELS = [
    panel("headline", "取证", headline, "top", 10, 5, THEME),
    panel("by_hour", "近 24 小时取证趋势", by_hour, "right", 30),
    panel("by_violation", "近七日违规类型", by_violation, "left", 30),
    panel("by_area", "近七日取证区域分布", by_area, "right", 40),
    panel("latest", "最新取证", latest, "right", 10, 2, THEME),
    *cases.PANELS,
]
LAYERS = [
    MapLayer(name="evidence.live", title="预警取证", theme=THEME, permission=VIEW, show=live, order=10, live=True),
    *cases.LAYERS,
]

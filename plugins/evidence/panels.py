"""What the cockpit shows of captures (驾驶舱 1a): only masked pictures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from backend.plugin_api import (
    LOCAL_ZONE,
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
    compared,
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


def headline(view: View) -> Figures:
    """Return how many captures of the period were worked on, next to earlier ones, and the cases that wait now."""
    found = compared(METRIC, view, by=("state",)).of(lambda each: each.total_of("state", ("extracted",)))
    return Figures((Figure("已取证", unit="起", tone="major", key="captures", **found), *cases.waits(view)))


def behind_headline(view: View, key: str) -> Rows:
    """Return the captures of the period, or the cases that wait."""
    if key in cases.WAITING:
        return cases.listed(view, {"state": {"$in": list(cases.WAITING[key])}})
    return listed(view, {"state": "extracted"}, view.period.filter("received_at"))


def behind_latest(view: View, key: str) -> Rows:
    """Return the newest captures, whenever they came."""
    return listed(view)


def listed(view: View, *narrowed: Mapping[str, Any]) -> Rows:
    """Return the newest captures that fulfil all filters: masked pictures and no people."""
    rows = list(recent({"$and": [dict(view.scope), *map(dict, narrowed)]}, cases.MOST_ROWS))
    names = area_names({row["area"] for row in rows})
    return Rows(
        columns=("收到时间", "违规", "点位", "所在区域", "设备", "识别"),
        rows=[
            Row(
                texts=(
                    row["received_at"].astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S"),
                    VIOLATIONS[row["violation"]],
                    row["point_name"],
                    names.get(row["area"], "—"),
                    row["device_name"],
                    found_text(row.get("found", {})) if row["state"] == "extracted" else "—",
                ),
                picture=picture_of(row),
                place=place_of(row),
                tone=STATE_TONES[row["state"]],
                key=str(row["_id"]),
            )
            for row in rows
        ],
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


PANELS = [
    Panel(
        name="evidence.headline",
        title="取证固证",
        theme=THEME,
        permission=VIEW,
        show=headline,
        place="top",
        order=10,
        refresh_seconds=5,
        rows=behind_headline,
    ),
    Panel(
        name="evidence.latest",
        title="最新取证",
        theme=(THEME, "overview"),
        permission=VIEW,
        show=latest,
        place="right",
        order=3,
        refresh_seconds=2,
        rows=behind_latest,
        timeless=True,
    ),
    *cases.PANELS,
]
LAYERS = [
    MapLayer(
        name="evidence.live",
        title="预警取证",
        theme=THEME,
        permission=VIEW,
        show=live,
        order=10,
        live=True,
        record="evidence.capture",
    ),
    *cases.LAYERS,
]

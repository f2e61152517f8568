"""The alerts behind a figure of the cockpit, as a list: of nobody private, in the viewer's area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.plugin_api import LOCAL_ZONE, Row, Rows, Tone, View, area_names, utcnow
from plugins.alerts.alerts.models import ALERT_FLOW, OPEN, Alert, place_of
from plugins.alerts.kinds.defaults import SEVERITIES

SEVERITY_TONES: Mapping[int, Tone] = {1: "hint", 2: "minor", 3: "major", 4: "critical"}
#: One more than the cockpit shows tells that there are more.
MOST_ROWS = 201
READ = (
    "number", "kind_name", "severity", "state", "count", "point_name", "place", "area", "raised_at", "close_by",
)  # fmt: skip
#: What the headline figures count, by their keys.
STATES: Mapping[str, tuple[str, ...]] = {
    "open": ("raised", "unconfirmed"),
    "dispatched": ("dispatched",),
    "closed": ("closed",),
}


def behind_headline(view: View, key: str) -> Rows:
    """Return the alerts that a headline figure counts."""
    if key == "overdue":
        return behind_overdue(view, "")
    return listed(view, in_period(view), {"state": {"$in": list(STATES[key])}} if key in STATES else {})


def behind_category(view: View, key: str) -> Rows:
    """Return the alerts of a category."""
    return listed(view, in_period(view), {"category": key} if key else {})


def behind_area(view: View, key: str) -> Rows:
    """Return the alerts of an area below."""
    return listed(view, in_period(view), {"area": {"$gte": key, "$lt": f"{key}0"}} if key else {})


def behind_overdue(view: View, key: str) -> Rows:
    """Return what is past its limit now."""
    return listed(view, {"due_at": {"$lte": utcnow()}})


def behind_ticker(view: View, key: str) -> Rows:
    """Return the newest alerts, whenever they came."""
    return listed(view, {"state": {"$ne": "merged"}})


def in_period(view: View) -> dict[str, Any]:
    """Return the filter of what the figures of the period count."""
    return {**view.period.filter("raised_at"), "state": {"$ne": "merged"}}


def listed(view: View, *narrowed: Mapping[str, Any]) -> Rows:
    """Return the newest alerts that fulfil all filters."""
    query = {"$and": [dict(view.scope), *(dict(each) for each in narrowed if each)]}
    found = Alert._get_collection().find(query, READ).sort("_id", -1).limit(MOST_ROWS)
    rows = list(found.batch_size(MOST_ROWS + 1))
    names = area_names({row["area"] for row in rows})
    return Rows(
        columns=("上报时间", "编号", "事件", "等级", "点位", "所在区域", "状态", "办结时限"),
        rows=[
            Row(
                texts=(
                    local(row["raised_at"]),
                    row["number"],
                    f"{row['kind_name']} ×{row['count']}" if row["count"] > 1 else row["kind_name"],
                    SEVERITIES[row["severity"]],
                    row.get("point_name") or "—",
                    names.get(row["area"], "—"),
                    ALERT_FLOW.states[row["state"]],
                    local(row["close_by"]),
                ),
                place=place_of(row),
                tone=SEVERITY_TONES[row["severity"]] if row["state"] in OPEN else "off",
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def local(moment: Any) -> str:
    """Return a time in the clock of Shanghai."""
    return moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else "—"

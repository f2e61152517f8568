"""The orders behind a figure of the cockpit, as a list: of nobody private, in the viewer's area."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.plugin_api import LOCAL_ZONE, Row, Rows, View, area_names, utcnow
from plugins.dispatch.orders.models import ORDER_FLOW, WorkOrder
from plugins.dispatch.orders.reading import PHASES

#: One more than the cockpit shows tells that there are more.
MOST_ROWS = 201
READ = (
    "number", "title", "point_name", "place", "area", "created_at", "due_at", "state", "unit_name", "on_time",
)  # fmt: skip
#: Headline figures of now, by their keys.
NOW = ("waiting", "handling", "checking")


def behind_headline(view: View, key: str) -> Rows:
    """Return the orders that a headline figure counts: some of now, the others of the period."""
    if key == "overdue":
        return behind_overdue(view, "")
    if key in NOW:
        return listed(view, {"state": {"$in": list(PHASES[key])}})
    if key == "closed":
        return listed(view, reported(view), {"state": {"$in": ["closed", "forced_closed"]}})
    return listed(view, reported(view), {"on_time": {"$in": [True, False]}} if key == "ended" else {})


def behind_kind(view: View, key: str) -> Rows:
    """Return the orders of a type."""
    return listed(view, reported(view), {"kind": key} if key else {})


def behind_area(view: View, key: str) -> Rows:
    """Return the orders of an area below."""
    return listed(view, reported(view), {"area": {"$gte": key, "$lt": f"{key}0"}} if key else {})


def behind_overdue(view: View, key: str) -> Rows:
    """Return what is past its limit now."""
    return listed(view, {"state": {"$in": list(PHASES["open"])}, "due_at": {"$lte": utcnow()}})


def behind_ticker(view: View, key: str) -> Rows:
    """Return the newest orders, whenever they came."""
    return listed(view)


def reported(view: View) -> dict[str, Any]:
    """Return the filter of what was reported in the period."""
    return view.period.filter("created_at")


def listed(view: View, *narrowed: Mapping[str, Any]) -> Rows:
    """Return the newest orders that fulfil all filters."""
    query = {"$and": [dict(view.scope), *(dict(each) for each in narrowed if each)]}
    found = WorkOrder._get_collection().find(query, READ).sort("_id", -1).limit(MOST_ROWS)
    rows = list(found.batch_size(MOST_ROWS + 1))
    names = area_names({row["area"] for row in rows})
    now = utcnow()
    return Rows(
        columns=("上报时间", "单号", "事项", "点位", "所在区域", "处置单位", "状态", "时限"),
        rows=[
            Row(
                texts=(
                    local(row["created_at"]),
                    row["number"],
                    row["title"],
                    row.get("point_name") or "—",
                    names.get(row["area"], "—"),
                    row.get("unit_name") or "未派遣",
                    ORDER_FLOW.states[row["state"]],
                    local(row.get("due_at")),
                ),
                place=place_of(row),
                tone="critical" if late(row, now) else "plain" if row["state"] in PHASES["open"] else "off",
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def late(row: Mapping[str, Any], now: datetime) -> bool:
    """Say whether an order is past its limit."""
    return bool(row["state"] in PHASES["open"] and row.get("due_at") and row["due_at"] <= now)


def place_of(row: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return WGS-84 degrees, or None when the place is not known."""
    coordinates = (row.get("place") or {}).get("coordinates")
    return (coordinates[0], coordinates[1]) if coordinates else None


def local(moment: datetime | None) -> str:
    """Return a time in the clock of Shanghai."""
    return moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else "—"

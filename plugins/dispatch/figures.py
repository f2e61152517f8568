"""Figures of units, areas and kinds, from sums made ahead of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from backend.plugin_api import Metric, area_names, figures, level_below, organisations_named
from plugins.dispatch.orders.clock import median_minutes
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.telling import ORDERS, UNITS
from plugins.dispatch.routing.models import ROLES
from plugins.dispatch.standards.register import DEFAULTS


def counted(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measure of the orders that fulfil a condition."""
    return {"$sum": {"$cond": [condition, 1, 0]}}


MEASURES: Mapping[str, Mapping[str, Any]] = {
    "count": {"$sum": 1},
    "filed": counted({"$gt": ["$filed_at", None]}),
    "handled": counted({"$gt": ["$replied_at", None]}),
    "on_time": counted({"$eq": ["$on_time", True]}),
    "judged": counted({"$in": ["$on_time", [True, False]]}),
    "closed": counted({"$in": ["$state", ["closed", "forced_closed"]]}),
    "late": counted({"$eq": ["$late", True]}),
    "rework": {"$sum": "$rework"},
}
METRICS = [
    Metric(
        name=ORDERS,
        title="派单数",
        unit="件",
        collection=WorkOrder,
        time_field="created_at",
        bucket="hour",
        dimensions=("kind", "state", "on_time"),
    ),
    Metric(
        name=UNITS,
        title="派单处置",
        unit="件",
        collection=WorkOrder,
        time_field="created_at",
        bucket="day",
        dimensions=("unit", "kind", "duration_class"),
        measures=MEASURES,
    ),
]
KIND_TITLES = {row["code"]: row["name"] for row in DEFAULTS}


def statistics(
    by: str, area: str, scope: Mapping[str, Any], since: datetime, until: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the figures of each unit, area below, or kind, the most first; costs the same for any number of orders."""
    level = level_below(area) if by == "area" else None
    found = figures(UNITS, area=area, scope=scope, since=since, until=until, level=level, by=(by, "duration_class"))
    sums: dict[Any, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    classes: dict[Any, dict[int, int]] = defaultdict(dict)
    for place, (key, number) in enumerate(found.keys):
        for measure in MEASURES:
            sums[key][measure] += int(found.measures[measure][place])
        if number is not None:
            classes[key][int(number)] = classes[key].get(int(number), 0) + int(found.measures["count"][place])
    names = names_of(by, [key for key in sums if key is not None])
    items = []
    for key, measured in sums.items():
        median = median_minutes(classes[key])
        items.append(
            {
                **measured,
                "key": key or "",
                "name": names.get(key, key or "未派遣"),
                "reported": measured["count"],
                "median_minutes": None if median is None else round(median, 1),
            }
        )
    return sorted(items, key=lambda each: (-each["reported"], each["key"]))


def names_of(by: str, keys: Collection[str]) -> dict[str, str]:
    """Return the Chinese names of units, areas or kinds, in at most two round trips."""
    if by == "kind":
        return KIND_TITLES
    if by == "area":
        return area_names(keys)
    roles = {key: key.split("@", 1) for key in keys if "@" in key}
    areas = area_names([area for _, area in roles.values()]) if roles else {}
    companies = organisations_named([ObjectId(key) for key in keys if ObjectId.is_valid(key)])
    named = {key: f"{areas.get(area, area)} {ROLES.get(role, '')}".strip() for key, (role, area) in roles.items()}
    return {**named, **{str(id): each.name for id, each in companies.items()}}

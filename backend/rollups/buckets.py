"""Time buckets, and the pieces of aggregation that cut areas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backend.rollups.records import LEVELS, Metric, depth
from backend.storage import LOCAL_ZONE


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def bucket_of(metric: Metric, at: datetime | None) -> datetime | None:
    """Return the start of the metric's bucket that holds `at`, in UTC; None when it has no buckets."""
    if metric.bucket == "none":
        return None
    if at is None:
        raise ValueError(f"Metric {metric.name} is counted by time: a mark of it needs one.")
    if metric.bucket == "hour":
        return hour_of(at)
    day = at.astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.astimezone(UTC)


def bucket_end(metric: Metric, start: datetime) -> datetime:
    """Return where the bucket that begins at `start` ends."""
    if metric.bucket == "hour":
        return start + timedelta(hours=1)
    # In local wall time, so that a day may have 23 or 25 hours.
    return (start.astimezone(LOCAL_ZONE) + timedelta(days=1)).astimezone(UTC)


def bucket_starts(metric: Metric, since: datetime, until: datetime) -> list[datetime]:
    """Return the starts of the buckets from the one that holds `since` up to `until`: the x axis of a chart."""
    starts, start = [], bucket_of(metric, since)
    while start is not None and start < until:
        starts.append(start)
        start = bucket_end(metric, start)
    return starts


def in_bucket(metric: Metric, start: datetime | None) -> dict[str, Any]:
    """Return the filter of the records in one bucket."""
    if start is None or metric.time_field is None:
        return {}
    return {metric.time_field: {"$gte": start, "$lt": bucket_end(metric, start)}}


def in_area(area: str, level: str) -> dict[str, Any]:
    """Return the filter of the records that count for `area` on `level`."""
    if depth(area) <= LEVELS.index(level):
        # A record above the level counts there under its own path, and nothing below it does.
        return {"area": area}
    return within(area)


def within(area: str) -> dict[str, Any]:
    """Return the filter of everything in an area: one range, as codes hold letters and digits only."""
    return {"area": {"$gte": area, "$lt": f"{area}0"}}


def cut_area(level: str) -> dict[str, Any]:
    """Return the expression that cuts the path `$area` at a level."""
    parts = {"$slice": [{"$split": ["$area", "/"]}, LEVELS.index(level) + 1]}
    joined = {"$concat": ["$$value", "/", "$$this"]}
    return {
        "$reduce": {
            "input": parts,
            "initialValue": "",
            "in": {"$cond": [{"$eq": ["$$value", ""]}, "$$this", joined]},
        }
    }

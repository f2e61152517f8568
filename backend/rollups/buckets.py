"""Time buckets, and the pieces of aggregation that cut areas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.rollups.records import LEVELS, SPANS, Metric, depth
from backend.storage import LOCAL_ZONE

#: A span of time and where it is read from and to; None for no end.
Piece = tuple[str, datetime | None, datetime | None]


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def start_of(span: str, at: datetime) -> datetime:
    """Return the start of the hour, day or month of Shanghai that holds `at`, in UTC."""
    if span == "hour":
        return hour_of(at)
    day = at.astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day.replace(day=1) if span == "month" else day).astimezone(UTC)


def end_of(span: str, start: datetime) -> datetime:
    """Return where the span that begins at `start` ends."""
    if span == "hour":
        return start + timedelta(hours=1)
    # In local wall time, so that a day may have 23 or 25 hours.
    local = start.astimezone(LOCAL_ZONE)
    if span == "month":
        return (local.replace(day=1) + timedelta(days=32)).replace(day=1).astimezone(UTC)
    return (local + timedelta(days=1)).astimezone(UTC)


def bucket_of(metric: Metric, at: datetime | None) -> datetime | None:
    """Return the start of the metric's bucket that holds `at`, in UTC; None when it has no buckets."""
    if metric.bucket == "none":
        return None
    if at is None:
        raise ValueError(f"Metric {metric.name} is counted by time: a mark of it needs one.")
    return start_of(metric.bucket, at)


def starts_of(span: str, since: datetime, until: datetime) -> list[datetime]:
    """Return the starts of the spans from the one that holds `since` up to `until`."""
    starts, start = [], start_of(span, since)
    while start < until:
        starts.append(start)
        start = end_of(span, start)
    return starts


def pieces(spans: Sequence[str], since: datetime | None, until: datetime | None) -> list[Piece]:
    """Return as few of `spans`, given from short to long, as make up the time from `since` to `until`.

    It is taken to whole ones of the shortest.
    """
    *shorter, longest = spans
    if not shorter:
        return [(longest, since and start_of(longest, since), until)]
    # Where the first whole one of the longest begins, and the last one ends.
    first = since and start_of(longest, since)
    if since and first and first < start_of(shorter[0], since):
        first = end_of(longest, first)
    last = until and start_of(longest, until)
    if first and last and first >= last:
        return pieces(shorter, since, until)
    ahead = pieces(shorter, since, first) if since and first and since < first else []
    behind = pieces(shorter, last, until) if until and last and last < until else []
    return [*ahead, (longest, first, last), *behind]


def frame_of(span: str, start: datetime) -> datetime:
    """Return where the day, month or year begins that holds the hour, day or month that begins at `start`."""
    if span == "month":
        return start.astimezone(LOCAL_ZONE).replace(month=1)
    return start_of(SPANS[SPANS.index(span) + 1], start)


def in_buckets(metric: Metric, starts: Sequence[datetime | None]) -> dict[str, Any]:
    """Return the filter of the records from the first of these buckets, given in order, to the last one."""
    first, last = starts[0], starts[-1]
    if first is None or last is None or metric.time_field is None:
        return {}
    return {metric.time_field: {"$gte": first, "$lt": end_of(metric.bucket, last)}}


def in_area(area: str, level: str) -> dict[str, Any]:
    """Return the filter of the records that count for `area` on `level`."""
    if depth(area) <= LEVELS.index(level):
        # A record above the level counts there under its own path, and nothing below it does.
        return {"area": area}
    return within(area)


def district_of(area: str) -> str:
    """Return the first part of a path."""
    return area.partition("/")[0]


def within(area: str) -> dict[str, Any]:
    """Return the filter of everything in an area: one range, as codes hold letters and digits only."""
    return {"area": {"$gte": area, "$lt": f"{area}0"}}


def cut_time(metric: Metric) -> dict[str, Any]:
    """Return the expression that cuts a record's time to the start of its bucket."""
    return {"$dateTrunc": {"date": f"${metric.time_field}", "unit": metric.bucket, "timezone": str(LOCAL_ZONE)}}


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

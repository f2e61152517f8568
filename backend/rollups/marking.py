"""Marking what changed: cheap, in the transaction of the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from backend import storage
from backend.rollups.buckets import hour_of
from backend.rollups.registry import installed

#: Areas of one mark.
MOST_AREAS = 1000


def mark_dirty(metric: str, area: str, at: datetime | None = None) -> None:
    """Say that figures of `metric` changed in `area` at the time `at` of the record; call it with the write itself.

    A record that moves needs two marks: one for where (and when) it was, one for where it is. Raises RuntimeError
    outside `atomically`, LookupError for an unknown metric, ValueError when a metric by time gets none.
    """
    mark_many(metric, [(area, at)])


def mark_many(metric: str, places: Iterable[tuple[str, datetime | None]]) -> None:
    """Do what `mark_dirty` does for many (area, time) at once, as an import needs it."""
    if not storage.in_transaction():
        raise RuntimeError(f"Marks of {metric!r} must be set inside atomically(), together with the change itself.")
    insert_marks(metric, places)


def insert_marks(metric: str, places: Iterable[tuple[str, datetime | None]]) -> int:
    """Store a mark for each different hour, with the areas of it; returns for how many areas and hours."""
    by_time = installed(metric).time_field is not None
    different = {(area, hour_of(at) if at and by_time else None) for area, at in places}
    if by_time and any(at is None for _, at in different):
        raise ValueError(f"Metric {metric} is counted by time: a mark of it needs one.")
    areas = defaultdict(list)
    for area, at in different:
        areas[at].append(area)
    for at, every in areas.items():
        for start in range(0, len(every), MOST_AREAS):
            mark = {"metric": metric, "areas": every[start : start + MOST_AREAS], "at": at}
            storage.insert_later("rollup_marks", mark)
    return len(different)

"""Figures in the viewer's period, next to those of the period before and of a year before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from backend.plugin_api.panels import View
from backend.rollups import Summary, bucket_starts, figures, figures_over


class Compared(NamedTuple):
    """The same figures in three spans of time; None where nothing of a span has passed yet."""

    now: Summary
    before: Summary | None
    year_before: Summary | None

    def of(self, take: Callable[[Summary], float | None]) -> dict[str, Any]:
        """Return `value`, `before` and `year_before` for a `Figure`, each by `take` from its summary."""
        value = take(self.now)
        earlier = {name: take(each) for name, each in zip(self._fields[1:], self[1:], strict=True) if each is not None}
        return {"value": "—" if value is None else value, **earlier}


def figures_in(
    metric: str,
    view: View,
    *,
    level: str | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
) -> Summary:
    """Return the figures of a metric in what the view shows: its area, scope and period; time by the period's step."""
    period = view.period
    return figures(
        metric,
        area=view.area,
        scope=view.scope,
        level=level,
        since=period.since,
        until=period.until,
        by=by,
        where=where,
        step=period.step,
    )


def compared(
    metric: str,
    view: View,
    *,
    by: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
) -> Compared:
    """Return what `figures_in` does for the period, the one before and that of a year before, in one trip.

    Counts by the hour are compared to the hour. A metric by the day takes in the whole day in which an earlier span
    ends: compare shares of such, not counts.
    """
    spans = [(each.since, each.until) for each in (view.period, view.period.before(), view.period.year_before())]
    passed = [since < until for since, until in spans]
    found = iter(
        figures_over(
            metric,
            [span for span, kept in zip(spans, passed, strict=True) if kept],
            area=view.area,
            scope=view.scope,
            by=by,
            where=where,
        )
    )
    now, before, year_before = (next(found) if kept else None for kept in passed)
    assert now is not None  # noqa: S101 - a period has days
    return Compared(now, before, year_before)


def steps_in(metric: str, view: View) -> list[datetime]:
    """Return the axis of a trend of `figures_in(..., by=("at",))`: the period's steps up to now."""
    return bucket_starts(metric, view.period.since, view.period.end, view.period.step)

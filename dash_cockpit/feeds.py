"""Reading what plugins show: once for all who may see the same, in the area and the period of the request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from flask import abort, request

from backend.plugin_api import utcnow
from backend.plugin_api.panels import Content, Panel, Rows, View
from backend.plugin_api.periods import Period, read_period, this_period
from dash_cockpit.draw import draw
from dash_cockpit.lists import draw_table
from dash_cockpit.snapshots import Answer, Made, Snapshots
from dash_cockpit.sources import CockpitSources, MapArea, Owned

ROWS_FRESH_SECONDS = 5.0

MOST_ROWS = 200
LONGEST_KEY = 200


@dataclass(frozen=True)
class Look:
    """Who looks at which area in which time, as the current request says."""

    viewer: Any
    area: MapArea
    period: Period


@dataclass(frozen=True)
class Shown:
    """What a panel gave, kept with the time it is of: an export says the same as the screen."""

    content: Content
    period: Period
    made_at: datetime


@dataclass(frozen=True)
class Feeds:
    """Reads what plugins show, once for all who may see the same."""

    sources: CockpitSources
    snapshots: Snapshots

    def looking(self) -> Look:
        """Return what the current request looks at; 404 for a viewer who may see nothing."""
        viewer = self.sources.principal()
        area = self.sources.looked_at(viewer, request.args.get("area", "")) or abort(404)
        return Look(viewer, area, read_period(*(request.args.get(name, "") for name in ("period", "since", "until"))))

    def panel(self, look: Look, name: str) -> Owned[Panel]:
        """Return a panel that the viewer may see; 404 when there is none of that name."""
        return self.sources.panel_of(look.viewer, name) or abort(404)

    def read_panel(self, look: Look, owned: Owned[Panel]) -> Answer:
        """Return what a panel shows."""
        panel = owned.record

        def make(view: View) -> Made:
            content = panel.show(view)
            return Made(to_json(draw(content, drills=panel.rows is not None)), Shown(content, view.period, utcnow()))

        return self.read(owned, "panel", look, make, panel.refresh_seconds)

    def read_rows(self, look: Look, owned: Owned[Panel], key: str) -> Answer:
        """Return the records behind what was clicked on a panel, where `key` may be a span of time; 404 for none."""
        rows = owned.record.rows or abort(404)
        key = key[:LONGEST_KEY]
        if not owned.record.timeless:
            period, key = narrowed(look.period, key)
            look = replace(look, period=period)

        def make(view: View) -> Made:
            content = rows(view, key)
            if not isinstance(content, Rows):
                raise TypeError(f"`rows` returns Rows, not {type(content).__name__}.")
            content = replace(
                content, rows=content.rows[:MOST_ROWS], more=content.more or len(content.rows) > MOST_ROWS
            )
            return Made(rows_json(content), Shown(content, view.period, utcnow()))

        return self.read(owned, "rows of", look, make, ROWS_FRESH_SECONDS, key)

    def read(
        self,
        owned: Owned[Any],
        kind: str,
        look: Look,
        make: Callable[[View], Made | bytes],
        fresh_seconds: float,
        part: str = "",
    ) -> Answer:
        """Return the snapshot of a panel, of a `part` of it, or of a map layer."""
        record, where = owned.record, f"{kind} {owned.record.name}"
        scope = self.sources.scope_filter(look.viewer, record.permission, within=look.area.path)
        timeless = record.timeless or getattr(record, "live", False)
        period = this_period() if timeless else look.period

        def guarded() -> Made | bytes | None:
            made = None
            with self.sources.guard(owned.plugin, where):
                made = make(View(area=look.area.path, scope=scope, period=period))
            return made

        def too_slow() -> None:
            with self.sources.guard(owned.plugin, where):
                raise TimeoutError("It took longer than the cockpit waits.")

        # Whoever may see the same rows of the same area and time shares one result. `today` is one time, whatever day
        # it is: past midnight it is read anew, and while that fails yesterday's figures stay, with their age.
        time = () if timeless else (period.name, *((period.since, period.until) if period.name == "range" else ()))
        key = (kind, look.area.path, time, part, orjson.dumps(scope, default=repr, option=orjson.OPT_SORT_KEYS))
        return self.snapshots.read(where, key, guarded, fresh_seconds, too_slow)


def narrowed(period: Period, key: str) -> tuple[Period, str]:
    """Return the part of a period that a key names as `since/until`, and no key; else both as they are."""
    try:
        since, until = (datetime.fromisoformat(part) for part in key.split("/"))
        inside = period.since <= since < min(until, period.until)
    except (ValueError, TypeError):  # no times, or times that say not where
        return period, key
    return (Period("range", since, min(until, period.until)), "") if inside else (period, key)


def rows_json(content: Rows) -> bytes:
    """Return a list of records as the overlay of the page shows it."""
    return to_json({"count": len(content.rows), "more": content.more, "table": draw_table(content)})


def to_json(component: Any) -> bytes:
    """Return a Dash component as the JSON that the page puts in place."""
    return orjson.dumps(
        component,
        default=lambda part: part.to_plotly_json(),
        option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS,
    )

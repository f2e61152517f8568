"""What the cockpit shows of points (驾驶舱 1f): where they were lost, for what, and the charges behind that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from backend.plugin_api import (
    LOCAL_ZONE,
    Bars,
    Figure,
    Figures,
    Panel,
    Row,
    Rows,
    Tone,
    Trend,
    View,
    area_names,
    compared,
    figures_in,
    level_below,
    steps_in,
)
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.ledger.models import Charge
from plugins.ranking.ledger.telling import METRIC
from plugins.ranking.points import HUNDRED, VIEW, words
from plugins.ranking.rules.keeping import read

THEME = "effectiveness"
MOST_BARS, MOST_ROWS = 10, 200
#: A row of a deduction is coloured by what it cost, from so many hundredths on.
TONES: tuple[tuple[int, Tone], ...] = ((200, "major"), (100, "minor"), (0, "hint"))


def lost(points: Any) -> Any:
    """Return hundredths for and against as points lost."""
    return -np.asarray(points, dtype=np.float64) / HUNDRED


def headline(view: View) -> Figures:
    """Return what compounds lost, compared with the period before and a year before, and what waits to be decided."""
    found = figures_in(METRIC, view, by=("area",), level="compound")
    points = found.measures["points"]
    over = compared(METRIC, view).of(lambda each: round(float(lost(each.total("points"))), 2) + 0.0)
    waiting = {"$and": [{"state": "filed"}, within(view.area), dict(view.scope)]}
    return Figures(
        (
            Figure("扣分", unit="分", tone="major", better="less", **over),
            Figure("计分项", int(found.total("standing")), "项"),
            Figure("被扣分小区", int((points < 0).sum()), "个", "minor"),
            Figure("申诉待裁决", Appeal._get_collection().count_documents(waiting), "件", "hint"),
        )
    )


def within(area: str) -> dict[str, Any]:
    """Return the filter of everything in an area."""
    return {"area": {"$gte": area, "$lt": f"{area}0"}} if area else {}


def by_area(view: View) -> Bars:
    """Return the points lost in the areas below, most first."""
    found = figures_in(METRIC, view, by=("area",), level=level_below(view.area))
    paths, values = found.column("area"), lost(found.measures["points"])
    names = area_names(paths)
    order = np.argsort(-values, kind="stable")[:MOST_BARS]
    return Bars(
        [names.get(paths[n], paths[n].rpartition("/")[2]) for n in order],
        {"扣分": values[order]},
        unit="分",
        horizontal=True,
        tones={"扣分": "major"},
        keys=[paths[n] for n in order],
    )


def by_rule(view: View) -> Bars:
    """Return what compounds lost points for, the most frequent first."""
    found = figures_in(METRIC, view, by=("rule",))
    codes, counts = found.column("rule"), found.measures["standing"]
    titles = {row["code"]: row["title"] for row in read(view.area.partition("/")[0])}
    against = [n for n in np.argsort(-counts, kind="stable") if counts[n] > 0 and found.measures["points"][n] < 0][
        :MOST_BARS
    ]
    return Bars(
        [titles.get(codes[n], codes[n]) for n in against],
        {"次数": counts[against]},
        unit="次",
        horizontal=True,
        tones={"次数": "minor"},
        keys=[codes[n] for n in against],
    )


def over_time(view: View) -> Trend:
    """Return the points lost along the period."""
    steps = steps_in(METRIC, view)
    found = figures_in(METRIC, view, by=("at",))
    return Trend(steps, {"扣分": lost(found.along(steps, "points"))}, unit="分", tones={"扣分": "major"})


def behind_area(view: View, key: str) -> Rows:
    """Return the deductions behind the points of an area, or all of them."""
    return deductions(view, within(key) if "/" in key else {})


def behind_rule(view: View, key: str) -> Rows:
    """Return the deductions by one rule, or all of them."""
    return deductions(view, {"rule": key} if key else {})


def deductions(view: View, narrowed: Mapping[str, Any]) -> Rows:
    """Return the latest charges of the period that cost points."""
    times = {**view.period.filter("occurred_at"), "net": {"$lt": 0}}
    query = {"$and": [part for part in (times, within(view.area), dict(view.scope), narrowed) if part]}
    newest = [("occurred_at", -1), ("_id", -1)]
    found = list(Charge._get_collection().find(query, {"photos": 0}).sort(newest).limit(MOST_ROWS + 1))
    names = area_names({row["area"] for row in found})
    rows = [
        Row(
            texts=(
                f"{row['occurred_at'].astimezone(LOCAL_ZONE):%m-%d %H:%M}",
                names.get(row["area"], row["compound"]),
                row["title"],
                words(row["net"]),
            ),
            tone=next(tone for least, tone in TONES if -row["net"] >= least),
            key=str(row["_id"]),
        )
        for row in found[:MOST_ROWS]
    ]
    return Rows(columns=("时间", "小区", "扣分项", "分值"), rows=rows, more=len(found) > MOST_ROWS)


def panel(name: str, title: str, show: Any, place: Literal["top", "left", "right"], order: int, rows: Any) -> Panel:
    """Return a panel of this theme."""
    look: Mapping[str, Any] = {"theme": THEME, "permission": VIEW, "place": place, "order": order}
    return Panel(name=f"ranking.{name}", title=title, show=show, rows=rows, **look)


PANELS = (
    panel("headline", "小区考核", headline, "top", 50, behind_area),
    panel("by_area", "各区域考核扣分", by_area, "left", 50, behind_area),
    panel("by_rule", "高频扣分项", by_rule, "right", 50, behind_rule),
    panel("over_time", "扣分趋势", over_time, "right", 60, behind_area),
)

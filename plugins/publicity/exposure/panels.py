"""What the cockpit shows of exposures: how many came, how they ended, what their reporters think."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backend.plugin_api import (
    LOCAL_ZONE,
    Bars,
    Figure,
    Figures,
    Metric,
    Panel,
    Ring,
    Row,
    Rows,
    Theme,
    View,
    area_names,
    figures,
    level_below,
    utcnow,
)
from plugins.publicity.exposure.categories import categories
from plugins.publicity.exposure.models import FLOW, VIEW, Exposure
from plugins.publicity.exposure.reporting import METRIC

THEME = "publicity"
THEMES = (Theme(name=THEME, title="宣传推广监管", order=60),)
METRICS = (
    Metric(
        name=METRIC,
        title="监督曝光",
        unit="件",
        collection=Exposure,
        time_field="reported_at",
        bucket="day",
        dimensions=("category", "state", "stars"),
    ),
)


def since_days(days: int) -> datetime:
    """Return when the day began in Shanghai that lies so many days before today."""
    today = utcnow().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


def headline(view: View) -> Figures:
    """Return the last thirty days by state, and the mean rating."""
    found = figures(METRIC, area=view.area, scope=view.scope, since=since_days(29), by=("state", "stars"))
    counts = found.measures["count"].tolist() if found.keys else []
    states = found.column("state") if found.keys else []
    stars = found.column("stars") if found.keys else []
    by_state = dict.fromkeys(FLOW.states, 0)
    rated, total = 0, 0
    for state, star, count in zip(states, stars, counts, strict=True):
        by_state[state] = by_state.get(state, 0) + count
        if star:
            rated, total = rated + count, total + star * count
    return Figures(
        (
            Figure("近三十日曝光", sum(by_state.values()), "件", "major"),
            Figure("待审核", by_state["received"] + by_state["reopening"], "件", "hint"),
            Figure("办理中", by_state["converting"] + by_state["handling"], "件"),
            Figure("已办结", by_state["handled"], "件", "good"),
            Figure("满意度", f"{total / rated:.1f}" if rated else "暂无", "分" if rated else ""),
        )
    )


def by_category(view: View) -> Ring:
    """Return the last thirty days by category."""
    found = figures(METRIC, area=view.area, scope=view.scope, since=since_days(29), by=("category",))
    known = categories()
    return Ring([known[code].title for code in found.column("category")], found.measures["count"], unit="件")


def by_area(view: View) -> Bars:
    """Return the last thirty days by the areas below."""
    level = level_below(view.area)
    found = figures(METRIC, area=view.area, scope=view.scope, level=level, since=since_days(29), by=("area",))
    paths = found.column("area")
    names = area_names(paths)
    labels = [names.get(path, path.rsplit("/", 1)[-1]) for path in paths]
    return Bars(labels, {"曝光": found.measures["count"]}, unit="件", horizontal=True)


def latest(view: View) -> Rows:
    """Return the newest exposures: what and where, nothing that people wrote."""
    known = categories()
    fields = {"reported_at": 1, "category": 1, "point_name": 1, "state": 1, "place": 1}
    rows = Exposure._get_collection().find(dict(view.scope), fields).sort([("reported_at", -1), ("_id", -1)]).limit(20)
    return Rows(
        columns=("时间", "类别", "点位", "状态"),
        rows=[
            Row(
                texts=(
                    row["reported_at"].astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M"),
                    known[row["category"]].title,
                    row["point_name"],
                    FLOW.states[row["state"]],
                ),
                place=tuple(row["place"]["coordinates"]) if row.get("place") else None,
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def panel(name: str, title: str, show: Any, place: Any, order: int) -> Panel:
    """Return a panel of this theme."""
    return Panel(
        name=f"publicity.{name}", title=title, theme=THEME, permission=VIEW, show=show, place=place, order=order
    )


PANELS = (
    panel("headline", "监督曝光", headline, "top", 10),
    panel("by_category", "近三十日曝光类别", by_category, "left", 10),
    panel("by_area", "近三十日区域分布", by_area, "right", 20),
    panel("latest", "最新曝光", latest, "right", 10),
)

"""What the cockpit shows of exposures: how many came, how they ended, what their reporters think."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.plugin_api import (
    LOCAL_ZONE,
    Bars,
    Figure,
    Figures,
    MapLayer,
    Metric,
    Panel,
    Point,
    Ring,
    Row,
    Rows,
    Summary,
    Theme,
    Trend,
    View,
    area_names,
    compared,
    figures_in,
    level_below,
    steps_in,
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
        bucket="hour",
        dimensions=("category", "state", "stars"),
    ),
)


def headline(view: View) -> Figures:
    """Return the exposures of the period by state and the mean rating, next to earlier ones."""
    found = compared(METRIC, view, by=("state", "stars"))

    def of(*states: str) -> int:
        return int(found.now.total_of("state", states))

    return Figures(
        (
            Figure("曝光", unit="件", tone="major", key="all", **found.of(Summary.total)),
            Figure("满意度", unit="分", tone="good", better="more", key="rated", **found.of(rating)),
            Figure("待审核", of("received", "reopening"), "件", "hint", key="waiting"),
            Figure("办理中", of("converting", "handling"), "件", key="handling"),
            Figure("已办结", of("handled"), "件", "good", key="handled"),
        )
    )


def rating(found: Summary) -> float | None:
    """Return the mean of the stars that reporters gave."""
    rated = found.total() - found.total_of("stars", (None, 0))
    stars = sum(
        (star or 0) * count for star, count in zip(found.column("stars"), found.measures["count"].tolist(), strict=True)
    )
    return round(stars / rated, 1) if rated else None


def by_category(view: View) -> Ring:
    """Return the exposures of the period by category."""
    found = figures_in(METRIC, view, by=("category",))
    known, codes = categories(), found.column("category")
    return Ring([known[code].title for code in codes], found.measures["count"], unit="件", keys=codes)


def over_time(view: View) -> Trend:
    """Return the exposures along the period."""
    steps = steps_in(METRIC, view)
    counts = figures_in(METRIC, view, by=("at",)).along(steps)
    return Trend(steps, {"曝光": counts}, unit="件", tones={"曝光": "major"})


def by_area(view: View) -> Bars:
    """Return the exposures of the period by the areas below."""
    found = figures_in(METRIC, view, level=level_below(view.area), by=("area",))
    paths = found.column("area")
    names = area_names(paths)
    labels = [names.get(path, path.rsplit("/", 1)[-1]) for path in paths]
    return Bars(labels, {"曝光": found.measures["count"]}, unit="件", horizontal=True, keys=paths)


def latest(view: View) -> Rows:
    """Return the newest exposures: what and where, nothing that people wrote."""
    return listed(view, 20)


#: What the headline figures count, by their keys.
STATES = {"waiting": ("received", "reopening"), "handling": ("converting", "handling"), "handled": ("handled",)}
#: What is not over yet, and of how many the map shows the place.
OPEN = (*STATES["waiting"], *STATES["handling"])
MOST_POINTS = 500
#: One more than the cockpit shows tells that there are more.
MOST_ROWS = 201


def behind_headline(view: View, key: str) -> Rows:
    """Return the exposures that a headline figure counts."""
    if key == "rated":
        return listed(view, MOST_ROWS, reported(view), {"stars": {"$gt": 0}})
    return listed(view, MOST_ROWS, reported(view), {"state": {"$in": list(STATES[key])}} if key in STATES else {})


def behind_category(view: View, key: str) -> Rows:
    """Return the exposures of a category."""
    return listed(view, MOST_ROWS, reported(view), {"category": key} if key else {})


def behind_area(view: View, key: str) -> Rows:
    """Return the exposures of an area below."""
    return listed(view, MOST_ROWS, reported(view), {"area": {"$gte": key, "$lt": f"{key}0"}} if key else {})


def behind_latest(view: View, key: str) -> Rows:
    """Return the newest exposures, whenever they came."""
    return listed(view, MOST_ROWS)


def reported(view: View) -> dict[str, Any]:
    """Return the filter of what was reported in the period."""
    return view.period.filter("reported_at")


def listed(view: View, most: int, *narrowed: Mapping[str, Any]) -> Rows:
    """Return the newest exposures that fulfil all filters: what and where, nothing that people wrote."""
    known = categories()
    fields = {"reported_at": 1, "category": 1, "point_name": 1, "state": 1, "place": 1}
    query = {"$and": [dict(view.scope), *(dict(each) for each in narrowed if each)]}
    rows = Exposure._get_collection().find(query, fields).sort([("reported_at", -1), ("_id", -1)]).limit(most)
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
            for row in rows.batch_size(most + 1)
        ],
    )


def open_exposures(view: View) -> list[Point]:
    """Return where exposures wait or are being handled: what and where, nothing that people wrote."""
    known = categories()
    query = {"$and": [dict(view.scope), {"state": {"$in": list(OPEN)}, "place": {"$type": "object"}}]}
    fields = {"reported_at": 1, "category": 1, "point_name": 1, "state": 1, "place": 1}
    return [
        Point(
            key=str(row["_id"]),
            lon=row["place"]["coordinates"][0],
            lat=row["place"]["coordinates"][1],
            label=known[row["category"]].title,
            kind=FLOW.states[row["state"]],
            tone="minor" if row["state"] in STATES["waiting"] else "hint",
            details=(("点位", row["point_name"] or "—"), ("状态", FLOW.states[row["state"]])),
            at=row["reported_at"],
        )
        for row in Exposure._get_collection().find(query, fields).sort("_id", -1).limit(MOST_POINTS)
    ]


def panel(name: str, title: str, show: Any, place: Any, order: int, rows: Any, **more: Any) -> Panel:
    """Return a panel of this theme."""
    look = {"theme": THEME, "permission": VIEW, "place": place, "order": order, **more}
    return Panel(name=f"publicity.{name}", title=title, show=show, rows=rows, **look)


PANELS = (
    panel("headline", "监督曝光", headline, "top", 10, behind_headline),
    panel("by_category", "曝光类别", by_category, "left", 10, behind_category),
    panel("trend", "曝光趋势", over_time, "left", 20, behind_category),
    panel("by_area", "曝光区域分布", by_area, "right", 20, behind_area),
    panel("latest", "最新曝光", latest, "right", 10, behind_latest, timeless=True),
)
LAYERS = (
    MapLayer(
        name="publicity.open",
        title="未办结曝光",
        theme=THEME,
        permission=VIEW,
        show=open_exposures,
        order=20,
        timeless=True,
    ),
)

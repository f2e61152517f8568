"""The points of compounds in a month: one compound line by line, and all of them from sums made ahead of time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from backend.plugin_api import (
    Forbidden,
    Principal,
    Problem,
    area_names,
    figures,
    find_compound,
    home_of,
    require,
    scope_filter,
)
from plugins.ranking.ledger.models import Entry
from plugins.ranking.ledger.reading import entry_line, names_for, visible
from plugins.ranking.ledger.telling import METRIC
from plugins.ranking.points import VIEW, month_of


def statement(by: Principal, code: str, month: str) -> dict[str, Any]:
    """Return a compound's account of a month: what happened in it, and all that was booked for that since.

    Lines are few: nothing is booked beyond a cap. Raises Problem `not_found` for a compound that the person does not
    see.
    """
    since, until = month_of(month)
    query: list[dict[str, Any]] = [{"compound": code, "occurred_at": {"$gte": since, "$lt": until}}]
    if scope := visible(by):
        query.append(scope)
    rows = list(Entry._get_collection().find({"$and": query}).sort([("occurred_at", 1), ("seq", 1)]))
    name = compound_name(by, code, rows)
    names = names_for(rows)
    rules: dict[str, dict[str, Any]] = {}
    for row in rows:
        rule = rules.setdefault(row["rule"], {"rule": row["rule"], "title": row["title"], "points": 0, "standing": 0})
        rule["points"] += row["points"]
        rule["standing"] += row["standing"]
    lines = [{**entry_line(by, row, names), "after_month": row["created_at"] >= until} for row in rows]
    return {
        "compound": code,
        "compound_name": name,
        "month": month,
        "points": sum(row["points"] for row in rows),
        "standing": sum(row["standing"] for row in rows),
        "rules": sorted(rules.values(), key=lambda each: (each["points"], each["rule"])),
        "lines": lines,
    }


def compound_name(by: Principal, code: str, rows: list[dict[str, Any]]) -> str:
    """Return the name of a compound that the person may see, by its register or by what is booked."""
    found = find_compound(code)
    if found is None:
        if not rows:
            raise Problem("not_found")
        return code
    if not rows:
        try:
            require(by, VIEW, found.area, found.organisation)
        except Forbidden:
            raise Problem("not_found") from None
    return found.name


def balances(by: Principal, month: str, within: str = "") -> list[dict[str, Any]]:
    """Return the points of each compound of an area in a month, the fewest first; those without any are left out."""
    since, until = month_of(month)
    area = within or home_of(by)
    scope = scope_filter(by, VIEW, within=area)
    found = figures(METRIC, area=area, scope=scope, level="compound", since=since, until=until, by=("area",))
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, points, standing in zip(
        found.column("area"), found.measures["points"].tolist(), found.measures["standing"].tolist(), strict=True
    ):
        sums[path][0] += int(points)
        sums[path][1] += int(standing)
    names = area_names(sums)
    items = [
        {
            "area": path,
            "compound": path.rpartition("/")[2],
            "compound_name": names.get(path, path.rpartition("/")[2]),
            "points": points,
            "standing": standing,
        }
        for path, (points, standing) in sums.items()
    ]
    return sorted(items, key=lambda each: (each["points"], each["area"]))

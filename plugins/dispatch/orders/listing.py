"""Orders in numbers and in order of distance, and as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from backend.plugin_api import Principal, utcnow
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.reading import LIST, PHASES, mine, names_for, summary, visible

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 1000


def counts(by: Principal) -> dict[str, int]:
    """Return how many open orders wait for whom, in one round trip that reads open orders alone."""
    whose = mine(by)
    now = utcnow()
    groups: dict[str, Any] = {
        name: {"$sum": {"$cond": [{"$in": ["$state", list(PHASES[name])]}, 1, 0]}}
        for name in ("waiting", "handling", "checking")
    }
    groups["overdue"] = {"$sum": {"$cond": [{"$and": [{"$gt": ["$due_at", None]}, {"$lte": ["$due_at", now]}]}, 1, 0]}}
    scope = visible(by)
    query = {"$and": [{"state": {"$in": list(PHASES["open"])}}, *([scope] if scope else [])]}
    collection = WorkOrder._get_collection()
    row: dict[str, Any] = next(iter(collection.aggregate([{"$match": query}, {"$group": {"_id": None, **groups}}])), {})
    own = collection.count_documents({"$and": [whose, *([scope] if scope else [])]})
    return {**{name: int(row.get(name, 0)) for name in groups}, "mine": own}


def nearby(by: Principal, longitude: float, latitude: float, metres: float, limit: int) -> list[dict[str, Any]]:
    """Return open orders nearest first, each with `distance` in metres; WGS-84 degrees in."""
    scope = visible(by)
    rows = list(
        WorkOrder._get_collection().aggregate(
            [
                {
                    "$geoNear": {
                        "near": {"type": "Point", "coordinates": [longitude, latitude]},
                        "key": "place",
                        "distanceField": "distance",
                        "maxDistance": metres,
                        "query": {"$and": [{"state": {"$in": list(PHASES["open"])}}, *([scope] if scope else [])]},
                        "spherical": True,
                    }
                },
                {"$limit": limit},
            ]
        )
    )
    names = names_for(rows)
    return [{**summary(row, names), "distance": round(row["distance"], 1)} for row in rows]


def exported(query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the orders as a table shows them, read in batches while the file is written."""
    rows = WorkOrder._get_collection().find(query, LIST).sort("_id", 1).batch_size(BATCH)
    while some := list(islice(rows, BATCH)):
        names = names_for(some)
        yield from (summary(row, names) for row in some)

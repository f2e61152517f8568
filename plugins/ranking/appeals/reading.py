"""Show appeals inside what a person may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, area_names, etag_of, permitted, utcnow
from plugins.ranking.appeals.deciding import involved
from plugins.ranking.appeals.models import APPEAL_FLOW, Appeal
from plugins.ranking.ledger.models import Charge
from plugins.ranking.ledger.reading import visible
from plugins.ranking.points import APPEAL, DECIDE

API = "/api/v1/assessment-appeals"


def conditions(by: Principal, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    query: list[dict[str, Any]] = [{name: asked[name]} for name in ("state", "compound", "rule") if name in asked]
    if "overdue" in asked:
        past: dict[str, Any] = {"due_at": {"$lte": utcnow()}, "state": "filed"}
        query.append(past if asked["overdue"] else {"$nor": [past]})
    query.append(visible(by, asked.get("within", "")))
    parts = [part for part in query if part]
    return {"$and": parts} if parts else {}


def appeal_of(by: Principal, appeal_id: ObjectId) -> Appeal:
    """Return an appeal that the person may see; raises Problem `not_found` for any other."""
    appeal = Appeal.objects(__raw__={"$and": [{"_id": appeal_id}, visible(by)]}).first()
    if appeal is None:
        raise Problem("not_found")
    return appeal


def appeal_line(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return an appeal as it stands in a list."""
    plain = ("area", "compound", "rule", "title", "number", "points", "reason", "filed_name", "filed_at", "state")
    return {
        **{name: row[name] for name in plain},
        **{name: row.get(name) for name in ("due_at", "decision", "decided_name", "decided_at")},
        "id": str(row["_id"]),
        "charge": str(row["_id"]),
        "etag": etag_of(row).strip('"'),
        "compound_name": names.get(row["area"], row["compound"]),
        "state_title": APPEAL_FLOW.states[row["state"]],
        "overdue": row["state"] == "filed" and bool(row.get("due_at") and row["due_at"] <= utcnow()),
        "photos": [f"{API}/{row['_id']}/photos/{number}" for number in range(len(row.get("photos", ())))],
    }


def appeal_view(by: Principal, appeal: Appeal) -> dict[str, Any]:
    """Return one appeal with what the person may do with it."""
    waiting = appeal.state == "filed"
    mine = Appeal._get_collection().find_one({"$and": [{"_id": appeal.id}, visible(by, permission=APPEAL)]}, {"_id": 1})
    decides = waiting and permitted(by, DECIDE, appeal.area)
    return {
        **appeal_line(appeal.to_mongo().to_dict(), area_names([appeal.area])),
        "may_withdraw": waiting and mine is not None,
        "may_decide": decides and str(by.id) not in involved(Charge.objects.get(id=appeal.id), appeal),
    }

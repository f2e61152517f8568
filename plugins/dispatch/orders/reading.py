"""Show orders: lists inside what a person may see, and one order with all that he or she may do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Principal,
    Problem,
    area_names,
    etag_of,
    people_named,
    permitted,
    scope_filter,
    utcnow,
)
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.clock import used_until
from plugins.dispatch.orders.models import HANDLE, HANDLING, ORDER_FLOW, SOURCES, VERIFY, VIEW, WorkOrder
from plugins.dispatch.orders.steps import WITH_REASON, handlers, is_for
from plugins.dispatch.standards.models import PROOFS, UNITS

ORDERS = "/api/v1/work-orders"
PHASES: Mapping[str, tuple[str, ...]] = {
    "waiting": ("reported", "filed", "returned"),
    "handling": HANDLING,
    "checking": ("replied", "verifying"),
    "ended": ("closed", "forced_closed", "dismissed", "merged"),
    "open": ("reported", "filed", "returned", *HANDLING, "replied", "verifying", "suspended"),
}
OTHER_STEPS = {
    "begin": "上报",
    "gather": "并入其他派单",
    "escalate": "升级督办",
    "remind": "临期提醒",
    "recount": "重新计算时限",
}
#: What a list leaves out of each row: all that only one order's own page shows.
LIST = dict.fromkeys(("timeline", "replies", "checks", "description"), 0)


def visible(by: Principal, within: str = "", permission: str = VIEW) -> dict[str, Any]:
    """Return the filter of the orders that a person may see: those of the own area, or of the own company."""
    return scope_filter(by, permission, within=within, organisation_field="handler_organisation")


def conditions(by: Principal, asked: Mapping[str, Any], permission: str = VIEW) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    names = ("state", "kind", "source", "severity", "unit", "point", "late")
    query: list[dict[str, Any]] = [{name: asked[name]} for name in names if name in asked]
    if "phase" in asked:
        query.append({"state": {"$in": list(PHASES[asked["phase"]])}})
    for name, operator in (("since", "$gte"), ("until", "$lt")):
        if name in asked:
            query.append({"created_at": {operator: asked[name]}})
    if "q" in asked:
        # What begins with the text, as a range on the index of numbers; signs of a number sort below the tilde.
        query.append({"number": {"$gte": asked["q"], "$lt": f"{asked['q']}~"}})
    if "overdue" in asked:
        past: dict[str, Any] = {"due_at": {"$lte": utcnow()}}
        query.append(past if asked["overdue"] else {"$nor": [past]})
    if "extension" in asked:
        pending = {"extensions": {"$elemMatch": {"granted": None}}, "state": {"$in": list(HANDLING)}}
        query.append(pending if asked["extension"] else {"$nor": [pending]})
    if "mine" in asked:
        query.append(mine(by) if asked["mine"] else {"$nor": [mine(by)]})
    query.append(visible(by, asked.get("within", ""), permission))
    return {"$and": [part for part in query if part]} if any(query) else {}


def mine(by: Principal) -> dict[str, Any]:
    """Return the filter of what was given to a person, or to nobody yet of those whom he or she belongs to."""
    ways: list[dict[str, Any]] = [
        {"handler": by.id},
        {"handler": None, "handler_organisation": None, "handler_role": by.user_type},
    ]
    if by.organisation is not None:
        ways.append({"handler": None, "handler_organisation": by.organisation})
    return {"state": {"$in": list(HANDLING)}, "$or": ways}


def order_of(by: Principal, order_id: ObjectId) -> WorkOrder:
    """Return an order that the person may see; raises Problem `not_found` for any other."""
    order = WorkOrder.objects(__raw__={"$and": [{"_id": order_id}, visible(by)]}).first()
    if order is None:
        raise Problem("not_found")
    return order


def names_for(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of the rows' areas, in one round trip."""
    return area_names({row["area"] for row in rows})


def summary(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return an order as it stands in a list."""
    plain = (
        "number", "title", "kind", "severity", "state", "source", "area", "created_at", "provisional", "rework", "late",
    )  # fmt: skip
    empty = (
        "point", "point_name", "unit", "unit_name", "handler_name", "dispatched_at", "replied_at", "ended_at", "due_at",
        "respond_by", "on_time",
    )  # fmt: skip
    due_at = row.get("due_at")
    lon, lat = (row.get("place") or {}).get("coordinates", (None, None))
    extensions = row.get("extensions") or ()
    return {
        **{name: row[name] for name in plain},
        **{name: row.get(name) for name in empty},
        "id": str(row["_id"]),
        "etag": etag_of(row).strip('"'),
        "state_title": ORDER_FLOW.states[row["state"]],
        "source_title": SOURCES[row["source"]],
        "area_name": names.get(row["area"], row["area"].rpartition("/")[2]),
        "longitude": lon,
        "latitude": lat,
        "overdue": bool(due_at and due_at <= utcnow()),
        "extension_pending": row["state"] in HANDLING and any(each.get("granted") is None for each in extensions),
    }


def shown(by: Principal, order: WorkOrder) -> dict[str, Any]:
    """Return an order with all that belongs to it, and what the person may do with it."""
    row = order.to_mongo()
    others = [*order.merged, *([order.merged_into] if order.merged_into else [])]
    numbers = numbers_of(others)
    return {
        **summary(row, area_names([order.area])),
        **{name: row.get(name) for name in ("description", "link", "source_id", "rule", "far_metres")},
        "proof": list(order.proof),
        "proof_titles": [PROOFS[each] for each in order.proof if each in PROOFS],
        "limit": clock_view(order),
        "replies": [reply_view(order, each) for each in row.get("replies", ())],
        "checks": row.get("checks", []),
        "extensions": row.get("extensions", []),
        "merged_into": numbers.get(order.merged_into),
        "merged": [numbers[each] for each in order.merged if each in numbers],
        "history": history(order),
        "verbs": verbs_of(by, order),
        "may_handle": order.state in HANDLING and is_for(order, by),
    }


def clock_view(order: WorkOrder) -> dict[str, Any]:
    """Return the handler's clock as it stands now."""
    used = used_until(order, calendar_of(order.area), utcnow()) if order.running_since else order.used_minutes
    return {
        "unit": order.unit_of_time,
        "unit_title": UNITS[order.unit_of_time],
        "allowed": order.limit_minutes,
        "used": round(used, 1),
        "running": order.running_since is not None,
        "escalated": order.escalated,
    }


def reply_view(order: WorkOrder, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reply with the addresses of its photos."""
    lon, lat = (row.get("place") or {}).get("coordinates", (None, None))
    pictures = [
        {**picture, "address": f"{ORDERS}/{order.id}/pictures/{picture['sha256']}"}
        for picture in row.get("pictures", ())
    ]
    names = ("name", "at", "note", "distance", "accuracy")
    return {**{name: row.get(name) for name in names}, "longitude": lon, "latitude": lat, "pictures": pictures}


def numbers_of(ids: Iterable[ObjectId]) -> dict[ObjectId, dict[str, str]]:
    """Return id and number of other orders."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = WorkOrder._get_collection().find({"_id": {"$in": wanted}}, {"number": 1})
    return {row["_id"]: {"id": str(row["_id"]), "number": row["number"]} for row in rows}


def history(order: WorkOrder) -> list[dict[str, Any]]:
    """Return what happened to an order, the first step first, with the names of those who did it."""
    actors = {ObjectId(entry["actor"]) for entry in order.timeline if ObjectId.is_valid(entry["actor"] or "")}
    names = {str(id): name for id, name in people_named(actors).items()} if actors else {}
    return [
        {
            "verb": entry["verb"],
            "title": title_of(entry["verb"]),
            "at": entry["at"],
            "name": names.get(entry["actor"], "系统" if entry["actor_kind"] == "system" else ""),
            "note": entry["note"],
        }
        for entry in order.timeline
    ]


def verbs_of(by: Principal, order: WorkOrder) -> list[dict[str, Any]]:
    """Return the steps that the person may take with an order now."""
    pending = bool(order.extensions) and order.extensions[-1].granted is None
    found = []
    for step in ORDER_FLOW.verbs(order):
        if step.permission == HANDLE:
            allowed = is_for(order, by) and permitted_for(by, order)
        else:
            allowed = permitted(by, step.permission, order.area)
        if step.permission == VERIFY and str(by.id) in handlers(order):
            allowed = False
        if step.verb.endswith("_extension"):
            allowed = allowed and (step.verb == "ask_extension") != pending
        if allowed:
            found.append({"verb": step.verb, "title": step.title, "needs_reason": step.verb in WITH_REASON})
    return found


def permitted_for(by: Principal, order: WorkOrder) -> bool:
    """Tell whether the person may handle an order of this area, by a grant of the own company too."""
    if permitted(by, HANDLE, order.area):
        return True
    return by.organisation is not None and by.organisation == order.handler_organisation and permitted(by, HANDLE)


def title_of(verb: str) -> str:
    """Return the Chinese title of a step."""
    return OTHER_STEPS.get(verb) or next(each.title for each in ORDER_FLOW.transitions if each.verb == verb)

"""Search alerts and show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, audit, permitted, scope_filter, utcnow
from plugins.alerts.alerts.models import ALERT_FLOW, OPEN, OUTCOMES, SOURCES, Alert, Sighting, place_of
from plugins.alerts.kinds.defaults import CATEGORIES, PROOFS, ROLES, SEVERITIES

VIEW, REVEAL = "alerts:view", "alerts:reveal"
BASE = "/api/v1/alerts"


def conditions(by: Principal, asked: Mapping[str, Any], permission: str = VIEW) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may treat with `permission`."""
    names = ("kind", "severity", "category", "state", "point", "source", "device", "number", "role")
    query: list[dict[str, Any]] = [{name: asked[name]} for name in names if name in asked]
    for name, operator in (("since", "$gte"), ("until", "$lt")):
        if name in asked:
            query.append({"raised_at": {operator: asked[name]}})
    if "overdue" in asked:
        late = {"due_at": {"$lte": utcnow()}}
        query.append(late if asked["overdue"] else {"$nor": [late]})
    if asked.get("open"):
        query.append({"state": {"$in": list(OPEN)}})
    if "bounds" in asked:
        west, south, east, north = asked["bounds"]
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        query.append({"place": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [ring]}}}})
    query.append(scope_filter(by, permission, within=asked.get("within", ""), organisation_field="organisation"))
    return {"$and": query}


#: Alerts are counted up to here: more than that is "many" to whoever looks.
COUNTED = 1000


def open_counts(by: Principal) -> dict[str, int]:
    """Return how many alerts the person may see are open, by state, and how many of them are overdue."""
    scope = scope_filter(by, VIEW, organisation_field="organisation")
    wanted: dict[str, dict[str, Any]] = {state: {"state": state} for state in OPEN}
    wanted["overdue"] = {"due_at": {"$lte": utcnow()}}
    alerts = Alert._get_collection()
    return {name: alerts.count_documents({"$and": [query, scope]}, limit=COUNTED) for name, query in wanted.items()}


def summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert as it stands in a list."""
    place = place_of(row)
    now = utcnow()
    return {
        **{name: row.get(name) for name in SHOWN},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "state_title": ALERT_FLOW.states[row["state"]],
        "severity_title": SEVERITIES[row["severity"]],
        "category_title": CATEGORIES.get(row["category"], row["category"]),
        "source_title": SOURCES[row["source"]],
        "role_title": ROLES.get(row["role"], row["role"]),
        "longitude": place[0] if place else None,
        "latitude": place[1] if place else None,
        "overdue": row.get("due_at") is not None and row["due_at"] <= now,
        "picture_count": len(row.get("pictures") or ()),
        "order_number": (row.get("order") or {}).get("number") or None,
    }


SHOWN = (
    "number", "kind", "kind_name", "severity", "category", "state", "source", "role", "area", "point", "point_name",
    "device", "count", "first_at", "last_at", "raised_at", "respond_by", "close_by", "responded_at", "closed_at",
    "due_at", "note",
)  # fmt: skip


def detail(by: Principal, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert with all that staff need to handle it; pictures have an address for whoever may open them."""
    may_look = permitted(by, REVEAL, row["area"])
    pictures = [
        {
            "sha256": picture["sha256"],
            "at": picture["at"],
            "address": f"{BASE}/{row['_id']}/pictures/{picture['sha256']}" if may_look else None,
        }
        for picture in row.get("pictures") or ()
    ]
    camera = row.get("camera") or {}
    merged = row.get("merged_into")
    steps = [
        {**{name: entry[name] for name in ("verb", "from", "to", "at", "actor_kind", "note")}, "title": title_of(entry)}
        for entry in row["timeline"]
    ]
    return {
        **summary(row),
        "confidence": row.get("confidence"),
        "talk_back": row.get("talk_back") or "",
        "proof": [{"code": each, "title": PROOFS.get(each, each)} for each in row.get("proof") or ()],
        "pictures": pictures,
        "camera": {"device": camera["device"], "at": camera["at"]} if camera else None,
        "link": row.get("link"),
        "reason": row.get("reason"),
        "merged_into": str(merged) if merged else None,
        "timeline": steps,
        "verbs": [
            {"verb": way.verb, "title": way.title}
            for way in ALERT_FLOW.transitions
            if row["state"] in way.sources and way.permission and permitted(by, way.permission, row["area"])
        ],
    }


def title_of(entry: Mapping[str, Any]) -> str:
    """Return what a step is called on screen."""
    if entry["verb"] == "begin":
        return "上报"
    return next(way.title for way in ALERT_FLOW.transitions if way.verb == entry["verb"])


def sighting(by: Principal, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one thing seen."""
    names = ("source", "device", "point", "point_name", "code", "vendor", "confidence", "at", "received_at", "note")
    return {
        **{name: row.get(name) for name in names},
        "id": str(row["_id"]),
        "event_id": row["event_id"],
        "area": row["area"],
        "outcome": row["outcome"],
        "outcome_title": OUTCOMES[row["outcome"]],
        "source_title": SOURCES[row["source"]],
        "clock_doubted": bool(row.get("clock_doubted")),
        "pictures": [picture["sha256"] for picture in row.get("pictures") or ()],
        "addresses": list(row.get("addresses") or ()) if permitted(by, REVEAL, row["area"]) else [],
        "delivery": row.get("delivery") or None,
    }


def find_picture(alert: Alert, sha256: str) -> str:
    """Return the media type of one of an alert's pictures, its sightings' included; the look is recorded."""
    kept = [picture for picture in alert.pictures if picture["sha256"] == sha256]
    if not kept:
        row = Sighting._get_collection().find_one({"alert": alert.id, "pictures.sha256": sha256}, {"pictures": 1})
        kept = [picture for picture in (row or {}).get("pictures", ()) if picture["sha256"] == sha256]
    if not kept:
        raise Problem("not_found")
    audit.record(
        "alerts.picture.reveal",
        subject="alerts.alert",
        subject_id=str(alert.id),
        area=alert.area,
        detail={"picture": sha256},
    )
    return str(kept[0]["media_type"])


def feature(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an alert as a GeoJSON feature, or None when its place is not known."""
    place = place_of(row)
    if place is None:
        return None
    names = ("number", "kind", "kind_name", "severity", "state", "point_name", "count", "raised_at")
    return {
        "type": "Feature",
        "id": str(row["_id"]),
        "geometry": {"type": "Point", "coordinates": list(place)},
        "properties": {name: row.get(name) for name in names},
    }


def find_sightings(alert_id: ObjectId) -> dict[str, Any]:
    """Return the filter of what was seen of an alert, and of those that were merged into it."""
    merged = [row["_id"] for row in Alert._get_collection().find({"merged_into": alert_id}, {"_id": 1})]
    return {"alert": {"$in": [alert_id, *merged]}}

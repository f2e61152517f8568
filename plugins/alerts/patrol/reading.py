"""Rounds as people see them: today's on a phone, lists and reports for the offices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Principal,
    Problem,
    area_names,
    current_settings,
    district_of,
    scope_filter,
    utcnow,
)
from plugins.alerts.patrol.codes import sites_of
from plugins.alerts.patrol.items import checklist, kinds_for
from plugins.alerts.patrol.models import PatrolCheckIn, PatrolReport, PatrolRound
from plugins.alerts.patrol.vocabulary import FLAGS, OUTCOMES, PATROL, POINT_KINDS, STATES, VIEW
from plugins.alerts.patrol.windows import local_day

Row = Mapping[str, Any]
#: Check-ins, refused ones included, that a report shows.
MOST_SHOWN = 500
SHOWN = (
    "plan_name", "area", "supervisor_name", "day", "starts_at", "ends_at", "state", "done", "total", "findings",
    "reports", "refused", "flagged", "started_at", "finished_at", "summary",
)  # fmt: skip
#: What a list does not read.
WITHOUT_STOPS = {"stops": 0}


def conditions(by: Principal, asked: Row, permission: str = VIEW) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    query: list[dict[str, Any]] = [{name: asked[name]} for name in ("state",) if name in asked]
    if "supervisor" in asked:
        query.append({"supervisor": ObjectId(asked["supervisor"])})
    if "flagged" in asked:
        query.append({"flagged": {"$gt": 0} if asked["flagged"] else 0})
    days = {op: asked[name] for name, op in (("since", "$gte"), ("until", "$lte")) if name in asked}
    if days:
        query.append({"day": days})
    query.append(scope_filter(by, permission, within=asked.get("within", "")))
    return {"$and": [part for part in query if part] or [{}]}


def flags_of(codes: Sequence[str]) -> list[dict[str, str]]:
    """Return flags with their titles."""
    return [{"code": code, "title": FLAGS[code]} for code in codes]


def summary(row: Row, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a round as it stands in a list; `names` are those of areas."""
    return {
        **{name: row.get(name) for name in SHOWN},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "plan": str(row["plan"]),
        "supervisor": str(row["supervisor"]) if row.get("supervisor") else None,
        "area_name": names.get(row["area"], row["area"]),
        "state_title": STATES[row["state"]],
        "flags": flags_of(row["flags"]),
        "doubts": "、".join(FLAGS[code] for code in row["flags"]),
    }


def names_for(rows: Sequence[Row]) -> Mapping[str, str]:
    """Return the names of the areas that rounds lie in."""
    return area_names({row["area"] for row in rows})


def with_stops(row: Row, names: Mapping[str, str], sites: Mapping[str, Row]) -> dict[str, Any]:
    """Return a round with its stops."""
    default = current_settings().patrol_radius_metres
    stops = [
        {
            **{name: stop.get(name) for name in ("point", "name", "kind", "checked_at")},
            "kind_title": POINT_KINDS[stop["kind"]],
            "longitude": stop["lon"],
            "latitude": stop["lat"],
            "radius": sites.get(stop["point"], {}).get("radius") or default,
            "code_required": bool(sites.get(stop["point"], {}).get("code_required")),
            "flags": flags_of(stop.get("flags", ())),
            "findings": stop.get("findings", 0),
        }
        for stop in row["stops"]
    ]
    return {**summary(row, names), "stops": stops}


def today(by: Principal) -> dict[str, Any]:
    """Return the rounds that a person walks today and tomorrow, with all that is needed for them."""
    now = utcnow()
    days = [(local_day(now) + timedelta(days=each)).isoformat() for each in (0, 1)]
    mine = {"supervisor": {"$in": [by.id, None]}, "day": {"$in": days}}
    query = {"$and": [mine, scope_filter(by, PATROL) or {}]}
    rows = list(PatrolRound._get_collection().find(query).sort([("starts_at", 1), ("_id", 1)]).limit(60))
    sites = sites_of({stop["point"] for row in rows for stop in row["stops"]})
    names = names_for(rows)
    district = district_of(rows[0]["area"]) if rows else ""
    shown = ("code", "name", "photo", "alert_kind")
    return {
        "account": str(by.id),
        "name": by.name,
        "server_time": now,
        "rounds": [with_stops(row, names, sites) for row in rows],
        "checklists": {
            kind: [{name: item.get(name) for name in shown} for item in checklist(district, kind)]
            for kind in POINT_KINDS
        },
        "kinds": {kind: kinds_for(district, kind) for kind in POINT_KINDS},
    }


def find_visible(by: Principal, round_id: ObjectId) -> dict[str, Any]:
    """Return a round that the person may see: the offices theirs, a supervisor the own ones; raises Problem."""
    own = {"$and": [{"_id": round_id, "supervisor": by.id}, scope_filter(by, PATROL)]}
    offices = {"$and": [{"_id": round_id}, scope_filter(by, VIEW)]}
    row = PatrolRound._get_collection().find_one({"$or": [own, offices]})
    if row is None:
        raise Problem("not_found")
    return row


def report(row: Row) -> dict[str, Any]:
    """Return a round as a report."""
    of_round = {"round": row["_id"]}
    check_ins = PatrolCheckIn._get_collection().find(of_round).sort([("at", 1), ("_id", 1)]).limit(MOST_SHOWN)
    reports = PatrolReport._get_collection().find(of_round).sort([("at", 1), ("_id", 1)]).limit(MOST_SHOWN)
    points = {stop["point"]: stop["name"] for stop in row["stops"]}
    return {
        **with_stops(row, names_for([row]), sites_of(list(points))),
        "check_ins": [check_in(each, points) for each in check_ins],
        "reported": [
            {
                **{name: each.get(name) for name in ("point", "kind", "kind_name", "note", "photos", "at")},
                **{name: each.get(name) or "" for name in ("alert", "alert_number")},
                "id": str(each["_id"]),
            }
            for each in reports
        ],
    }


def check_in(row: Row, points: Mapping[str, str]) -> dict[str, Any]:
    """Return a check-in as staff see it."""
    plain = ("point", "at", "until", "received_at", "clock_offset", "accuracy", "distance", "speed", "code_way")
    why = Problem(row["why"], detail=row.get("why_text") or "") if row.get("why") else None
    return {
        **{name: row.get(name) for name in (*plain, "outcome", "answers", "photos")},
        "id": str(row["_id"]),
        "point_name": points.get(row["point"], row["point"]),
        "longitude": row.get("lon"),
        "latitude": row.get("lat"),
        "outcome_title": OUTCOMES[row["outcome"]],
        "flags": flags_of(row["flags"]),
        "problem": problem(why),
    }


def problem(why: Problem | None) -> dict[str, Any] | None:
    """Return a problem as it stands inside of an answer."""
    if why is None:
        return None
    told = {"code": why.kind.code, "title": why.kind.title, "detail": why.detail}
    return {**told, "fields": why.fields} if why.fields else told

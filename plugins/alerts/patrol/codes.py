"""Codes that hang at points, as QR code or NFC tag: a keyed hash of the point, so nobody can make one up."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    PlaceFacts,
    Principal,
    Problem,
    atomically,
    audit,
    blind_index,
    code_from,
    district_of,
    read_code,
    require,
    utcnow,
)
from plugins.alerts.intake.places import point_at
from plugins.alerts.patrol.models import PatrolSite, id_of
from plugins.alerts.patrol.vocabulary import EDIT

SUBJECT = "alerts.patrol_site"


def code_of(place: PlaceFacts, number: int) -> str:
    """Return the code of a point; each `number` of replacement has another one."""
    return code_from(blind_index(PatrolSite, "code", f"{district_of(place.area)}\n{place.code}\n{number}"))


def compare(typed: str, place: PlaceFacts, site: Mapping[str, Any], at: datetime) -> str:
    """Say whether a code that was read at `at` is the point's: right, old, wrong, or none.

    One that was replaced meanwhile counts as old where it was read before that; afterwards it is wrong.
    """
    if not typed:
        return "none"
    number = site.get("round", 1)
    code = read_code(typed) or ""
    if hmac.compare_digest(code, code_of(place, number)):
        return "right"
    replaced = site.get("replaced_at")
    if number > 1 and replaced and at < replaced and hmac.compare_digest(code, code_of(place, number - 1)):
        return "old"
    return "wrong"


def sites_of(points: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what is special about points, by code; one round trip."""
    return {row["point"]: row for row in PatrolSite._get_collection().find({"point": {"$in": list(points)}})}


def place_for(by: Principal, point: str) -> PlaceFacts:
    """Return a point that the person may keep; raises Problem `not_found` for one that is not there for him."""
    place = point_at(point)
    if place is None:
        raise Problem("not_found")
    require(by, EDIT, place.area)
    return place


def site_of(place: PlaceFacts) -> dict[str, Any]:
    """Return the record of a point, made when it is asked for first."""
    collection = PatrolSite._get_collection()
    key = id_of("patrol site", place.code)
    row = collection.find_one({"_id": key})
    if row is None:
        now = utcnow()
        row = {"_id": key, "version": 1, "created_at": now, "updated_at": now, "area": place.area}
        row |= {"point": place.code, "radius": None, "code_required": False, "round": 1, "replaced_at": None}
        try:
            collection.insert_one(row)
        except DuplicateKeyError:  # somebody else asked at the same moment
            row = collection.find_one({"_id": key}) or row
    return row


def change_site(by: Principal, point: str, version: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set radius and whether the code must be read; raises Problem `stale_version`."""
    return written(by, point, version, dict(values), "change")


def replace_code(by: Principal, point: str, version: int, reason: str) -> dict[str, Any]:
    """Give a point a new code, for the old one leaked; from now on that one is wrong."""
    number = site_of(place_for(by, point))["round"]
    return written(by, point, version, {"round": number + 1, "replaced_at": utcnow()}, "replace_code", reason)


def written(
    by: Principal, point: str, version: int, values: dict[str, Any], verb: str, reason: str = ""
) -> dict[str, Any]:
    """Write a change of a point's record with its audit entry."""
    place = place_for(by, point)
    row = site_of(place)

    def work() -> dict[str, Any]:
        after = PatrolSite._get_collection().find_one_and_update(
            {"_id": row["_id"], "version": version},
            {"$set": {**values, "area": place.area, "updated_at": utcnow()}, "$inc": {"version": 1}},
            return_document=True,
        )
        if after is None:
            raise Problem("stale_version")
        shown = {name: value for name, value in values.items() if name != "replaced_at"}
        note(verb, row["_id"], place.area, {**shown, "reason": reason} if reason else shown)
        return dict(after)

    return atomically(work)


def note(verb: str, site: ObjectId, area: str, detail: Mapping[str, Any]) -> None:
    """Write the audit entry of a change."""
    audit.record(
        "alerts.patrol_site.replace_code" if verb == "replace_code" else "alerts.patrol_site.change",
        subject=SUBJECT,
        subject_id=str(site),
        area=area,
        detail=detail,
    )

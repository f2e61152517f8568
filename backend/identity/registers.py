"""Areas and organisations that the registers of modules bring in: in bulk, inside their transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from backend.identity.models import Area, ModuleSwitch, Organisation, User
from backend.identity.territory import codes_of
from backend.identity.vocabulary import AREA_LEVELS, ORGANISATION_KINDS
from backend.storage import upsert_later, utcnow


def area_paths(codes: Iterable[str], *levels: str) -> dict[str, str]:
    """Return the paths of active areas by code, of these levels or of any; unknown codes are left out."""
    query: dict[str, Any] = {"code": {"$in": sorted(set(codes))}, "active": True}
    if levels:
        query["level"] = {"$in": list(levels)}
    return {row["code"]: row["path"] for row in Area._get_collection().find(query, {"code": 1, "path": 1})}


def keep_areas(
    names: Mapping[str, str], *, active: bool = True, boundaries: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Store areas by path, or rename those that are there; the level follows from the depth.

    `boundaries` are GeoJSON by path. Raises Invalid for a path that is none.
    """
    if not names:
        return
    now, areas, drawn = utcnow(), Area._get_collection(), boundaries or {}
    wanted = {
        path: {"name": name, "active": active} | ({"boundary": dict(drawn[path])} if path in drawn else {})
        for path, name in names.items()
    }
    if len(wanted) == 1:  # most changes; for many, upserts cost three times as much as inserts
        [(path, values)] = wanted.items()
        return _keep_area(path, {**values, "updated_at": now})
    known = {row["path"]: row for row in areas.find({"path": {"$in": list(wanted)}})}
    added = [_new_area(path, now) | values for path, values in wanted.items() if path not in known]
    if added:
        areas.insert_many(added, ordered=False)
    changed = [
        UpdateOne({"path": path}, {"$set": values | {"updated_at": now}, "$inc": {"version": 1}})
        for path, values in wanted.items()
        if path in known and not values.items() <= known[path].items()
    ]
    if changed:
        areas.bulk_write(changed, ordered=False)


def move_area(old: str, new: str) -> None:
    """Give a leaf of the tree another path, and take along the grants, switches and people that name it."""
    place = {"path": new, "parent": new.rpartition("/")[0], "code": codes_of(new)[-1], "updated_at": utcnow()}
    # Written anew: the embedded store goes on refusing a unique value that an update has taken away.
    area = Area._get_collection().find_one_and_delete({"path": old})
    if area is not None:
        Area._get_collection().insert_one({**area, **place, "version": area["version"] + 1})
    ModuleSwitch._get_collection().update_many({"area": old}, {"$set": {"area": new}})
    Organisation._get_collection().update_many({"area": old}, {"$set": {"area": new}})
    users = User._get_collection()
    users.update_many({"area": old}, {"$set": {"area": new}, "$inc": {"version": 1}})
    users.update_many(
        {"grants.area": old},
        {"$set": {"grants.$[moved].area": new}, "$inc": {"version": 1}},
        array_filters=[{"moved.area": old}],
    )


def keep_organisations(kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store the organisations that a register's rows (`_id`, `name`, `area`, `active`) are, under the same ids."""
    if kind not in ORGANISATION_KINDS:
        raise ValueError(f"No organisation is of the kind {kind!r}.")
    now = utcnow()
    updates = [
        UpdateOne(
            {"_id": row["_id"]},
            {
                "$set": {"kind": kind, "updated_at": now, **{name: row[name] for name in ("name", "area", "active")}},
                "$setOnInsert": {"created_at": now},
                "$inc": {"version": 1},
            },
            upsert=True,
        )
        for row in rows
    ]
    if updates:
        Organisation._get_collection().bulk_write(updates, ordered=False)


def _keep_area(path: str, values: Mapping[str, Any]) -> None:
    """Store or change one area at the end of the transaction."""
    elsewhere = {"_id", "path", "version", *values}
    new = {name: value for name, value in _new_area(path, values["updated_at"]).items() if name not in elsewhere}
    changes = {"$set": values, "$setOnInsert": new, "$inc": {"version": 1}}
    upsert_later(Area._get_collection_name(), {"path": path}, changes)


def _new_area(path: str, now: datetime) -> dict[str, Any]:
    codes = codes_of(path)
    return {
        "_id": ObjectId(),
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "path": path,
        "code": codes[-1],
        "parent": "/".join(codes[:-1]),
        "level": list(AREA_LEVELS)[len(codes) - 1],
        "boundary": {},
    }

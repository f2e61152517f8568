"""What staff do with base records: find, search, add, change, disable, enable, see the history, find the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from backend.events import publish
from backend.identity import Principal, require, scope_filter
from backend.protection import audit
from backend.records.faults import DuplicateCode, InvalidValues, RecordNotFound, StaleVersion
from backend.records.present import organisation_of
from backend.records.resource import Resource
from backend.records.storing import new_row, stored
from backend.rollups import mark_dirty
from backend.storage import DUPLICATE_KEY, atomically, insert_later, settle, utcnow


def scope(resource: Resource, by: Principal, action: str, within: str = "") -> dict[str, Any]:
    """Return the filter that leaves the records on which the person may do `action`, inside the area `within`."""
    return scope_filter(by, resource.permission(action), within=within, organisation_field=resource.organisation_field)


def search(
    resource: Resource, by: Principal, conditions: Mapping[str, Any], within: str = "", action: str = "view"
) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may `action`."""
    asked = [resource.filters[name].condition(resource.document, value) for name, value in conditions.items()]
    parts = [part for part in (scope(resource, by, action, within), *asked) if part]
    return parts[0] if len(parts) == 1 else {"$and": parts} if parts else {}


def find(resource: Resource, by: Principal, record_id: ObjectId, action: str = "view") -> dict[str, Any]:
    """Return one record as stored; raises RecordNotFound when it is not there for this person."""
    row = collection(resource).find_one({"$and": [{"_id": record_id}, scope(resource, by, action)]})
    if row is None:
        raise RecordNotFound(str(record_id))
    return row


def create(resource: Resource, by: Principal, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add a record, return it as stored; raises InvalidValues, DuplicateCode, or Forbidden outside the own area."""
    values = completed(resource, dict(values))
    require(by, resource.permission("edit"), values["area"], organisation_of(resource, values))
    row = new_row(resource, values)

    def write() -> None:
        insert_later(resource.document._get_collection_name(), row)
        log(resource, "create", row, open_values(resource, values))
        if resource.follow:
            resource.follow([(None, row)])

    write_whole(write, values["code"])
    return row


def change(
    resource: Resource, by: Principal, record_id: ObjectId, version: int, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Change some fields of a record that still has `version`; returns it as stored."""
    before = find(resource, by, record_id, "edit")
    locked = {name: "不可修改。" for name in resource.fixed if name in changes and changes[name] != before.get(name)}
    if locked:
        raise InvalidValues(locked)
    kept = {name: before.get(name) for name in resource.document._fields if name not in resource.sealed}
    kept |= dict(zip(("longitude", "latitude"), (before.get("place") or {}).get("coordinates", ()), strict=False))
    values = completed(resource, kept | dict(changes))
    organisation = organisation_of(resource, values)
    require(by, resource.permission("edit"), values["area"], organisation)
    new = changed_fields(resource, before, values)

    def write() -> dict[str, Any]:
        after = update(resource, record_id, version, new)
        log(resource, "change", after, difference(resource, before, new))
        if after["area"] != before["area"]:
            for metric in resource.metrics:
                mark_dirty(metric, before["area"])
        if resource.follow:
            resource.follow([(before, after)])
        return after

    return write_whole(write, before["code"])


def set_active(
    resource: Resource, by: Principal, record_id: ObjectId, version: int, active: bool, reason: str
) -> dict[str, Any]:
    """Disable a record (it stays, with its history, but is no longer used) or enable it again."""
    before = find(resource, by, record_id, "edit")

    def write() -> dict[str, Any]:
        after = update(resource, record_id, version, {"active": active})
        log(resource, "enable" if active else "disable", after, {"reason": reason})
        if resource.follow:
            resource.follow([(before, after)])
        return after

    return atomically(write)


def history(resource: Resource, by: Principal, record_id: ObjectId, **page: Any) -> Any:
    """Return the record's changes, newest first, from the audit trail."""
    find(resource, by, record_id)
    return audit.history(resource.subject, str(record_id), **page)


def nearest(
    resource: Resource, by: Principal, longitude: float, latitude: float, limit: int, metres: float
) -> list[dict[str, Any]]:
    """Return active records nearest first, each with `distance` in metres; WGS-84 degrees in."""
    return list(
        collection(resource).aggregate(
            [
                {
                    "$geoNear": {
                        "near": {"type": "Point", "coordinates": [longitude, latitude]},
                        "key": "place",
                        "distanceField": "distance",
                        "maxDistance": metres,
                        "query": {"$and": [{"active": True}, scope(resource, by, "view")]},
                        "spherical": True,
                    }
                },
                {"$limit": limit},
            ]
        )
    )


#: What only the platform itself writes.
PLATFORM_FIELDS = frozenset({"id", "version", "created_at", "updated_at", "active"})


# --- What the verbs share --------------------------------------------------------------------------------------------


def collection(resource: Resource) -> Collection[dict[str, Any]]:
    """Return the collection that the resource lies in."""
    return resource.document._get_collection()


def completed(resource: Resource, values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with what follows from other records; raises InvalidValues."""
    if (values.get("longitude") is None) != (values.get("latitude") is None):
        raise InvalidValues({"longitude": "经度和纬度须同时填写。"})
    [faults] = resource.complete([values])
    if faults:
        raise InvalidValues(faults)
    return values


def write_whole(write: Any, code: str) -> Any:
    """Run `write` in a transaction, to the end; a taken code becomes DuplicateCode."""

    def whole() -> Any:
        result = write()
        settle()
        return result

    try:
        return atomically(whole)
    except DuplicateKeyError as error:
        raise DuplicateCode(code) from error
    except BulkWriteError as error:
        if any(each["code"] == DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise DuplicateCode(code) from error
        raise


def update(resource: Resource, record_id: ObjectId, version: int, new: Mapping[str, Any]) -> dict[str, Any]:
    """Write `new` if the record still has `version`; raises StaleVersion."""
    after = collection(resource).find_one_and_update(
        {"_id": record_id, "version": version},
        {"$set": {**new, "updated_at": utcnow()}, "$inc": {"version": 1}},
        return_document=True,
    )
    if after is None:
        raise StaleVersion(str(record_id))
    return after


def changed_fields(resource: Resource, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `values` change on the stored record; private fields that are not in them stay sealed as they are."""
    own = {name: value for name, value in values.items() if name not in PLATFORM_FIELDS}
    new = stored(resource.document, before["_id"], own)
    return {name: value for name, value in new.items() if name in resource.sealed or before.get(name) != value}


def log(resource: Resource, verb: str, row: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
    """Record the change in the audit trail, tell other modules, and have the figures summed again."""
    audit.record(
        f"{resource.subject}.{verb}",
        subject=resource.subject,
        subject_id=str(row["_id"]),
        area=row["area"],
        detail=detail,
    )
    told = {"create": "created", "change": "changed", "disable": "disabled", "enable": "enabled"}[verb]
    publish(f"{resource.noun}.{told}", {"id": str(row["_id"]), "code": row["code"]}, area=row["area"])
    for metric in resource.metrics:
        mark_dirty(metric, row["area"])


def open_values(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that may stand in the audit trail: private ones only as filled in or not."""
    return {
        name: ("已填写" if values.get(name) else "") if name in resource.sealed else values[name]
        for name in resource.writable
        if name in values
    }


def difference(resource: Resource, before: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what changed as {field: [before, after]}; private values stay out."""
    changes = {name: [before.get(name), value] for name, value in new.items() if name not in resource.sealed}
    hidden = {name: ["***", "***"] for name in new if name in resource.sealed and not name.endswith("_index")}
    return changes | hidden

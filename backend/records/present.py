"""Show records: private fields masked, or in the clear to whoever may, and then it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.identity import Principal, require
from backend.protection import audit, decrypt_field, mask
from backend.records.faults import InvalidValues
from backend.records.resource import Resource


def present(resource: Resource, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as clients and spreadsheets see it; private fields are masked."""
    shown = {name: row.get(name) for name in resource.schema_fields}
    for name, private in resource.private.items():
        if row.get(name) is not None:
            shown[name] = mask(private.mask, decrypt_field(resource.document, row["_id"], name, row[name]))
    place = row.get("place")
    if place:
        shown["longitude"], shown["latitude"] = place["coordinates"]
    shown["id"] = str(row["_id"])
    shown["etag"] = f"{row['_id']}-{row['version']}"
    return shown


def reveal(resource: Resource, by: Principal, row: Mapping[str, Any], purpose: str) -> dict[str, str | None]:
    """Return the private fields of a record in the clear; who looked and why goes into the audit trail."""
    require(by, resource.permission("reveal"), row["area"], organisation_of(resource, row))
    if not purpose.strip():
        raise InvalidValues({"purpose": "请填写查看原因。"})
    audit.record(
        f"{resource.subject}.reveal",
        subject=resource.subject,
        subject_id=str(row["_id"]),
        area=row["area"],
        detail={"fields": sorted(resource.private), "purpose": purpose.strip()},
    )
    return {
        name: decrypt_field(resource.document, row["_id"], name, row[name]) if row.get(name) is not None else None
        for name in resource.private
    }


def organisation_of(resource: Resource, row: Mapping[str, Any]) -> ObjectId | None:
    """Return the organisation that the record belongs to, for grants bound to one."""
    return row.get(resource.organisation_field) if resource.organisation_field else None

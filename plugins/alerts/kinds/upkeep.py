"""Vendors' codes, and quiet windows: what district staff and those on site keep up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Principal,
    Problem,
    atomically,
    audit,
    insert_later,
    publish,
    require,
    scope_filter,
    upsert_later,
    utcnow,
)
from plugins.alerts.alerts.models import Sighting
from plugins.alerts.kinds.catalogue import catalogue, forget
from plugins.alerts.kinds.models import QuietWindow, VendorCode

EDIT, HANDLE = "alerts:edit", "alerts:handle"
LONGEST_QUIET = timedelta(days=90)


def map_code(by: Principal, district: str, vendor: str, code: str, kind: str) -> dict[str, Any]:
    """Say what a vendor's code means; what waited for it is taken in then. Raises Problem `unknown_kind`."""
    require(by, EDIT, district)
    if kind not in catalogue(district).kinds:
        raise Problem("unknown_kind", fields={"kind": ["没有这个事件类型，或已停用。"]})
    now = utcnow()
    key = {"area": district, "vendor": vendor, "code": code}

    def write() -> None:
        new = {"_id": ObjectId(), "created_at": now}
        changes = {"$set": {"kind": kind, "updated_at": now}, "$inc": {"version": 1}, "$setOnInsert": new}
        upsert_later(VendorCode._get_collection_name(), key, changes)
        audit.record(
            "alerts.vendor_code.map",
            subject="alerts.vendor_code",
            subject_id=f"{vendor}:{code}",
            area=district,
            detail={"kind": kind},
        )
        publish("alert.code_mapped", {"vendor": vendor, "code": code, "kind": kind}, area=district)
        forget()

    atomically(write)
    return {"vendor": vendor, "code": code, "kind": kind}


def vendor_codes(district: str) -> list[dict[str, Any]]:
    """Return all vendors' codes of a district."""
    rows = VendorCode._get_collection().find({"area": district}).sort([("vendor", 1), ("code", 1)])
    return [{name: row[name] for name in ("vendor", "code", "kind")} for row in rows]


def waiting_codes(by: Principal) -> list[dict[str, Any]]:
    """Return the codes that nobody has mapped, with how often each came and what came last."""
    scope = scope_filter(by, HANDLE, organisation_field="organisation")
    groups = Sighting._get_collection().aggregate(
        [
            {"$match": {"$and": [{"outcome": "waiting"}, scope]}},
            {"$sort": {"received_at": -1}},
            {
                "$group": {
                    "_id": {"vendor": "$vendor", "code": "$code"},
                    "count": {"$sum": 1},
                    "last_at": {"$max": "$received_at"},
                    "device": {"$first": "$device"},
                    "point_name": {"$first": "$point_name"},
                    "note": {"$first": "$note"},
                }
            },
            {"$sort": {"last_at": -1}},
            {"$limit": 200},
        ]
    )
    return [
        {**row["_id"], **{name: row[name] for name in ("count", "last_at", "device", "point_name", "note")}}
        for row in groups
    ]


def set_quiet(by: Principal, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Let what matches raise nothing for a while; raises Problem `invalid` for times that cannot be."""
    require(by, HANDLE, asked["area"])
    now = utcnow()
    since = asked.get("since") or now
    if not since < asked["until"] <= since + LONGEST_QUIET or asked["until"] <= now:
        raise Problem("invalid", fields={"until": ["结束时间须晚于开始时间和现在，且不超过 90 天。"]})
    names = ("area", "purpose", "reason", "device", "point", "kind")
    row = {
        "_id": ObjectId(),
        "version": 1,
        "created_at": now,
        "updated_at": now,
        **{name: asked.get(name) or None for name in names},
        "since": since,
        "until": asked["until"],
        "set_by": str(by.id),
        "set_by_name": by.name,
    }

    def write() -> None:
        insert_later(QuietWindow._get_collection_name(), row)
        log_quiet("set", row, {name: row[name] for name in names if row[name]})
        forget()

    atomically(write)
    return row


def end_quiet(by: Principal, window: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """End a quiet window now; one that has ended stays as it is."""
    require(by, HANDLE, window["area"])
    if window["until"] <= now:
        return dict(window)
    changes = {"$set": {"until": now, "updated_at": now}, "$inc": {"version": 1}}

    def write() -> dict[str, Any]:
        after = QuietWindow._get_collection().find_one_and_update(
            {"_id": window["_id"], "version": window["version"]}, changes, return_document=True
        )
        if after is None:
            raise Problem("stale_version")
        log_quiet("end", after, {"reason": window["reason"]})
        forget()
        return dict(after)

    return atomically(write)


def log_quiet(verb: str, row: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
    """Write into the audit trail who set or ended a quiet window."""
    audit.record(
        "alerts.quiet_window.set" if verb == "set" else "alerts.quiet_window.end",
        subject="alerts.quiet_window",
        subject_id=str(row["_id"]),
        area=row["area"],
        detail=dict(detail),
    )


def find_quiet(by: Principal, window: ObjectId) -> dict[str, Any]:
    """Return a quiet window; raises Problem `not_found` outside the person's area."""
    row = QuietWindow._get_collection().find_one({"$and": [{"_id": window}, scope_filter(by, "alerts:view")]})
    if row is None:
        raise Problem("not_found")
    return row

"""Make a new alert of what was seen, and the rows that stand for it in the store.

Rows are written past MongoEngine here, for this is the path of every camera; a test holds them to the documents' rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from backend.plugin_api import (
    audit,
    current_actor,
    encrypt_field,
    insert_later,
    mark_dirty,
    publish,
)
from plugins.alerts.alerts.models import ALERT_FLOW, MOST_PICTURES, Alert, Sighting, number_of
from plugins.alerts.alerts.notifying import tell_role
from plugins.alerts.kinds.limits import deadline

if TYPE_CHECKING:
    from plugins.alerts.intake.seen import Seen

METRIC = "alerts.alerts"


def raise_new(kind: Mapping[str, Any], seen: Sequence[Seen], *, slot: str, sure: bool) -> ObjectId:
    """Write a new alert at the end of the transaction, and tell of it when it is `sure`; returns its id."""
    row = alert_row(kind, seen, slot=slot, sure=sure)
    insert_later(Alert._get_collection_name(), row)
    audit.record(
        "alerts.alert.raise",
        subject="alerts.alert",
        subject_id=str(row["_id"]),
        area=row["area"],
        detail={"kind": row["kind"], "source": row["source"], "state": row["state"]},
    )
    mark_dirty(METRIC, row["area"], row["raised_at"])
    if sure:
        publish("alert.raised", told(row), area=row["area"])
        tell_role(row)
        if kind["merge_metres"] and row["place"]:
            publish("alert.placed", {"alert": str(row["_id"])}, area=row["area"])
    return row["_id"]


def alert_row(kind: Mapping[str, Any], seen: Sequence[Seen], *, slot: str, sure: bool) -> dict[str, Any]:
    """Return a new alert as the store holds it; limits run from when the platform learnt of it."""
    first, now = seen[0], seen[0].received_at
    alert, actor = ObjectId(), current_actor()
    state = "raised" if sure else ALERT_FLOW.initial
    respond_by, close_by = limits_of(kind, first.area, now)
    best = max((each.confidence for each in seen if each.confidence is not None), default=None)
    return {
        "_id": alert,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "area": first.area,
        "number": number_of(alert, now),
        "kind": kind["code"],
        "kind_name": kind["name"],
        **{name: kind[name] for name in FROM_KIND},
        **whereabouts(first),
        "source": first.source,
        "device": first.device,
        "slots": [slot],
        "first_at": first.at,
        "last_at": seen[-1].at,
        "raised_at": now,
        "respond_by": respond_by,
        "close_by": close_by,
        "count": len(seen),
        "confidence": best,
        "pictures": [picture for each in seen for picture in each.pictures][:MOST_PICTURES],
        "note": first.note,
        "reporter": first.reporter,
        "link": first.link or None,
        "camera": {"device": first.device, "at": first.at} if first.device else {},
        "state": state,
        "due_at": respond_by if sure else None,
        "timeline": [
            {
                "verb": "begin",
                "from": "",
                "to": state,
                "at": now,
                "actor": actor.id,
                "actor_kind": actor.kind,
                "note": "",
            }
        ],
    }


#: What an alert keeps of its kind, whatever becomes of that later.
FROM_KIND = (
    "severity", "category", "role", "proof", "talk_back", "respond_minutes", "close_minutes", "limit_unit",
)  # fmt: skip


def limits_of(kind: Mapping[str, Any], area: str, start: datetime) -> tuple[datetime, datetime]:
    """Return by when an alert of a kind is to be answered and to be closed."""
    unit = kind["limit_unit"]
    return deadline(area, start, kind["respond_minutes"], unit), deadline(area, start, kind["close_minutes"], unit)


def whereabouts(each: Seen) -> dict[str, Any]:
    """Return where something was seen, and whose place it is."""
    place = {"type": "Point", "coordinates": list(each.place)} if each.place else None
    return {"point": each.point, "point_name": each.point_name, "organisation": each.organisation, "place": place}


def sighting_row(each: Seen, values: Mapping[str, Any], raw: str) -> dict[str, Any]:
    """Return a sighting as the store holds it."""
    row_id, now = each.id, each.received_at
    row = {
        "_id": row_id,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "area": each.area,
        **whereabouts(each),
        **{name: getattr(each, name) for name in AS_SEEN},
        "clock_doubted": int(each.clock_doubted),
        "pictures": list(each.pictures),
        "addresses": list(each.addresses),
        "settled_at": None if values["outcome"] == "waiting" else now,
        **values,
    }
    if raw:
        row["raw"] = encrypt_field(Sighting, row_id, "raw", raw)
    return row


AS_SEEN = (
    "source", "sender", "event_id", "vendor", "code", "device", "at", "received_at", "confidence", "note", "reporter",
    "link", "delivery",
)  # fmt: skip


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what other modules learn of an alert; WGS-84 degrees, None where the place is not known."""
    lon, lat = (row.get("place") or {}).get("coordinates", (None, None))
    return {
        "alert": str(row["_id"]),
        "number": row["number"],
        "kind": row["kind"],
        "title": row["kind_name"],
        "severity": row["severity"],
        "point": row.get("point") or "",
        "area": row["area"],
        "longitude": lon,
        "latitude": lat,
        "note": row.get("note") or "",
        "respond_by": row["respond_by"].isoformat(),
        "close_by": row["close_by"].isoformat(),
        "role": row["role"],
        "proof": list(row.get("proof") or ()),
    }

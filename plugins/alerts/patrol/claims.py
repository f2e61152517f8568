"""What a check-in is judged by: what the phone said, what is known of the point, and where the person was before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, current_settings, utcnow
from plugins.alerts.intake.places import point_at
from plugins.alerts.patrol.items import items_of
from plugins.alerts.patrol.judging import Before, Claim, Limits, Spot
from plugins.alerts.patrol.models import PatrolCheckIn, id_of

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sending:
    """One batch: who sends it, when by the phone's clock, and when it arrived."""

    by: Principal
    sent_at: datetime
    received_at: datetime = field(default_factory=utcnow)

    def key(self, client_id: str) -> ObjectId:
        """Return under what id an entry is kept."""
        return id_of("patrol entry", str(self.by.id), client_id)


def limits() -> Limits:
    """Return what the operator allows."""
    chosen = current_settings()
    return Limits(
        offline=timedelta(hours=chosen.patrol_offline_hours),
        clock=timedelta(minutes=chosen.patrol_clock_minutes),
        dwell=timedelta(seconds=chosen.patrol_dwell_seconds),
        speed_kmh=chosen.patrol_speed_kmh,
    )


def claim_of(sending: Sending, entry: Row, code: str = "none") -> Claim:
    """Return what the phone says of a check-in."""
    here = (entry["longitude"], entry["latitude"]) if entry.get("longitude") is not None else None
    return Claim(
        at=entry["at"],
        until=entry.get("until") or entry["at"],
        sent_at=sending.sent_at,
        received_at=sending.received_at,
        place=here,
        accuracy=entry.get("accuracy"),
        mock=bool(entry.get("mock")),
        code=code,
    )


def spot_of(round_row: Row, stop: Row, site: Row) -> Spot:
    """Return where and when a stop is to be visited."""
    return Spot(
        place=(stop["lon"], stop["lat"]),
        radius=float(site.get("radius") or current_settings().patrol_radius_metres),
        code_required=bool(site.get("code_required")),
        starts_at=round_row["starts_at"],
        ends_at=round_row["ends_at"],
    )


def latest_of(supervisor: ObjectId) -> dict[str, Any] | None:
    """Return the check-in of a person that is the last in time, of those that count."""
    query = {"supervisor": supervisor, "outcome": {"$ne": "refused"}}
    return next(iter(PatrolCheckIn._get_collection().find(query).sort("at", -1).limit(1)), None)


def before_of(latest: Row | None) -> Before | None:
    """Return the check-in before this one, as far as speed needs it."""
    if latest is None:
        return None
    place = (latest["lon"], latest["lat"]) if latest.get("lon") is not None else None
    if place is None:
        known = point_at(latest["point"])
        place = (known.lon, known.lat) if known else None
    if place is None:
        return None
    return Before(place=place, accuracy=latest.get("accuracy"), left=latest["until"], point=latest["point"])


def answered(given: Sequence[Row], district: str, kind: str) -> list[dict[str, Any]]:
    """Return the answers with what the checklist says of their items; raises Problem for what cannot be.

    An item that was taken out while the phone was offline is still known; one of another kind of points is not.
    """
    items = items_of(district)
    found = []
    for number, answer in enumerate(given):
        item = items.get(answer["item"])
        if item is None or item["point_kind"] != kind:
            raise Problem("patrol_unknown_item", fields={f"answers.{number}.item": ["没有这个检查项。"]})
        photos = list(answer.get("photos", ()))
        if not photos and (item["photo"] == "always" or (item["photo"] == "when_bad" and not answer["ok"])):
            raise Problem("patrol_photo_needed", detail=f"“{item['name']}”须附照片。")
        found.append(
            {
                "item": item["code"],
                "title": item["name"],
                "ok": answer["ok"],
                "note": answer.get("note", ""),
                "photos": photos,
                "points": 0.0 if answer["ok"] else item["points"],
            }
        )
    if len({each["item"] for each in found}) < len(found):
        raise Problem("patrol_unknown_item", detail="同一检查项答了两次。")
    return found

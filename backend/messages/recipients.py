"""Who is meant: recipients looked up among the people and their grants as they are at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.identity import User, area_filter
from backend.messages.records import Recipients


def people_of(recipients: Recipients) -> list[ObjectId]:
    """Return the active accounts that are meant, by id, each once."""
    if recipients.accounts:
        meant = [ObjectId(each) for each in recipients.accounts if ObjectId.is_valid(each)]
        return _ids({"_id": {"$in": meant}})
    if recipients.role:
        return _holders(recipients)
    return _ids({"organisation": ObjectId(recipients.organisation)})


def areas_upward(area: str) -> list[str]:
    """Return an area and all above it, the whole platform (the empty path) last."""
    codes = area.split("/") if area else []
    return ["/".join(codes[:depth]) for depth in range(len(codes), -1, -1)]


def _holders(recipients: Recipients) -> list[ObjectId]:
    upward = areas_upward(recipients.area)
    place = area_filter(recipients.area) if recipients.below else {"area": {"$in": upward}}
    grant = {"role": recipients.role, **place}
    rows = User._get_collection().find({"active": True, "grants": {"$elemMatch": grant}}, {"grants": 1})
    held = {row["_id"]: [each["area"] for each in row["grants"] if _counts(each, recipients)] for row in rows}
    if recipients.below:
        return sorted(id for id, areas in held.items() if any(_lies_in(area, recipients.area) for area in areas))
    for area in upward:
        if nearest := sorted(id for id, areas in held.items() if area in areas):
            return nearest
    return []


def _counts(grant: Mapping[str, Any], recipients: Recipients) -> bool:
    """Tell whether a grant is of the role, and bound to no organisation but the one that is meant."""
    bound = str(grant.get("organisation") or "")
    return grant["role"] == recipients.role and bound in ("", recipients.organisation)


def _lies_in(area: str, whole: str) -> bool:
    return not whole or area == whole or area.startswith(f"{whole}/")


def _ids(query: Mapping[str, Any]) -> list[ObjectId]:
    return sorted(row["_id"] for row in User._get_collection().find({**query, "active": True}, {"_id": 1}))

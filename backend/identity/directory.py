"""Who could do something in an area: people by what they hold there, organisations by where they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from backend.identity.models import Organisation, Role, User


@dataclass(frozen=True, kw_only=True)
class PersonFacts:
    """A person with an account, as others who work with him or her may know: no phone, no account name."""

    id: ObjectId
    name: str
    user_type: str
    area: str
    organisation: ObjectId | None = None


@dataclass(frozen=True, kw_only=True)
class OrganisationFacts:
    """An office or a company; `kind` is one of the fixed vocabulary."""

    id: ObjectId
    name: str
    kind: str
    area: str


def areas_above(area: str) -> list[str]:
    """Return the areas from the district down to `area` itself."""
    codes = area.split("/") if area else []
    return ["/".join(codes[: depth + 1]) for depth in range(len(codes))]


def people_with(
    permission: str, area: str, *, ids: Collection[ObjectId] | None = None, limit: int = 100
) -> list[PersonFacts]:
    """Return the active people whose grants give them `permission` in `area`, by name; of `ids` alone if given.

    Who holds it everywhere, as administrators do, is not meant. Two round trips.
    """
    roles = [row["name"] for row in Role._get_collection().find({"permissions": permission}, {"name": 1})]
    grant = {"role": {"$in": roles}, "area": {"$in": areas_above(area)}}
    query: dict[str, Any] = {"active": True, "grants": {"$elemMatch": grant}}
    if ids is not None:
        query["_id"] = {"$in": list(ids)}
    fields = ("name", "user_type", "area", "organisation")
    rows = User._get_collection().find(query, dict.fromkeys(fields, 1)).sort("name", 1).limit(limit)
    return [PersonFacts(id=row["_id"], **{name: row.get(name) for name in fields}) for row in rows]


def organisations_over(area: str, *, limit: int = 100) -> list[OrganisationFacts]:
    """Return the active organisations of an area and of those above it, by name; one round trip."""
    query = {"active": True, "area": {"$in": areas_above(area)}}
    rows = Organisation._get_collection().find(query, {"name": 1, "kind": 1, "area": 1}).sort("name", 1).limit(limit)
    return [OrganisationFacts(id=row["_id"], **{name: row[name] for name in ("name", "kind", "area")}) for row in rows]


def organisations_named(ids: Collection[ObjectId]) -> dict[ObjectId, OrganisationFacts]:
    """Return active organisations by id, in one round trip; others are left out."""
    rows = Organisation._get_collection().find({"_id": {"$in": list(ids)}, "active": True})
    return {
        row["_id"]: OrganisationFacts(id=row["_id"], **{name: row[name] for name in ("name", "kind", "area")})
        for row in rows
    }


def people_named(ids: Collection[ObjectId]) -> dict[ObjectId, str]:
    """Return the names of people by account, those of accounts that are switched off included; one round trip."""
    return {row["_id"]: row["name"] for row in User._get_collection().find({"_id": {"$in": list(ids)}}, {"name": 1})}

"""Whom an order may go to: those whom a person names, and those whom the platform offers, each with its load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    OrganisationFacts,
    PersonFacts,
    Problem,
    area_names,
    areas_above,
    organisations_over,
    people_with,
)
from plugins.dispatch.orders.models import HANDLE, HANDLING, WorkOrder
from plugins.dispatch.routing.choosing import Addressee, Choice, by_role
from plugins.dispatch.routing.models import ROLE_DEPTHS, ROLES

#: A choice that no rule made.
BY_HAND = ""
#: Kinds of organisations that handle orders.
HANDLING_KINDS = ("property_company", "collection_company", "recycling_company", "hazardous_company", "enforcement")


def chosen(area: str, target: Mapping[str, str]) -> Choice | None:
    """Return whom a person named for an order of an area, None for nobody; raises Problem for one that is not there."""
    if id := target.get("handler"):
        people = people_with(HANDLE, area, ids=[ObjectId(id)])
        if not people:
            raise Problem("invalid", fields={"handler": ["此人不能办理该区域的派单。"]})
        return Choice(of_person(people[0], area_names(areas_above(area))), BY_HAND)
    if id := target.get("organisation"):
        found = next((each for each in organisations_over(area, limit=1000) if str(each.id) == id), None)
        if found is None:
            raise Problem("invalid", fields={"organisation": ["没有这个单位，或不在该区域。"]})
        return Choice(of_organisation(found), BY_HAND)
    if role := target.get("role"):
        if len(area.split("/")) < ROLE_DEPTHS[role]:
            raise Problem("invalid", fields={"role": ["派单所在区域没有这个岗位。"]})
        return Choice(by_role(role, area, area_names(areas_above(area))), BY_HAND)
    return None


def of_person(person: PersonFacts, names: Mapping[str, str]) -> Addressee:
    """Return a person as an addressee; he or she counts for the company, or for the area where they belong."""
    if person.organisation is not None:
        unit, unit_name = str(person.organisation), person.name
    else:
        unit, unit_name = f"{person.user_type}@{person.area}", names.get(person.area, person.name)
    return Addressee(
        unit=unit, unit_name=unit_name, name=person.name, person=person.id, organisation=person.organisation
    )


def of_organisation(found: OrganisationFacts) -> Addressee:
    """Return an organisation as an addressee."""
    return Addressee(unit=str(found.id), unit_name=found.name, name=found.name, organisation=found.id)


def candidates(order: WorkOrder) -> list[dict[str, Any]]:
    """Return whom an order may go to, the suggested one first, then who has the least to do; five round trips."""
    area = order.area
    names = area_names(areas_above(area))
    people = people_with(HANDLE, area)
    organisations = [each for each in organisations_over(area) if each.kind in HANDLING_KINDS]
    depth = len(area.split("/"))
    roles = [by_role(role, area, names) for role in ROLES if ROLE_DEPTHS[role] <= depth]
    counted = loads(
        [str(each.id) for each in organisations] + [each.unit for each in roles], [each.id for each in people]
    )
    found = [
        {"kind": "role", "id": each.role, "name": each.name, "title": "岗位", "open_orders": counted.get(each.unit, 0)}
        for each in roles
    ]
    found += [
        {
            "kind": "organisation",
            "id": str(each.id),
            "name": each.name,
            "title": "单位",
            "open_orders": counted.get(str(each.id), 0),
        }
        for each in organisations
    ]
    found += [
        {
            "kind": "handler",
            "id": str(each.id),
            "name": each.name,
            "title": "个人",
            "open_orders": counted.get(each.id, 0),
        }
        for each in people
    ]
    named = {("handler", str(order.handler)), ("role", order.handler_role or "")}
    named.add(("organisation", str(order.handler_organisation) if not order.handler else ""))
    for each in found:
        each["suggested"] = (each["kind"], each["id"]) in named
    return sorted(
        found, key=lambda each: (not each["suggested"], each["kind"] == "handler", each["open_orders"], each["name"])
    )


def loads(units: list[str], people: list[ObjectId]) -> dict[Any, int]:
    """Return how many orders are being handled by each unit and each person, in one round trip."""
    query = {"state": {"$in": list(HANDLING)}, "$or": [{"unit": {"$in": units}}, {"handler": {"$in": people}}]}
    group = {"_id": {"unit": "$unit", "handler": "$handler"}, "count": {"$sum": 1}}
    counts: dict[Any, int] = {}
    for row in WorkOrder._get_collection().aggregate([{"$match": query}, {"$group": group}]):
        for name in (row["_id"].get("unit"), row["_id"].get("handler")):
            if name is not None:
                counts[name] = counts.get(name, 0) + row["count"]
    return counts

"""Who an order goes to: the last rule that fits and names somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from backend.plugin_api import area_names, areas_above, find_place, organisations_named
from plugins.dispatch.routing.models import ROLE_DEPTHS, ROLES, RoutingRule


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """Whom an order is given to: one person, an organisation, or whoever has a role in the area.

    `unit` is what statistics count by, `unit_name` its Chinese name; `name` is what stands on the order.
    """

    unit: str
    unit_name: str
    name: str
    person: ObjectId | None = None
    organisation: ObjectId | None = None
    role: str = ""


@dataclass(frozen=True)
class Choice:
    """An addressee, and the code of the rule that named it."""

    addressee: Addressee
    rule: str


def in_order(rules: Sequence[Mapping[str, Any]], kind: str, area: str, point: str) -> list[Mapping[str, Any]]:
    """Return the rules that fit, the one that wins first."""
    fitting = [
        rule
        for rule in rules
        if (not rule.get("kind") or rule["kind"] == kind)
        and (not rule.get("point") or rule["point"] == point)
        and f"{area}/".startswith(f"{rule['area']}/")
    ]
    return sorted(fitting, key=lambda rule: (rule["rank"], rule["code"]), reverse=True)


def choose(
    rules: Sequence[Mapping[str, Any]],
    kind: str,
    area: str,
    point: str,
    resolve: Callable[[Mapping[str, Any]], Addressee | None],
) -> Choice | None:
    """Return whom the last matching rule names; one whose addressee is not there gives way to the one before."""
    for rule in in_order(rules, kind, area, point):
        if found := resolve(rule):
            return Choice(found, rule["code"])
    return None


def suggest(kind: str, area: str, point: str) -> Choice | None:
    """Return who should handle an order, by the rules of its areas; at most four round trips."""
    rules = list(RoutingRule._get_collection().find({"area": {"$in": areas_above(area)}, "active": True}))
    if not rules:
        rules = [{**rule, "area": area.partition("/")[0]} for rule in DEFAULTS]
    names: dict[str, str] = {}

    def resolve(rule: Mapping[str, Any]) -> Addressee | None:
        if rule["target"] in ROLES:
            names.update(names or area_names(areas_above(area)))
            return by_role(rule["target"], area, names)
        wanted = rule.get("organisation") if rule["target"] == "organisation" else company_of(point)
        return of_organisation(str(wanted)) if wanted else None

    return choose(rules, kind, area, point, resolve)


def company_of(point: str) -> ObjectId | None:
    """Return the company that looks after a point, or None."""
    place = find_place(point) if point else None
    return place.organisation if place else None


def of_organisation(id: str) -> Addressee | None:
    """Return an organisation as an addressee; None when it is not there, or no longer active."""
    found = organisations_named([ObjectId(id)]).get(ObjectId(id)) if ObjectId.is_valid(id) else None
    if found is None:
        return None
    return Addressee(unit=id, unit_name=found.name, name=found.name, organisation=found.id)


def by_role(role: str, area: str, names: Mapping[str, str]) -> Addressee:
    """Return the people of a role who are on duty where the order lies; their unit is the area of their level."""
    unit = "/".join(area.split("/")[: ROLE_DEPTHS[role]])
    name = names.get(unit, unit.rpartition("/")[2])
    return Addressee(unit=f"{role}@{unit}", unit_name=name, name=f"{name} {ROLES[role]}", role=role)


def rule(code: str, name: str, rank: int, target: str, kind: str = "") -> dict[str, Any]:
    """Return a rule that districts begin with."""
    return {"code": code, "name": name, "rank": rank, "target": target, "kind": kind, "point": "", "organisation": ""}


#: What a district begins with.
DEFAULTS = (
    rule("R10", "其余均由社区处置", 10, "community_staff"),
    *(
        rule(f"R2{kind}", f"{kind} 由物业处置", 20, "place_company", kind)
        for kind in ("E01", "E02", "E03", "E07", "E12")
    ),
    *(rule(f"R3{kind}", f"{kind} 由专管员处置", 30, "supervisor", kind) for kind in ("E04", "E05", "E06", "E09")),
    rule("R4E10", "设备离线由街道处置", 40, "street_staff", "E10"),
    *(
        rule(f"R5{kind}", f"{kind} 由执法人员处置", 50, "enforcement_officer", kind)
        for kind in ("E11", "V01", "V02", "V03", "V04", "V05", "V06")
    ),
)

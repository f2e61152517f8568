"""What a person may see and change: the one place that says so.

Reads are narrowed by `scope_filter`, writes are checked by `require`; both come from `reach`, so they agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bson import ObjectId

from backend.identity.errors import Forbidden, ModuleOff
from backend.identity.permissions import module_of
from backend.identity.principal import Principal
from backend.identity.spans import (
    END,
    EVERYWHERE,
    Spans,
    contains,
    difference,
    includes,
    intersection,
    subtree,
    union,
)
from backend.identity.vocabulary import PLATFORM

#: A filter that matches no record, on an index.
NOTHING: dict[str, Any] = {"_id": {"$in": []}}


@dataclass(frozen=True)
class Reach:
    """Where a permission holds: for every record in `anyone`, and for the records of one organisation in `only[it]`."""

    anyone: Spans = ()
    only: Mapping[ObjectId, Spans] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.anyone or self.only)

    def holds(self, area: str, organisation: ObjectId | None = None) -> bool:
        """Tell whether a record of this area and organisation lies inside."""
        if contains(self.anyone, area):
            return True
        return organisation is not None and contains(self.only.get(organisation, ()), area)


def scope_filter(
    principal: Principal,
    permission: str,
    *,
    within: str = "",
    organisation_field: str | None = None,
    area_field: str = "area",
) -> dict[str, Any]:
    """Return the Mongo filter of the records that the person may treat with `permission`, in the area `within`.

    `organisation_field` names the field that holds a record's organisation; without it, grants that are bound to an
    organisation give nothing. May contain `$or`: join it with other conditions by `$and`.
    """
    reached = reach(principal, permission, within)
    if reached.anyone == EVERYWHERE:
        return {}
    parts = _ranges(area_field, reached.anyone)
    if organisation_field:
        for organisation, spans in reached.only.items():
            parts += [{organisation_field: organisation, **part} for part in _ranges(area_field, spans)]
    if not parts:
        return dict(NOTHING)
    return parts[0] if len(parts) == 1 else {"$or": parts}


def area_filter(area: str, area_field: str = "area") -> dict[str, Any]:
    """Return the Mongo filter of what lies in `area` and below; the empty area is everything."""
    [part] = _ranges(area_field, subtree(area))
    return part


def require(principal: Principal, permission: str, area: str, organisation: ObjectId | None = None) -> None:
    """Raise unless the person may treat a record of this area and organisation with `permission`.

    Passes exactly for the records that `scope_filter` matches. Raises Forbidden, or ModuleOff where only the module's
    being switched off stands against it.
    """
    if not reach(principal, permission).holds(area, organisation):
        raise ModuleOff if _held(principal, permission).holds(area, organisation) else Forbidden


def permitted(principal: Principal, permission: str, area: str | None = None) -> bool:
    """Tell whether the person may use `permission` anywhere, or for the records of an area whoever they belong to."""
    reached = reach(principal, permission)
    return bool(reached) if area is None else contains(reached.anyone, area)


def require_anywhere(principal: Principal, permission: str) -> None:
    """Raise unless the person may use `permission` somewhere: Forbidden, or ModuleOff."""
    if not permitted(principal, permission):
        raise ModuleOff if _held(principal, permission) else Forbidden


def may_hand_on(
    principal: Principal, permissions: Iterable[str], area: str, organisation: ObjectId | None = None
) -> bool:
    """Tell whether the person holds all of `permissions` in the whole of `area`, so that he may grant them there.

    Switched-off modules count as held: switching one off takes nothing from anyone's grants.
    """
    whole = subtree(area)
    for permission in permissions:
        held = _held(principal, permission)
        own = held.only.get(organisation, ()) if organisation else ()
        if not includes(union(held.anyone, own), whole):
            return False
    return True


def module_is_on(switches: Mapping[str, bool], area: str) -> bool:
    """Tell whether a module with these switches is on in `area`."""
    return not contains(_switched_off(switches), area)


def reach(principal: Principal, permission: str, within: str = "") -> Reach:
    """Return where the person may use `permission`: the grants, less the areas where its module is switched off."""
    module = module_of(permission)
    off = () if module == PLATFORM else _switched_off(principal.switches.get(module, {}))
    held, frame = _held(principal, permission), subtree(within)

    def usable(spans: Spans) -> Spans:
        return intersection(difference(spans, off), frame)

    anyone = usable(held.anyone)
    only = {organisation: difference(usable(spans), anyone) for organisation, spans in held.only.items()}
    return Reach(anyone, {organisation: spans for organisation, spans in only.items() if spans})


def _held(principal: Principal, permission: str) -> Reach:
    spans: dict[ObjectId | None, Spans] = {}
    for grant in principal.grants:
        if permission in grant.permissions:
            spans[grant.organisation] = union(spans.get(grant.organisation, ()), subtree(grant.area))
    return Reach(spans.get(None, ()), {key: value for key, value in spans.items() if key is not None})


def _switched_off(switches: Mapping[str, bool]) -> Spans:
    off: Spans = ()
    for area in sorted(switches):  # an area sorts before all below it, so the nearest switch is applied last
        off = difference(off, subtree(area)) if switches[area] else union(off, subtree(area))
    return off


def _ranges(area_field: str, spans: Spans) -> list[dict[str, Any]]:
    if spans == EVERYWHERE:
        return [{}]
    return [{area_field: {"$gte": low} | ({"$lt": high} if high != END else {})} for low, high in spans]

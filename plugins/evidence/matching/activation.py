"""Switching face comparison on and off, area by area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, atomically, audit, current_actor, require, utcnow
from plugins.evidence.custody import note
from plugins.evidence.matching.models import Activation, Template

#: From this many stored faces on the law asks for a filing with the province's authority within 30 working days
#: (人脸识别技术应用安全管理办法, in force since 2025-06-01): not one more is stored without it.
MOST_TEMPLATES = 100_000
MATCHING = "evidence:matching"


def switch_on(by: Principal, area: str, told: dict[str, Any]) -> Activation:
    """Allow comparison in an area; raises Problem when it is on there or above already, or ends before it begins."""
    require(by, MATCHING, area)
    if told["expires_at"] <= utcnow():
        raise Problem("invalid", fields={"expires_at": ["到期时间须晚于现在。"]})
    if activation_of(area) is not None:
        raise Problem("matching_on")
    activation = Activation(area=area, by=str(by.id), name=by.name, **told)

    def write() -> None:
        activation.save(force_insert=True)
        tell("matching_on", activation, {"assessment_number": activation.assessment_number})

    atomically(write)
    return activation


def switch_off(activation: Activation) -> None:
    """Forbid comparison again; the templates go at once, in the same transaction."""

    def write() -> None:
        now, by = utcnow(), current_actor().id
        query = {"_id": activation.id, "ended_at": None}
        ended = {"$set": {"ended_at": now, "ended_by": by}, "$inc": {"version": 1}}
        if not Activation._get_collection().update_one(query, ended).modified_count:
            return
        gone = Template._get_collection().delete_many({"activation": activation.id}).deleted_count
        tell("matching_off", activation, {"templates": gone})

    atomically(write)


def end_expired() -> None:
    """Switch off what has expired."""
    for activation in Activation.objects(ended_at=None, expires_at__lte=utcnow()):
        switch_off(activation)


def activation_of(area: str, at: datetime | None = None) -> Activation | None:
    """Return what allows comparison at a place now, of the place itself or of an area that holds it."""
    parts = area.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    found: Activation | None = Activation.objects(area__in=above, ended_at=None, expires_at__gt=at or utcnow()).first()
    return found


def tell(kind: str, activation: Activation, detail: dict[str, Any]) -> None:
    """Write the switch into the ledger and the audit trail."""
    where = {"subject": "evidence.face_matching", "subject_id": str(activation.id), "area": activation.area}
    note(kind, detail=detail, **where)
    audit.record(
        "evidence.face_matching.switch_on" if kind == "matching_on" else "evidence.face_matching.switch_off",
        detail=detail,
        **where,
    )


def find_activation(scope: dict[str, Any], activation_id: ObjectId) -> Activation:
    """Return an activation inside a scope; raises Problem `not_found`."""
    found: Activation | None = Activation.objects(__raw__={"$and": [{"_id": activation_id}, scope]}).first()
    if found is None:
        raise Problem("not_found")
    return found

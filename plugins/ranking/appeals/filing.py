"""File an appeal against a deduction, and take it back."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    Principal,
    Problem,
    Recipients,
    atomically,
    audit,
    current_actor,
    require,
    utcnow,
)
from plugins.ranking.appeals.models import APPEAL_FLOW, Appeal
from plugins.ranking.appeals.telling import audited, tell
from plugins.ranking.ledger.limits import DECISION_DAYS, working_days
from plugins.ranking.ledger.models import Charge
from plugins.ranking.ledger.photos import keep
from plugins.ranking.points import APPEAL


def file_appeal(by: Principal, charge: Charge, reason: str, photos: Sequence[bytes]) -> Appeal:
    """Appeal against a charge, once; the same person saying the same again gets the same appeal.

    Raises Forbidden, Problem `nothing_to_appeal`, `appeal_exists`, `appeal_too_late`, and for unreadable photos.
    """
    require(by, APPEAL, charge.area, charge.organisation)
    if known := Appeal.objects(id=charge.id).first():
        if known.filed_by == str(by.id) and known.reason == reason:
            return known
        raise Problem("appeal_exists")
    check(charge)
    now = utcnow()
    copied = {name: charge[name] for name in ("area", "compound", "organisation", "rule", "title", "number")}
    appeal = Appeal(
        id=charge.id,
        **copied,
        points=charge.net,
        reason=reason,
        photos=keep(photos, charge.area),
        filed_by=str(by.id),
        filed_name=by.name,
        filed_at=now,
    )
    due_at = working_days(charge.area, now, DECISION_DAYS)
    APPEAL_FLOW.begin(appeal, actor=current_actor(), note=reason, at=now, due_at=due_at)
    appeal.validate()
    row = appeal.to_mongo().to_dict()

    def write() -> Appeal:
        standing = {"_id": charge.id, "state": "standing", "net": charge.net, "appeal": ""}
        changes = {"$set": {"appeal": "filed", "updated_at": now}, "$inc": {"version": 1}}
        if not Charge._get_collection().update_one(standing, changes).modified_count:
            raise Problem("conflict")
        Appeal._get_collection().insert_one(dict(row))
        audit.record("ranking.appeal.file", **audited(appeal), detail={"number": appeal.number, "reason": reason})
        tell(appeal, "filed", Recipients(role="street_staff", area=appeal.area))
        return appeal

    try:
        return atomically(write)
    except DuplicateKeyError:
        raise Problem("appeal_exists") from None


def check(charge: Charge) -> None:
    """Raise Problem unless there is a deduction to appeal against, and time for it."""
    if charge.state != "standing" or charge.net >= 0:
        raise Problem("nothing_to_appeal")
    if utcnow() > charge.appeal_by:
        raise Problem("appeal_too_late")


def withdraw(by: Principal, appeal: Appeal) -> Appeal:
    """Take an appeal back; the deduction stands. Raises Forbidden, IllegalTransition once it is decided."""
    require(by, APPEAL, appeal.area, appeal.organisation)

    def write() -> Appeal:
        after = APPEAL_FLOW.fire(appeal, "withdraw", actor=current_actor())
        mark(after)
        audit.record("ranking.appeal.withdraw", **audited(appeal), detail={"number": appeal.number})
        return after

    return atomically(write)


def mark(appeal: Appeal) -> None:
    """Let a charge say how its appeal stands, in the current transaction."""
    changes = {"$set": {"appeal": appeal.state, "updated_at": utcnow()}, "$inc": {"version": 1}}
    Charge._get_collection().update_one({"_id": appeal.id}, changes)

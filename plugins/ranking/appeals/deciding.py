"""Decide appeals: by somebody who neither gave the points nor filed the appeal (四眼)."""

from __future__ import annotations

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
from plugins.ranking.appeals.filing import mark
from plugins.ranking.appeals.models import APPEAL_FLOW, Appeal
from plugins.ranking.appeals.telling import audited, tell
from plugins.ranking.ledger.entering import close
from plugins.ranking.ledger.models import Charge
from plugins.ranking.points import DECIDE
from plugins.ranking.rules.triggers import SOURCES


def decide(by: Principal, appeal: Appeal, verb: str, reason: str) -> Appeal:
    """Uphold or refuse an appeal and return it; one that is upheld books the opposite in the same transaction.

    Raises Forbidden, IllegalTransition once it is decided, StaleVersion when somebody was faster, and Problem
    `own_decision` for whoever gave the points or filed the appeal.
    """
    require(by, DECIDE, appeal.area)
    charge = Charge.objects.get(id=appeal.id)
    if str(by.id) in involved(charge, appeal):
        raise Problem("own_decision")
    now = utcnow()
    decided = {"decision": reason, "decided_by": str(by.id), "decided_name": by.name, "decided_at": now}

    def write() -> Appeal:
        after = APPEAL_FLOW.fire(appeal, verb, actor=current_actor(), note=reason, changes=decided, at=now)
        mark(after)
        if after.state == "upheld":
            close(charge.id, f"申诉成立：{reason}")
        detail = {"number": appeal.number, "state": after.state, "reason": reason}
        audit.record("ranking.appeal.decide", **audited(appeal), detail=detail)
        tell(after, "decided", *readers(after))
        return after

    return atomically(write)


def readers(appeal: Appeal) -> tuple[Recipients, ...]:
    """Return who is told of a decision: whoever filed the appeal, and the company."""
    filer = Recipients(accounts=(appeal.filed_by,))
    return (filer, Recipients(organisation=str(appeal.organisation))) if appeal.organisation else (filer,)


def involved(charge: Charge, appeal: Appeal) -> set[str]:
    """Return the accounts of those who gave the points, as far as the trail of the evidence names them, or appealed."""
    source = SOURCES[charge.source]
    judged = audit.history(source.subject, charge.source_id) if source.subject else []
    judges = {each.actor.id for each in judged if each.detail.get("verb") in source.verbs}
    return judges | {appeal.filed_by} | ({charge.given_by} if charge.given_by else set())

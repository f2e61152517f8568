"""Legal holds (证据保全): while there is one on a case nothing of it is deleted."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, atomically, audit, utcnow
from plugins.evidence.cases.models import Case
from plugins.evidence.custody import note


def place(case: Case, by: Principal, reason: str) -> dict[str, Any]:
    """Put a hold on the case and return it; raises Problem `stale_version`, or `evidence_deleted`: too late."""
    hold = {"id": str(ObjectId()), "by": str(by.id), "name": by.name, "at": utcnow(), "reason": reason}

    def write() -> None:
        change(case, {"$push": {"holds": hold}})
        tell(case, "held", hold, reason)

    atomically(write)
    return hold


def release(case: Case, hold_id: str, reason: str) -> None:
    """Take a hold off the case; raises Problem `not_found` or `stale_version`."""
    hold = next((each for each in case.holds if each["id"] == hold_id), None)
    if hold is None:
        raise Problem("not_found")

    def write() -> None:
        change(case, {"$pull": {"holds": {"id": hold_id}}})
        tell(case, "released", hold, reason)

    atomically(write)


def change(case: Case, update: dict[str, Any]) -> None:
    """Write if nobody has changed the case and its deletion has not begun."""
    cases = Case._get_collection()
    unchanged = {"_id": case.id, "version": case.version, "shredding_at": None}
    if not cases.update_one(unchanged, {**update, "$inc": {"version": 1}}).modified_count:
        raise Problem("evidence_deleted" if cases.find_one({"_id": case.id})["shredding_at"] else "stale_version")


def tell(case: Case, kind: str, hold: dict[str, Any], reason: str) -> None:
    """Write the step into the ledger and the audit trail."""
    told = {"hold": hold["id"], "reason": reason}
    note(kind, area=case.area, subject="evidence.case", subject_id=str(case.id), case=str(case.id), detail=told)
    audit.record(
        "evidence.case.hold" if kind == "held" else "evidence.case.release",
        subject="evidence.case",
        subject_id=str(case.id),
        area=case.area,
        detail=told,
    )

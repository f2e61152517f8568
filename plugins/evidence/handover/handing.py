"""Hand a case over: decide that it may go, let the package be fetched, and keep the receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    BlobShredded,
    Principal,
    Problem,
    atomically,
    audit,
    current_actor,
    district_of,
    open_blob,
    permitted,
    publish,
    require,
    scope_filter,
    utcnow,
)
from plugins.evidence.captures.models import VIOLATIONS
from plugins.evidence.cases.bundling import captures_of
from plugins.evidence.cases.legal import lacking
from plugins.evidence.cases.models import CASE_FLOW, Case
from plugins.evidence.cases.steps import move
from plugins.evidence.custody import note
from plugins.evidence.handover.models import HAND_OVER_FLOW, HAND_OVER_KINDS, HandOver, Receipt
from plugins.evidence.handover.package import canonical

HAND_OVER, RECEIVE, VIEW = "evidence:hand_over", "evidence:receive", "evidence:view"


def hand_over(by: Principal, case: Case, kind: str, purpose: str, recipient: str) -> HandOver:
    """Hand a confirmed case over, as it was read; its package is made in the background.

    Raises Problem `conflict` from any other state and `not_penalty_evidence` for what cannot be that, with what is
    missing; StaleVersion when somebody else was faster.
    """
    require(by, HAND_OVER, case.area)
    if case.state != "confirmed":
        raise Problem("conflict", detail=f"案件状态为“{CASE_FLOW.states[case.state]}”，只有已确认的案件可以移送。")
    missing = missing_for_penalty(case)
    if kind == "penalty" and missing:
        raise Problem("not_penalty_evidence", fields={"kind": missing})
    now = utcnow()
    record = HandOver(
        area=case.area,
        case=case.id,
        case_number=case.number,
        violation=case.violation,
        kind=kind,
        missing=missing if kind == "lead" else [],
        purpose=purpose,
        recipient=recipient,
        made_by=str(by.id),
        made_by_name=by.name,
        made_at=now,
    )
    HAND_OVER_FLOW.begin(record, actor=current_actor(), note=purpose, at=now)

    def write() -> HandOver:
        move(case, "hand_over", note=purpose, at=now)
        record.save(force_insert=True)
        detail = {"number": case.number, "kind": kind, "recipient": recipient}
        note("handed_over", **where(record), purpose=purpose, detail=detail)
        audit.record(
            "evidence.hand_over.begin",
            **audited(record),
            detail={"kind": kind, "recipient": recipient, "purpose": purpose},
        )
        told = {"case": str(case.id), "number": case.number, "kind": kind, "hand_over": str(record.id)}
        publish("evidence.case_handed_over", told, area=case.area)
        publish("evidence.package_wanted", {"hand_over": str(record.id)}, area=case.area)
        return record

    return atomically(write)


def missing_for_penalty(case: Case) -> list[str]:
    """Return what a case lacks to be penalty evidence, as Chinese sentences: two people's decision, legal records."""
    proposed = [each.by for each in case.decisions if each.verb == "propose_penalty"]
    signed = [each.by for each in case.decisions if each.verb == "countersign"]
    missing = []
    if not case.penalty or not proposed or not signed or proposed[-1] == signed[-1]:
        missing.append("缺两人复核：处罚建议须由另一人会签。")
    for sentences in lacking(captures_of(case)).values():
        missing += sentences
    return missing


def again(record: HandOver) -> HandOver:
    """Ask once more for a package that could not be made."""

    def write() -> HandOver:
        after = HAND_OVER_FLOW.fire(record, "retry", actor=current_actor())
        audit.record("evidence.hand_over.retry", **audited(record))
        publish("evidence.package_wanted", {"hand_over": str(record.id)}, area=record.area)
        return after

    return atomically(write)


def fetch(by: Principal, record: HandOver, purpose: str) -> tuple[HandOver, Iterator[bytes]]:
    """Return the package in chunks; the look is recorded before the first one is given out.

    Raises Problem `purpose_required`, and `package_not_ready` before it is made.
    """
    if not purpose.strip():
        raise Problem("purpose_required")
    if record.package is None:
        raise Problem("package_not_ready")
    try:
        content = open_blob(record.package.sha256, space=district_of(record.area))
    except BlobShredded as error:
        raise Problem("evidence_deleted") from error

    def write() -> HandOver:
        note("downloaded", **where(record), sha256=record.package.sha256, purpose=purpose.strip())
        audit.record("evidence.hand_over.reveal", **audited(record), detail={"purpose": purpose.strip()})
        if record.state == "made" and permitted(by, RECEIVE, record.area):
            return HAND_OVER_FLOW.fire(record, "fetch", actor=current_actor(), note=purpose.strip())
        return record

    return atomically(write), content


def receive(by: Principal, record: HandOver, unit: str, remark: str) -> HandOver:
    """Confirm the receipt of a package, as the record was read; raises Problem `package_not_ready` or `conflict`."""
    require(by, RECEIVE, record.area)
    if record.package is None:
        raise Problem("package_not_ready")
    if record.state == "received":
        raise Problem("conflict", detail="此案件已签收。")
    now = utcnow()
    receipt = Receipt(unit=unit, by=str(by.id), name=by.name, at=now, note=remark or None)
    receipt.hash = hashlib.sha256(receipt_bytes(record, receipt)).hexdigest()

    def write() -> HandOver:
        after = HAND_OVER_FLOW.fire(
            record, "receive", actor=current_actor(), note=remark, changes={"receipt": receipt}, at=now
        )
        case = Case.objects.get(id=record.case)
        move(case, "receive", note=remark, at=now)
        note("receipted", **where(record), sha256=receipt.hash, detail={"unit": unit, "package": record.package.sha256})
        audit.record("evidence.hand_over.receive", **audited(record), detail={"unit": unit, "receipt": receipt.hash})
        told = {"case": str(record.case), "number": record.case_number, "hand_over": str(record.id)}
        publish("evidence.case_received", told, area=record.area)
        return after

    return atomically(write)


def receipt_bytes(record: HandOver, receipt: Receipt) -> bytes:
    """Return what is hashed of a receipt: canonical JSON of who took which package over, when and for which unit."""
    return canonical(
        {
            "hand_over": str(record.id),
            "case": record.case_number,
            "package": record.package.sha256,
            "unit": receipt.unit,
            "by": receipt.by,
            "name": receipt.name,
            "at": round(receipt.at.timestamp() * 1000),
            "note": receipt.note or "",
        }
    )


def where(record: HandOver) -> Any:
    """Return how the ledger names a hand-over."""
    about = {"subject": "evidence.hand_over", "subject_id": str(record.id)}
    return {"area": record.area, "case": str(record.case), **about}


def audited(record: HandOver) -> Any:
    """Return how the audit trail names a hand-over."""
    return {"subject": "evidence.hand_over", "subject_id": str(record.id), "area": record.area}


def hand_over_of(by: Principal, record_id: ObjectId, *permissions: str) -> HandOver:
    """Return a hand-over where the person holds one of the permissions; raises Problem `not_found` for any other."""
    scopes = [scope_filter(by, permission) for permission in permissions]
    record = HandOver.objects(__raw__={"$and": [{"_id": record_id}, {"$or": scopes}]}).first()
    if record is None:
        raise Problem("not_found")
    return record


def summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a hand-over as people see it."""
    names = ("area", "case_number", "violation", "kind", "purpose", "recipient", "made_by_name", "made_at", "state")
    failed = [entry for entry in row.get("timeline", ()) if entry["verb"] == "fail"]
    return {
        **{name: row[name] for name in names},
        "id": str(row["_id"]),
        "etag": f"{row['_id']}-{row['version']}",
        "case": str(row["case"]),
        "kind_title": HAND_OVER_KINDS[row["kind"]],
        "violation_title": VIOLATIONS[row["violation"]],
        "state_title": HAND_OVER_FLOW.states[row["state"]],
        "missing": row.get("missing", []),
        "package": row.get("package"),
        "receipt": row.get("receipt"),
        "failure": failed[-1]["note"] if failed and row["state"] == "failed" else None,
    }

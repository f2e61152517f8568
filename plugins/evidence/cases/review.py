"""Judge cases: one person reviews, a second one countersigns what leads to a penalty (四眼)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    IllegalTransition,
    Principal,
    Problem,
    Transition,
    atomically,
    audit,
    district_of,
    mark_dirty,
    publish,
    require,
    utcnow,
)
from plugins.evidence.captures.models import Exhibit
from plugins.evidence.cases.bundling import (
    METRIC,
    assign,
    captures_of,
    changed,
    make_sure,
    open_case,
    series_of,
    span_with,
)
from plugins.evidence.cases.legal import lacking, needs_visit
from plugins.evidence.cases.models import CASE_FLOW, Case, CaseSeries, Decision
from plugins.evidence.cases.steps import move
from plugins.evidence.custody import note
from plugins.evidence.retention.rules import classified

#: The verbs that a person decides with; the other steps of a case have addresses of their own.
VERBS = ("confirm", "propose_penalty", "countersign", "send_back", "reject", "reopen")
WITH_REASON = ("send_back", "reject", "reopen", "merge", "split")
#: What is told of a decision; the verbs that are missing here are steps on the way to one.
TOLD = {
    "confirm": "evidence.case_confirmed",
    "countersign": "evidence.case_confirmed",
    "reject": "evidence.case_rejected",
    "reopen": "evidence.case_reopened",
}


def decide(by: Principal, case: Case, verb: str, reason: str = "", site_visit: str = "") -> Case:
    """Take a decision on a case as it was read and return the case as it is then.

    Raises Forbidden without the step's permission, IllegalTransition from another state, StaleVersion when somebody
    else was faster, and Problem: `reason_required`, `same_person`, `legal_record_incomplete`, `site_visit_required`.
    """
    step = step_of(case, verb)
    require(by, step.permission, case.area)
    check_reason(verb, reason)
    if case.state == "countersigning" and proposer(case) == str(by.id):
        raise Problem("same_person")
    if verb == "propose_penalty":
        check_penalty(case, reason, site_visit)
    now = utcnow()
    penalty = verb in ("propose_penalty", "countersign")
    decision = judgement(by, verb, now, reason, site_visit)
    changes: dict[str, Any] = {"decisions": [*case.decisions, decision], "penalty": penalty}
    changes |= classified(step.target, penalty=penalty, at=now)

    def write() -> Case:
        after = move(case, verb, note=reason, changes=changes, at=now)
        witness(after, verb, decision, {"penalty": penalty})
        if verb in TOLD:
            told = {"case": str(case.id), "number": case.number, "violation": case.violation, "penalty": penalty}
            publish(TOLD[verb], {**told, "captures": [str(each) for each in case.captures]}, area=case.area)
        mark_dirty(METRIC, case.area, case.created_at)
        return after

    return atomically(write)


def choose_subject(by: Principal, case: Case, face: ObjectId | None, waste: ObjectId | None) -> Case:
    """Say which face is that of the person whom the case is about, and which object was thrown; None takes it back.

    Raises Problem `invalid` for an exhibit of another case or kind, `conflict` once the case is decided.
    """
    require(by, "evidence:review", case.area)
    if case.state != "waiting":
        raise Problem("conflict", detail="案件已不在待复核状态，不能再选择当事人。")
    chosen = {"face": check_exhibit(case, "face", face), "waste": check_exhibit(case, "object", waste)}
    detail = {"verb": "choose_subject", **{name: each["sha256"] for name, each in chosen.items() if each}}

    def write() -> Case:
        after = changed(case, {"subject": face, "waste": waste}, "choose_subject", "")
        note("decided", **where(case), detail={"number": case.number, **detail})
        audit.record("evidence.case.choose_subject", **audited(case), detail=detail)
        told = {"case": str(case.id), "subject": str(face) if face else "", "waste": str(waste) if waste else ""}
        publish("evidence.subject_chosen", told, area=case.area)
        return after

    return atomically(write)


def merge(by: Principal, case: Case, into: Case, reason: str) -> Case:
    """Move the captures of a waiting case into another waiting one and return that; the first keeps its number."""
    for each in (case, into):
        require(by, "evidence:review", each.area)
        must_wait(each)
    check_reason("merge", reason)
    if case.id == into.id or district_of(case.area) != district_of(into.area):
        raise Problem("invalid", fields={"into": ["须为同一区县的另一个案件。"]})
    now = utcnow()
    captures = captures_of(case)
    decision = judgement(by, "merge", now, reason)

    def write() -> Case:
        emptied = {"merged_into": into.id, "captures": [], "decisions": [*case.decisions, decision]}
        emptied |= {"subject": None, "waste": None}
        move(case, "merge", note=f"并入 {into.number}：{reason}", changes=emptied, at=now)
        why = f"{case.number} 并入：{reason}"
        after = changed(into, span_with([*captures_of(into), *captures]), "merge", why, now)
        assign(captures, into.id)
        witness(case, "merge", decision, {"into": into.number})
        note("bundled", **where(into), detail={"number": into.number, "from": case.number})
        mark_dirty(METRIC, case.area, case.created_at)
        return after

    return atomically(write)


def split(by: Principal, case: Case, chosen: Sequence[ObjectId], reason: str) -> Case:
    """Move some of a waiting case's captures into a new case and return that; some have to stay."""
    require(by, "evidence:review", case.area)
    must_wait(case)
    check_reason("split", reason)
    captures = captures_of(case)
    going = [each for each in captures if each.id in set(chosen)]
    staying = [each for each in captures if each.id not in set(chosen)]
    if not going or not staying or len(going) != len(set(chosen)):
        raise Problem("invalid", fields={"captures": ["须为本案的取证记录，且至少留下一条。"]})
    gone = {each.id for each in going}

    def write() -> Case:
        make_sure(CaseSeries, series_of(case.area), last=0)
        left = {**span_with(staying), **without_exhibits_of(case, gone)}
        changed(case, left, "split", reason)
        new = open_case(going, f"由 {case.number} 拆分：{reason}")
        detail = {"number": case.number, "into": new.number, "captures": [str(each.id) for each in going]}
        note("split", **where(case), detail=detail)
        audit.record("evidence.case.split", **audited(case), detail={**detail, "reason": reason})
        return new

    return atomically(write)


def step_of(case: Case, verb: str) -> Transition:
    """Return the step that a verb means for a case; raises IllegalTransition."""
    for step in CASE_FLOW.transitions:
        if step.verb == verb and case.state in step.sources:
            return step
    raise IllegalTransition(CASE_FLOW.name, case.state, verb)


def proposer(case: Case) -> str:
    """Return the account of the person who proposed the penalty that waits for its second pair of eyes."""
    return next((each.by for each in reversed(case.decisions) if each.verb == "propose_penalty"), "")


def check_reason(verb: str, reason: str) -> None:
    """Raise Problem unless a decision that needs a reason has one."""
    if verb in WITH_REASON and not reason:
        raise Problem("reason_required", fields={"reason": ["请填写原因。"]})


def check_penalty(case: Case, reason: str, site_visit: str) -> None:
    """Raise Problem unless a penalty may rest on this case."""
    captures = captures_of(case)
    if missing := lacking(captures):
        sentences = "".join(sentence for each in missing.values() for sentence in each)
        raise Problem(
            "legal_record_incomplete", detail=f"取证设备的法定资料不全，只能作为线索：{sentences}", fields=missing
        )
    if needs_visit(captures) and not site_visit:
        raise Problem("site_visit_required", fields={"site_visit": ["请填写现场核实情况。"]})
    if case.subject is None and not reason:
        raise Problem("reason_required", fields={"reason": ["未选定当事人，请说明理由。"]})


def check_exhibit(case: Case, kind: str, exhibit: ObjectId | None) -> dict[str, Any] | None:
    """Return an exhibit of the case; raises Problem when it is none, or shows something else."""
    if exhibit is None:
        return None
    field = "face" if kind == "face" else "waste"
    found = Exhibit._get_collection().find_one({"_id": exhibit, "kind": kind, "capture": {"$in": case.captures}})
    if found is None:
        raise Problem("invalid", fields={field: ["须为本案中的这类证据。"]})
    return found


def without_exhibits_of(case: Case, captures: set[ObjectId]) -> dict[str, Any]:
    """Return what takes subject and waste back that went away with their captures."""
    query = {"_id": {"$in": [case.subject, case.waste]}, "capture": {"$in": list(captures)}}
    gone = {row["_id"] for row in Exhibit._get_collection().find(query, {"_id": 1})}
    return {name: None for name in ("subject", "waste") if getattr(case, name) in gone}


def must_wait(case: Case) -> None:
    """Raise Problem unless the case waits for its review."""
    if case.state != "waiting":
        raise Problem("conflict", detail=f"案件 {case.number} 已不在待复核状态。")


def judgement(by: Principal, verb: str, at: datetime, reason: str, site_visit: str = "") -> Decision:
    """Return a decision as the case keeps it."""
    return Decision(verb=verb, by=str(by.id), name=by.name, at=at, reason=reason, site_visit=site_visit)


def witness(case: Case, verb: str, decision: Decision, facts: dict[str, Any]) -> None:
    """Write a decision into ledger and audit trail, in the current transaction.

    The reason may name people, and the ledger can never be cut: there it stands as the hash of the whole decision,
    so that a reason which is changed later is found.
    """
    detail = {"verb": verb, "number": case.number, **facts}
    kind = "countersigned" if verb == "countersign" else "decided"
    note(kind, **where(case), detail={**detail, "decision_sha256": digest(decision)})
    audit.record("evidence.case.decide", **audited(case), detail={**detail, "reason": decision.reason})


def digest(decision: Decision) -> str:
    """Return the SHA-256, in hex, of a decision: JSON with sorted keys, the time in whole milliseconds."""
    told = {name: decision[name] or "" for name in ("verb", "by", "name", "reason", "site_visit")}
    told["at"] = round(decision.at.timestamp() * 1000)
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def where(case: Case) -> dict[str, str]:
    """Return how the ledger names a case."""
    return {"area": case.area, "subject": "evidence.case", "subject_id": str(case.id), "case": str(case.id)}


def audited(case: Case) -> dict[str, str]:
    """Return how the audit trail names a case."""
    return {"area": case.area, "subject": "evidence.case", "subject_id": str(case.id)}

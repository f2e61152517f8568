"""What reviewers do with a defence: read it, see who can be called, answer it."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.plugin_api import Principal, Problem, atomically, audit, etag_of, mask, publish, require, utcnow
from plugins.evidence.cases.models import REVIEW, Case
from plugins.evidence.cases.reading import case_of
from plugins.evidence.cases.review import decide
from plugins.evidence.concerned.models import Defence, DefencePhoto
from plugins.evidence.custody import note

CASES = "/api/v1/evidence/cases"


def defences_of(by: Principal, case_id: ObjectId) -> list[Defence]:
    """Return what was stated in a case, the first first; raises Problem `not_found` outside the person's area."""
    case = case_of(by, case_id, REVIEW)
    return list(Defence.objects(case=case.id).order_by("filed_at"))


def defence_of(by: Principal, case_id: ObjectId, defence_id: ObjectId) -> Defence:
    """Return one defence of a case that the person may review; raises Problem `not_found` for any other."""
    case = case_of(by, case_id, REVIEW)
    defence = Defence.objects(id=defence_id, case=case.id).first()
    if defence is None:
        raise Problem("not_found")
    return defence


def defence_view(defence: Defence) -> dict[str, Any]:
    """Return a defence as reviewers see it: its text, and the phone masked."""
    here = f"{CASES}/{defence.case}/defences/{defence.id}"
    return {
        "id": str(defence.id),
        "etag": etag_of(defence).strip('"'),
        "text": defence.text,
        "phone": mask("phone", defence.phone),
        "photos": [
            {"sha256": each.sha256, "size": each.size, "picture": f"{here}/photos/{number}"}
            for number, each in enumerate(defence.photos)
        ],
        "filed_at": defence.filed_at,
        "answer": defence.answer,
        "upheld": defence.upheld,
        "answered_at": defence.answered_at,
        "answered_name": defence.answered_name,
    }


def reveal_phone(by: Principal, defence: Defence, purpose: str) -> str:
    """Return the phone in the clear; who looked and why goes into ledger and audit trail.

    Raises Problem `purpose_required` without a purpose, `not_found` when none was given.
    """
    require(by, REVIEW, defence.area)
    if not purpose.strip():
        raise Problem("purpose_required")
    if not defence.phone:
        raise Problem("not_found")

    def write() -> None:
        note("revealed", **_of(defence), purpose=purpose.strip(), detail={"fields": ["phone"]})
        audit.record("evidence.defence.reveal", **_audited(defence), detail={"fields": ["phone"], "purpose": purpose})

    atomically(write)
    return str(defence.phone)


def open_photo(by: Principal, defence: Defence, number: int) -> DefencePhoto:
    """Return one photo of a defence; the look goes into the ledger. Raises Problem `not_found`."""
    require(by, REVIEW, defence.area)
    if number >= len(defence.photos):
        raise Problem("not_found")
    photo: DefencePhoto = defence.photos[number]
    atomically(lambda: note("viewed", **_of(defence), sha256=photo.sha256, detail={"photo": number}))
    return photo


def answer(by: Principal, defence: Defence, text: str, upheld: bool) -> Defence:
    """Answer a defence, once; one that is upheld takes a confirmed case back to review.

    Raises Forbidden, Problem `conflict` when it was answered already, `stale_version` when somebody is faster.
    """
    require(by, REVIEW, defence.area)
    if defence.answered_at:
        raise Problem("conflict", detail="这份陈述申辩已经答复。")
    seen = defence.version
    defence.answer, defence.upheld = text, upheld
    defence.answered_at = defence.updated_at = utcnow()
    defence.answered_by, defence.answered_name = str(by.id), by.name
    defence.version = seen + 1
    defence.validate()
    row = defence.to_mongo()

    def write() -> None:
        names = ("answer", "upheld", "answered_at", "answered_by", "answered_name", "updated_at", "version")
        unchanged = {"_id": defence.id, "version": seen}
        update = {"$set": {name: row[name] for name in names}}
        if not Defence._get_collection().update_one(unchanged, update).modified_count:
            raise Problem("stale_version")
        case = Case.objects.get(id=defence.case)
        reopened = upheld and case.state == "confirmed"
        if reopened:
            decide(by, case, "reopen", reason="当事人申辩成立")
        detail = {"number": case.number, "upheld": upheld, "reopened": reopened}
        note("answered", **_of(defence), detail=detail)
        audit.record("evidence.defence.answer", **_audited(defence), detail=detail)
        told = {"case": str(case.id), "number": case.number, "defence": str(defence.id), "upheld": upheld}
        publish("evidence.defence_answered", told, area=defence.area)

    atomically(write)
    return defence


def _of(defence: Defence) -> dict[str, str]:
    return {**_audited(defence), "case": str(defence.case)}


def _audited(defence: Defence) -> dict[str, str]:
    return {"area": defence.area, "subject": "evidence.defence", "subject_id": str(defence.id)}

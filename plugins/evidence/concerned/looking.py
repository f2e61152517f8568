"""What the holder of a notice code may do: look at the masked record, and state and defend."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    Actor,
    Problem,
    acting,
    atomically,
    audit,
    blind_index,
    count_against,
    current_settings,
    district_of,
    publish,
    put_blob,
    read_code,
    read_photo,
    refuse_spent,
    utcnow,
)
from plugins.evidence.captures.models import VIOLATIONS, Exhibit
from plugins.evidence.cases.models import CASE_FLOW, Case
from plugins.evidence.concerned.models import USER, Defence, DefencePhoto, NoticeVisit
from plugins.evidence.concerned.notice import place_of
from plugins.evidence.custody import note

VISIT_MINUTES = 30
MOST_PICTURES = 30
#: Of one case; whoever has more to say comes in person.
MOST_DEFENCES = 10
#: Looks at one case in a time, whatever the address: each is an entry that stays for good.
LOOK_RATE = "100/day"
#: Defences of one case in a time, whatever the address.
DEFENCE_RATE = "5/hour"

NEXT = {
    "waiting": "工作人员正在重新复核本案，结果会在本页显示。",
    "countersigning": "工作人员正在复核本案，结果会在本页显示。",
    "confirmed": "本案已经复核确认。",
    "handed_over": "本案已移送执法部门，由执法部门依法处理，结果以执法部门的文书为准。",
    "received": "执法部门已签收本案，由执法部门依法处理，结果以执法部门的文书为准。",
    "merged": "本案已并入其他案件一并办理，请向所在街道了解结果。",
    "rejected": "经复核，本案不予认定，不会据此作出处罚。",
}

PROPOSED = "本案已经复核确认，拟移送执法部门依法处理。在作出处罚决定之前，您有权陈述和申辩。"


def open_visit(typed: str, address: str) -> tuple[Case, str]:
    """Return the case of a code and a fresh token that opens it for half an hour.

    Raises Problem `notice_code_wrong` for any code that opens nothing, with the same words whatever the reason, and
    `too_many_requests` when the address had too many of those.
    """
    rate, key = current_settings().notice_tries, f"notice-tries:{address}"
    refuse_spent(rate, key)
    code = read_code(typed)
    case = Case.objects(notice_index=blind_index(Case, "notice_code", code)).first() if code else None
    if case is None or not shown(case):
        count_against(rate, key)
        raise Problem("notice_code_wrong")
    token = secrets.token_urlsafe(32)
    expiry = utcnow() + timedelta(minutes=VISIT_MINUTES)
    NoticeVisit(token=digest(token), case=case.id, expires_at=expiry).save(force_insert=True)
    return case, token


def case_of_visit(token: str) -> Case:
    """Return the case that a token opens; raises Problem `notice_visit_over`."""
    visit = NoticeVisit.objects(token=digest(token), expires_at__gt=utcnow()).first() if token else None
    case = Case.objects(id=visit.case).first() if visit else None
    if case is None or not shown(case):
        raise Problem("notice_visit_over")
    return case


def end_visit(token: str) -> None:
    """Let a token open nothing any more."""
    NoticeVisit.objects(token=digest(token)).delete()


def shown(case: Case) -> bool:
    """Say whether a case opens to its code: it was told, and is not deleted."""
    return bool(case.noticed_at and not case.shredding_at and not case.shredded_at)


def concerned(case: Case) -> Any:
    """Return the context in which the person concerned acts; where he or she sits is nobody's business."""
    return acting(Actor(id=str(case.id), name="当事人", kind="concerned", address=""))


def look(case: Case) -> dict[str, Any]:
    """Return the masked record, and write that it was looked at; raises Problem `too_many_requests`."""
    for rate in (current_settings().notice_rate, LOOK_RATE):
        count_against(rate, f"notice-case:{case.id}")
    with concerned(case):
        atomically(lambda: note("viewed", **_of(case), detail={"number": case.number}))
    return {
        "number": case.number,
        "violation_title": VIOLATIONS[case.violation],
        "first_at": case.first_at,
        "last_at": case.last_at,
        "place": place_of(case),
        "state": case.state,
        "state_title": CASE_FLOW.states[case.state],
        "next": PROPOSED if case.state == "confirmed" and case.penalty else NEXT[case.state],
        "penalty": bool(case.penalty),
        "noticed_at": case.noticed_at,
        "defence_until": case.defence_until,
        "may_defend": may_defend(case),
        "pictures": [str(row["_id"]) for row in pictures_of(case)],
        "defences": [
            {
                "id": str(each.id),
                "filed_at": each.filed_at,
                "text": each.text,
                "photos": len(each.photos),
                "answer": each.answer,
                "upheld": each.upheld,
                "answered_at": each.answered_at,
            }
            for each in Defence.objects(case=case.id).order_by("filed_at")
        ],
    }


def pictures_of(case: Case) -> list[dict[str, Any]]:
    """Return the masked copies of a case's photos: nobody's face is on them."""
    query = {"capture": {"$in": list(case.captures)}, "kind": "masked_copy"}
    return list(Exhibit._get_collection().find(query).sort([("capture", 1), ("photo", 1)]).limit(MOST_PICTURES))


def picture_of(case: Case, exhibit: ObjectId) -> dict[str, Any]:
    """Return one masked picture of the case; raises Problem `not_found` for any other picture."""
    query = {"_id": exhibit, "capture": {"$in": list(case.captures)}, "kind": "masked_copy"}
    row = Exhibit._get_collection().find_one(query)
    if row is None:
        raise Problem("not_found")
    return row


def may_defend(case: Case) -> bool:
    """Say whether a defence is taken now."""
    in_time = case.defence_until is not None and utcnow() <= case.defence_until
    return in_time and case.state not in ("rejected", "merged") and (case.defences or 0) < MOST_DEFENCES


def file_defence(case: Case, text: str, phone: str | None, photos: Sequence[bytes], once: str = "") -> Defence:
    """Take in what the person concerned states, and return it; with the same `once` it is taken in once.

    Raises Problem `defence_closed` after the time limit, `unreadable_image` and `image_too_large` for a photo that is
    none, `idempotency_key_reused` when `once` came with another text.
    """
    defence_id = ObjectId(digest(f"{case.id}\n{once}")[:12]) if once else ObjectId()
    if (earlier := _filed_before(defence_id, text)) is not None:
        return earlier
    if not may_defend(case):
        raise Problem("defence_closed")
    facts = [read_photo(photo, f"photos.{number}") for number, photo in enumerate(photos)]
    count_against(DEFENCE_RATE, f"notice-defence:{case.id}")
    space = district_of(case.area)
    kept = [
        put_blob(photo, media_type=fact.media_type, space=space, user=USER)
        for photo, fact in zip(photos, facts, strict=True)
    ]
    defence = Defence(
        id=defence_id,
        area=case.area,
        case=case.id,
        text=text,
        phone=phone or None,
        photos=[DefencePhoto(sha256=ref.sha256, sm3=ref.sm3, media_type=ref.media_type, size=ref.size) for ref in kept],
        filed_at=utcnow(),
    )
    row = defence.to_mongo()

    def write() -> None:
        room = {"_id": case.id, "shredding_at": None, "defences": {"$not": {"$gte": MOST_DEFENCES}}}
        counted = {"$inc": {"defences": 1, "version": 1}, "$set": {"updated_at": defence.filed_at}}
        if not Case._get_collection().update_one(room, counted).modified_count:
            raise Problem("defence_closed")
        Defence._get_collection().insert_one(dict(row))
        detail = {"number": case.number, "photos": [ref.sha256 for ref in kept]}
        note("defended", **{**_of(case), "subject": "evidence.defence", "subject_id": str(defence_id)}, detail=detail)
        where = {"subject": "evidence.defence", "subject_id": str(defence_id), "area": case.area}
        audit.record("evidence.defence.file", **where, detail={"case": case.number})
        told = {"case": str(case.id), "number": case.number, "defence": str(defence_id)}
        publish("evidence.defence_filed", told, area=case.area)

    with concerned(case):
        try:
            atomically(write)
        except DuplicateKeyError:
            if (earlier := _filed_before(defence_id, text)) is None:
                raise
            return earlier
    return defence


def _filed_before(defence_id: ObjectId, text: str) -> Defence | None:
    earlier = Defence.objects(id=defence_id).first()
    if earlier is not None and earlier.text != text:
        raise Problem("idempotency_key_reused")
    return earlier


def digest(text: str) -> bytes:
    """Return the SHA-256 of a secret, as it is stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _of(case: Case) -> dict[str, str]:
    return {"area": case.area, "subject": "evidence.case", "subject_id": str(case.id), "case": str(case.id)}

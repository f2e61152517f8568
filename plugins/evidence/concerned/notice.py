"""Tell the person concerned: a code for the case, made once, and the text that carries it (告知书)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    LOCAL_ZONE,
    Event,
    Problem,
    area_names,
    atomically,
    audit,
    current_settings,
    in_groups,
    new_code,
    utcnow,
)
from plugins.evidence.captures.models import VIOLATIONS
from plugins.evidence.cases.models import TELLABLE, Case
from plugins.evidence.custody import note

LAW = (
    "《中华人民共和国行政处罚法》第四十一条：利用电子技术监控设备收集、固定违法事实的，应当及时告知当事人，并采取信息化手段"
    "或者其他措施，为当事人查询、陈述和申辩提供便利。",
    "《中华人民共和国行政处罚法》第四十四条、第四十五条：作出行政处罚决定之前，应当告知当事人拟作出的行政处罚内容及事实、"
    "理由、依据；当事人有权进行陈述和申辩，行政机关不得因当事人陈述、申辩而给予更重的处罚。",
)
RIGHTS = (
    "查询：您可以查看本案的取证记录。为保护他人隐私，图片中的人脸均已遮挡。",
    "陈述、申辩：您认为事实不符、认错了人或者有特殊情况的，可以在期限内提出，并附上照片。您提出的事实、理由和证据会由工作人员"
    "复核，成立的予以采纳；不会因为您申辩而加重处理。",
    "书面或当面申辩：您也可以不使用网络，持本告知书到所在街道当面提出或者提交书面材料。",
)


def notice_code(case: Case) -> str:
    """Return the code of a case, made once: of two that make one at the same moment, both get the first one's."""
    if case.notice_code:
        return str(case.notice_code)
    stored = Case(id=case.id, notice_code=new_code()).to_mongo()
    made = {name: stored[name] for name in ("notice_code", "notice_index")}
    Case._get_collection().update_one({"_id": case.id, "notice_code": None}, {"$set": made})
    return str(Case.objects.only("notice_code").get(id=case.id).notice_code)


def serve(case: Case) -> Case:
    """Issue the notice (出具告知书) and return the case: from now on the code opens it, and the time to defend runs.

    Issued before, it stays as it was. Raises Problem `notice_not_due` before a person has confirmed the case,
    `evidence_deleted` when retention is over, `stale_version` when somebody else changed the case.
    """
    check_there(case)
    if case.noticed_at:
        return case
    if case.state not in TELLABLE:
        raise Problem("notice_not_due")

    def write() -> Case:
        notice_code(case)
        now = utcnow()
        issued = {"noticed_at": now, "defence_until": end_of_day(now, current_settings().defence_days)}
        unchanged = {"_id": case.id, "version": case.version, "noticed_at": None}
        update = {"$set": {**issued, "updated_at": now}, "$inc": {"version": 1}}
        if not Case._get_collection().update_one(unchanged, update).modified_count:
            raise Problem("stale_version")
        written("noticed", case)
        audit.record("evidence.notice.issue", subject="evidence.case", subject_id=str(case.id), area=case.area)
        return Case.objects.get(id=case.id)

    return atomically(write)


def look(case: Case, *, printed: bool = False) -> Case:
    """Write into the ledger that staff look at an issued notice, with its code, or have it before them to print.

    Raises Problem `notice_not_issued` or `evidence_deleted`.
    """
    check_there(case)
    if not case.noticed_at:
        raise Problem("notice_not_issued")
    atomically(lambda: written("printed" if printed else "viewed", case))
    return case


def check_there(case: Case) -> None:
    """Raise Problem once the evidence is deleted, or about to be."""
    if case.shredded_at or case.shredding_at:
        raise Problem("evidence_deleted")


def written(kind: str, case: Case) -> None:
    """Write an entry about the notice into the ledger, in the current transaction."""
    detail = {"number": case.number, "document": "notice"}
    note(kind, area=case.area, subject="evidence.case", subject_id=str(case.id), case=str(case.id), detail=detail)


def make_code(event: Event) -> None:
    """Make the code of a case that was confirmed with a penalty, so that the notice can go out at once."""
    case = Case.objects(id=ObjectId(event.payload["case"]), shredding_at=None).first()
    if event.payload["penalty"] and case is not None:
        notice_code(case)


def notice_of(case: Case, page: str) -> dict[str, Any]:
    """Return the notice of a case that was told; `page` is the address where the code opens the record."""
    return {
        "title": "生活垃圾分类违规行为告知书",
        "number": case.number,
        "code": in_groups(notice_code(case)),
        "page": page,
        "violation_title": VIOLATIONS[case.violation],
        "seen_at": case.first_at,
        "place": place_of(case),
        "noticed_at": case.noticed_at,
        "defence_until": case.defence_until,
        "facts": (
            f"{local(case.first_at):%Y年%m月%d日 %H时%M分}，在{place_of(case)}，发现涉嫌"
            f"“{VIOLATIONS[case.violation]}”的行为，影像资料已固定并经工作人员复核。"
        ),
        "law": list(LAW),
        "rights": list(RIGHTS),
        "how": (
            f"用手机或电脑打开 {page} ，输入告知码，即可查看记录、提出陈述申辩和查看答复。"
            f"请于{local(case.defence_until):%Y年%m月%d日}（含当日）前提出。告知码只用于本案，请勿转给他人。"
        ),
    }


def place_of(case: Case | Mapping[str, Any]) -> str:
    """Return where it was, in words."""
    codes = case["area"].split("/")
    paths = ["/".join(codes[: depth + 1]) for depth in range(len(codes))]
    names = area_names(paths)
    return "".join(names.get(path, "") for path in paths) + str(case["point_name"])


def end_of_day(start: datetime, days: int) -> datetime:
    """Return the last second, here, of the day that is `days` after that of `start`: the day itself does not count."""
    return datetime.combine(local(start).date() + timedelta(days=days), time(23, 59, 59), LOCAL_ZONE)


def local(moment: datetime) -> datetime:
    """Return a time as people here read it."""
    return moment.astimezone(LOCAL_ZONE)

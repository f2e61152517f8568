"""The API of cases: find them, look at one, and judge it."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Blueprint,
    check_if_match,
    current_principal,
    idempotent,
    if_match,
    may_answer,
    paged,
    read_page,
    requires,
)
from plugins.evidence.cases import review
from plugins.evidence.cases.models import REVIEW, Case
from plugins.evidence.cases.reading import VIEW, case_of, conditions, detail, opened, summary
from plugins.evidence.cases.schemas import (
    CaseDetailSchema,
    CaseFilters,
    CaseSchema,
    DecisionSchema,
    MergeSchema,
    SplitSchema,
    SubjectSchema,
)

blueprint = Blueprint("evidence_cases", __name__, url_prefix="/api/v1/evidence/cases", description="案件复核")

#: Ids grow with time, so the oldest case is the one that waits the longest.
ORDERS = {"newest": (("_id", -1),), "oldest": (("_id", 1),)}


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(CaseFilters, location="query")
@blueprint.response(200, paged(CaseSchema))
def list_cases(asked: dict[str, Any]) -> dict[str, Any]:
    """查询案件."""
    cursor, limit, count = asked.pop("cursor", None), asked.pop("limit"), asked.pop("count")
    sort = ORDERS[asked.pop("order")]
    query = conditions(current_principal(), asked)
    return read_page(Case._get_collection(), query, sort=sort, cursor=cursor, limit=limit, count=count).shown(summary)


@blueprint.route("/<record_id:case_id>", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, CaseDetailSchema)
def get_case(case_id: ObjectId) -> dict[str, Any]:
    """查看案件、取证照片、有权打开的证据和可用的操作；每次查看均留痕."""
    by = current_principal()
    return opened(by, case_of(by, case_id))


@blueprint.route("/<record_id:case_id>/subject", methods=["POST"])
@requires(REVIEW)
@idempotent
@if_match
@may_answer("conflict")
@blueprint.arguments(SubjectSchema)
@blueprint.response(200, CaseDetailSchema)
def choose_subject(chosen: dict[str, str | None], case_id: ObjectId) -> dict[str, Any]:
    """选定当事人的人脸和所投的垃圾."""
    by = current_principal()
    case = seen_case(case_id, REVIEW)
    face, waste = (ObjectId(chosen[name]) if chosen[name] else None for name in ("face", "waste"))
    return detail(by, review.choose_subject(by, case, face, waste))


@blueprint.route("/<record_id:case_id>/decisions", methods=["POST"])
@requires(VIEW)
@idempotent
@if_match
@may_answer("conflict", "reason_required", "same_person", "legal_record_incomplete", "site_visit_required")
@blueprint.arguments(DecisionSchema)
@blueprint.response(200, CaseDetailSchema)
def decide(asked: dict[str, str], case_id: ObjectId) -> dict[str, Any]:
    """复核、会签或重新复核案件；各操作分别需要复核或会签权限."""
    by = current_principal()
    case = seen_case(case_id, VIEW)
    return detail(by, review.decide(by, case, asked["verb"], asked["reason"], asked["site_visit"]))


@blueprint.route("/<record_id:case_id>/merge", methods=["POST"])
@requires(REVIEW)
@idempotent
@if_match
@may_answer("conflict", "reason_required")
@blueprint.arguments(MergeSchema)
@blueprint.response(200, CaseDetailSchema)
def merge(asked: dict[str, str], case_id: ObjectId) -> dict[str, Any]:
    """把案件并入另一个待复核的案件，返回后者."""
    by = current_principal()
    case = seen_case(case_id, REVIEW)
    into = case_of(by, ObjectId(asked["into"]), REVIEW)
    return detail(by, review.merge(by, case, into, asked["reason"]))


@blueprint.route("/<record_id:case_id>/split", methods=["POST"])
@requires(REVIEW)
@idempotent
@if_match
@may_answer("conflict", "reason_required")
@blueprint.arguments(SplitSchema)
@blueprint.response(201, CaseDetailSchema)
def split(asked: dict[str, Any], case_id: ObjectId) -> dict[str, Any]:
    """把选定的取证记录拆成新的案件，返回新案件."""
    by = current_principal()
    case = seen_case(case_id, REVIEW)
    return detail(by, review.split(by, case, [ObjectId(each) for each in asked["captures"]], asked["reason"]))


def seen_case(case_id: ObjectId, permission: str) -> Case:
    """Return a case in the version that the client saw; raises Problem `not_found` or `stale_version`."""
    case = case_of(current_principal(), case_id, permission)
    check_if_match(case)
    return case

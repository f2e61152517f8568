"""The API of retention: how long a case is kept, and legal holds on it."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Blueprint,
    Problem,
    check_if_match,
    current_principal,
    idempotent,
    if_match,
    may_answer,
    require,
    requires,
    scope_filter,
)
from plugins.evidence.cases.models import HOLD, RETENTION_CLASSES, Case
from plugins.evidence.retention import holds
from plugins.evidence.retention.schemas import HoldReasonSchema, HoldSchema, RetentionSchema

blueprint = Blueprint("evidence_retention", __name__, url_prefix="/api/v1/evidence/cases", description="证据保存与保全")


@blueprint.route("/<record_id:case_id>/retention")
@requires("evidence:view")
@blueprint.response(200, RetentionSchema)
def get_retention(case_id: ObjectId) -> dict[str, Any]:
    """查看案件的保存期限和保全情况."""
    case = case_in_reach(case_id, "evidence:view")
    return {
        "retention": case.retention,
        "retention_title": RETENTION_CLASSES[case.retention],
        "delete_after": case.delete_after,
        "deleted_at": case.shredded_at,
        "holds": case.holds,
    }


@blueprint.route("/<record_id:case_id>/holds", methods=["POST"])
@requires(HOLD)
@idempotent
@if_match
@may_answer("evidence_deleted")
@blueprint.arguments(HoldReasonSchema)
@blueprint.response(201, HoldSchema)
def place_hold(told: dict[str, str], case_id: ObjectId) -> dict[str, Any]:
    """对案件采取证据保全，保全期间不删除."""
    case = case_in_reach(case_id, HOLD)
    check_if_match(case)
    return holds.place(case, current_principal(), told["reason"])


@blueprint.route("/<record_id:case_id>/holds/<hold_id>/release", methods=["POST"])
@requires(HOLD)
@idempotent
@if_match
@may_answer("evidence_deleted")
@blueprint.arguments(HoldReasonSchema)
@blueprint.response(204)
def release_hold(told: dict[str, str], case_id: ObjectId, hold_id: str) -> None:
    """解除证据保全."""
    case = case_in_reach(case_id, HOLD)
    check_if_match(case)
    holds.release(case, hold_id, told["reason"])


def case_in_reach(case_id: ObjectId, permission: str) -> Case:
    """Return a case of the person's areas; raises Problem `not_found`."""
    by = current_principal()
    case: Case | None = Case.objects(__raw__={"$and": [{"_id": case_id}, scope_filter(by, permission)]}).first()
    if case is None:
        raise Problem("not_found")
    require(by, permission, case.area)
    return case

"""The API of face comparison: administrators switch it on and off."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.plugin_api import Blueprint, current_principal, idempotent, may_answer, requires, scope_filter
from plugins.evidence.matching.activation import (
    MATCHING,
    MOST_TEMPLATES,
    find_activation,
    switch_off,
    switch_on,
)
from plugins.evidence.matching.models import Activation, Template
from plugins.evidence.matching.schemas import ActivationSchema, ActivationsSchema, SwitchOnSchema

blueprint = Blueprint(
    "evidence_matching", __name__, url_prefix="/api/v1/evidence/face-matching", description="人脸比对开关"
)


@blueprint.route("", methods=["GET"])
@requires(MATCHING)
@blueprint.response(200, ActivationsSchema)
def list_activations() -> dict[str, Any]:
    """查看各区域人脸比对的启用情况."""
    scope = scope_filter(current_principal(), MATCHING)
    rows = list(Activation._get_collection().find(scope).sort("_id", -1).limit(200))
    # Only what is on holds templates, and that is one area or a few.
    counts = {
        row["_id"]: Template._get_collection().count_documents({"activation": row["_id"]})
        for row in rows
        if row.get("ended_at") is None
    }
    return {
        "items": [{**row, "id": str(row["_id"]), "templates": counts.get(row["_id"], 0)} for row in rows],
        "templates": Template._get_collection().estimated_document_count(),
        "most_templates": MOST_TEMPLATES,
    }


@blueprint.route("", methods=["POST"])
@requires(MATCHING)
@idempotent
@may_answer("matching_on")
@blueprint.arguments(SwitchOnSchema)
@blueprint.response(201, ActivationSchema)
def start_matching(told: dict[str, Any]) -> dict[str, Any]:
    """启用一个区域的人脸比对；须填写法律依据、评估编号和到期时间."""
    made = switch_on(current_principal(), told.pop("area"), told)
    return {**made.to_mongo(), "id": str(made.id), "templates": 0}


@blueprint.route("/<record_id:activation_id>", methods=["DELETE"])
@requires(MATCHING)
@may_answer("not_found")
@blueprint.response(204)
def stop_matching(activation_id: ObjectId) -> None:
    """停用人脸比对，并立即删除已存的人脸模板."""
    switch_off(find_activation(scope_filter(current_principal(), MATCHING), activation_id))

"""The API of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Blueprint,
    Problem,
    check_if_match,
    current_principal,
    district_of,
    etag_of,
    home_of,
    idempotent,
    if_match,
    may_answer,
    requires,
    utcnow,
)
from plugins.ranking.points import EDIT, VIEW, local_day
from plugins.ranking.rules.keeping import add_rule, editions_of, in_force, next_edition
from plugins.ranking.rules.schemas import (
    AssessmentRuleSchema,
    AssessmentRulesSchema,
    NewAssessmentRuleSchema,
    RuleArgs,
    RuleEditionSchema,
    RuleEventsSchema,
    faults_of,
)
from plugins.ranking.rules.triggers import TRIGGERS

blueprint = Blueprint("assessment_rules", __name__, url_prefix="/api/v1/assessment-rules", description="小区考核细则")


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(RuleArgs, location="query")
@blueprint.response(200, AssessmentRulesSchema)
def list_rules(asked: dict[str, str]) -> dict[str, Any]:
    """查询本区县的考核细则."""
    district = own_district()
    rows = editions_of(district) if district else []
    counting = {row["_id"] for row in in_force(rows, local_day(utcnow()))}
    chosen = {
        "all": rows,
        "latest": list({row["code"]: row for row in rows}.values()),
        "in_force": [row for row in rows if row["_id"] in counting],
    }[asked["editions"]]
    kept = [row for row in chosen if asked.get("event") in (None, row["event"])]
    return {"items": [shown(row, counting) for row in kept]}


@blueprint.route("", methods=["POST"])
@requires(EDIT)
@idempotent
@may_answer("duplicate", "forbidden", "module_off")
@blueprint.arguments(NewAssessmentRuleSchema)
@blueprint.response(201, AssessmentRuleSchema)
def create_rule(values: dict[str, Any]) -> dict[str, Any]:
    """新增细则，最早自明天起生效."""
    district = own_district()
    if not district:
        raise Problem("invalid", detail="您的账号不属于任何区县，请由区县人员维护细则。")
    return shown(add_rule(current_principal(), district, values), ())


@blueprint.route("/events", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, RuleEventsSchema)
def list_events() -> dict[str, Any]:
    """查询细则可以对应的事件和条件."""
    items = [
        {
            "event": name,
            "title": each.title,
            "facts": [
                {"name": key, "title": fact.title, "kind": fact.kind, "choices": dict(fact.choices)}
                for key, fact in each.facts.items()
            ],
        }
        for name, each in TRIGGERS.items()
    ]
    return {"items": items}


@blueprint.route("/<record_id:rule_id>/editions", methods=["POST"])
@requires(EDIT)
@idempotent
@if_match
@may_answer("forbidden", "module_off")
@blueprint.arguments(RuleEditionSchema)
@blueprint.response(201, AssessmentRuleSchema)
def create_edition(values: dict[str, Any], rule_id: ObjectId) -> dict[str, Any]:
    """修改细则：生成新的版次，原版次不变；只能从最新的版次修改."""
    rule = next((row for row in editions_of(own_district()) if row["_id"] == rule_id), None)
    if rule is None:
        raise Problem("not_found")
    check_if_match(rule)
    if faults := faults_of(rule["event"], values["conditions"]):
        raise Problem("invalid", fields={"conditions": faults})
    return shown(next_edition(current_principal(), rule, values), ())


def own_district() -> str:
    """Return the district of whoever asks."""
    home = home_of(current_principal())
    return district_of(home) if home else ""


def shown(row: Mapping[str, Any], counting: Any) -> dict[str, Any]:
    """Return an edition as people see it."""
    names = (
        "code", "edition", "title", "event", "conditions", "points", "by_event", "cap_day", "period", "cap_period",
        "appeal_days", "active", "effective_from", "area", "created_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names if name in row},
        "conditions": row.get("conditions", []),
        "id": str(row["_id"]),
        "etag": etag_of(row).strip('"'),
        "reason": row.get("reason") or "",
        "made_name": row.get("made_name"),
        "event_title": TRIGGERS[row["event"]].title if row["event"] in TRIGGERS else row["event"],
        "in_force": row["_id"] in counting,
    }

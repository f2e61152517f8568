"""What people and other modules learn of an appeal."""

from __future__ import annotations

from typing import Any

from backend.plugin_api import EventKind, MessageTemplate, Recipients, area_names, publish, send_message
from plugins.ranking.appeals.models import APPEAL_FLOW, Appeal

PAYLOAD = "appeal, charge, compound, rule, number, points, state"
EVENTS = (
    EventKind(name="assessment_appeal.filed", title="提出扣分申诉", payload=PAYLOAD),
    EventKind(name="assessment_appeal.decided", title="扣分申诉已裁决", payload=PAYLOAD),
)
FIELDS = {
    "compound": "小区名称",
    "title": "考核细则",
    "number": "来源编号",
    "result": "裁决结果",
    "decision": "裁决理由",
}
TEMPLATES = (
    MessageTemplate(
        name="ranking.appeal_filed",
        title="扣分申诉待裁决",
        text="{compound}对“{title}”（{number}）的扣分提出申诉，请裁决。",
        href="/ranking/charges?tab=appeals#{charge}",
        list_href="/ranking/charges?tab=appeals",
        fields=FIELDS,
    ),
    MessageTemplate(
        name="ranking.appeal_decided",
        title="扣分申诉结果",
        text="{compound}“{title}”（{number}）的扣分申诉：{result}。{decision}",
        href="/ranking/charges#{charge}",
        list_href="/ranking/charges",
        fields=FIELDS,
    ),
)


def tell(appeal: Appeal, verb: str, *readers: Recipients) -> None:
    """Tell of an appeal that was filed or decided, in the current transaction; whoever is meant twice reads it once."""
    told: dict[str, Any] = {name: appeal[name] for name in ("compound", "rule", "number", "points", "state")}
    publish(f"assessment_appeal.{verb}", {**told, "appeal": str(appeal.id), "charge": str(appeal.id)}, area=appeal.area)
    for to in readers:
        send_message(
            f"ranking.appeal_{verb}",
            to=to,
            values={
                "charge": str(appeal.id),
                "compound": area_names([appeal.area]).get(appeal.area, appeal.compound),
                "title": appeal.title,
                "number": appeal.number,
                "result": APPEAL_FLOW.states[appeal.state],
                "decision": appeal.decision or "",
            },
            about=("ranking.appeal", str(appeal.id)),
            area=appeal.area,
            dedupe=str(appeal.id),
        )


def audited(appeal: Appeal) -> dict[str, str]:
    """Return how the audit trail names an appeal."""
    return {"subject": "ranking.appeal", "subject_id": str(appeal.id), "area": appeal.area}

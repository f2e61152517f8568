"""The address that vendors send events to."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema, fields

from backend.plugin_api import Blueprint, may_answer, utcnow
from plugins.alerts.intake.machines import take_delivery
from plugins.alerts.intake.places import device_at
from plugins.alerts.intake.signing import recognise

blueprint = Blueprint("alert_events", __name__, url_prefix="/api/v1/alerts/events", description="预警事件接入")

#: What became of an event, as vendors are told.
OUTCOMES = {
    "raised": "生成新事件",
    "counted": "计入已有事件",
    "unconfirmed": "置信度低，待人工确认",
    "waiting": "编码未归类，待人工归类",
    "muted": "屏蔽或检修中，仅留存",
    "repeated": "重复推送，未改变任何内容",
}

HEADERS = [
    {"in": "header", "name": name, "required": True, "schema": {"type": "string"}, "description": description}
    for name, description in (
        ("X-Device", "设备编码"),
        ("X-Timestamp", "发送时刻，Unix 秒"),
        ("X-Signature", "签名，十六进制，见接入说明"),
    )
]


class EventOutcomeSchema(Schema):
    """What became of one event."""

    event_id = fields.String()
    outcome = fields.String(metadata={"description": "、".join(f"{name} {title}" for name, title in OUTCOMES.items())})


class DeliverySchema(Schema):
    """What became of a delivery, event by event."""

    events = fields.List(fields.Nested(EventOutcomeSchema))


@blueprint.route("", methods=["POST"])
@may_answer(
    "sender_not_recognised", "signature_too_old", "no_events", "too_many_events", "malformed_json", "json_too_deep",
    "too_large", "invalid",
)  # fmt: skip
@blueprint.doc(
    parameters=HEADERS,
    requestBody={"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
)
@blueprint.response(202, DeliverySchema, ready=True)
def send_events() -> dict[str, Any]:
    """设备或厂商平台推送事件，每次至多 50 条.

    Signed with the device's key: see docs/alerts.md. Sending the same again changes nothing.
    """
    body, now = request.get_data(cache=False), utcnow()
    given = request.headers
    device = recognise(
        device_at(given.get("X-Device", "")[:32]),
        given.get("X-Signature", ""),
        given.get("X-Timestamp", ""),
        body,
        now,
    )
    taken = take_delivery(device, body, request.remote_addr or "", now)
    return {"events": [{"event_id": each.event_id, "outcome": each.outcome} for each in taken]}

"""Deliveries that failed for good: what the health page warns of, and administrators see and give another try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.events import DeadDelivery, dead_deliveries, redeliver
from backend.messages import carrying, delivering
from backend.monitoring import Health, HealthCheck

#: The events whose deliveries are messages: orders on the way to inboxes, messages on the way over channels.
OURS = {"name": {"$in": [delivering.HANDLER.event, carrying.HANDLER.event]}}


def dead_messages(scope: Mapping[str, Any], limit: int = 200) -> list[DeadDelivery]:
    """Return the deliveries of messages that failed for good, the latest first; `scope` is a filter of areas."""
    return dead_deliveries(limit, where={"$and": [OURS, scope]} if scope else OURS)


def send_again(scope: Mapping[str, Any], event_id: str) -> bool:
    """Give a dead delivery new attempts; tells whether there was one within `scope`."""
    mine = dead_deliveries(where={"$and": [{"_id": ObjectId(event_id)}, OURS, *([scope] if scope else [])]})
    return sum(redeliver(event_id, each.handler) for each in mine) > 0


def deliveries() -> Health:
    """Look for messages that could not be delivered."""
    if count := len(dead_messages({})):
        return Health("warn", f"有 {count} 条消息多次发送失败，请在“消息管理”中查看原因后重发。")
    return Health("ok", "没有发送失败的消息")


CHECK = HealthCheck(name="platform.messages", title="消息发送", run=deliveries)

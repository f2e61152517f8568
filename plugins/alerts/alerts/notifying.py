"""Tell those who handle a kind of a grave alert, where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.plugin_api import LOCAL_ZONE, MessageTemplate, Recipients, send_message, utcnow
from plugins.alerts.kinds.defaults import SEVERITIES

#: From this severity on people are told at once; from the other on in quiet hours too, for it does not wait.
GRAVE, URGENT = 3, 4

RAISED = MessageTemplate(
    name="alerts.raised",
    title="新预警",
    text="{place}发现{title}（{severity}），请于 {respond_by} 前响应，{close_by} 前办结。",
    href="/alerts/#{alert}",
    list_href="/alerts/",
    fields={
        "number": "事件编号",
        "title": "事件类型",
        "severity": "等级",
        "place": "点位",
        "respond_by": "响应时限",
        "close_by": "办结时限",
    },
)


#: They work for a company; where none is known nobody of them is meant, and the community has to send somebody.
OF_COMPANIES, OTHERWISE = ("property_staff", "collection_staff"), "community_staff"


def tell_role(row: Mapping[str, Any]) -> None:
    """Tell the role that handles an alert of it, once, with the current transaction; what is not grave is not told."""
    if row["severity"] < GRAVE or row["close_by"] < utcnow():  # the past of the demo district is no news
        return
    send_message(
        RAISED.name,
        to=recipients(row),
        values={
            "alert": str(row["_id"]),
            "number": row["number"],
            "title": row["kind_name"],
            "severity": SEVERITIES[row["severity"]],
            "place": f"{row['point_name']} " if row.get("point_name") else "",
            "respond_by": local(row["respond_by"]),
            "close_by": local(row["close_by"]),
        },
        about=("alerts.alert", str(row["_id"])),
        area=row["area"],
        dedupe=str(row["_id"]),
        urgent=row["severity"] >= URGENT,
    )


def recipients(row: Mapping[str, Any]) -> Recipients:
    """Return whom an alert is told."""
    company = str(row.get("organisation") or "")
    role = OTHERWISE if row["role"] in OF_COMPANIES and not company else row["role"]
    return Recipients(role=role, area=row["area"], organisation=company)


def local(at: datetime) -> str:
    """Return a time as people read it."""
    return at.astimezone(LOCAL_ZONE).strftime("%m月%d日 %H:%M")

"""What other modules, the figures and people learn of points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.plugin_api import (
    LOCAL_ZONE,
    EventKind,
    MessageTemplate,
    Metric,
    Recipients,
    area_names,
    publish,
    send_message,
)
from plugins.ranking.ledger.models import Entry
from plugins.ranking.points import words

METRIC = "ranking.points"
METRICS = (
    Metric(
        name=METRIC,
        title="小区考核分",
        unit="分",
        collection=Entry,
        time_field="occurred_at",
        bucket="hour",
        dimensions=("rule",),
        # Hundredths of points, and how many charges bear any.
        measures={"points": {"$sum": "$points"}, "standing": {"$sum": "$standing"}},
    ),
)
EVENTS = (
    EventKind(
        name="assessment.booked",
        title="小区考核计分",
        payload="entry, seq, charge, compound, kind, rule, edition, points, occurred_at, source, source_id, number",
    ),
)
TEMPLATES = (
    MessageTemplate(
        name="ranking.deducted",
        title="小区考核扣分",
        text="{compound}因“{title}”（{number}）被扣 {points} 分。如有异议，请在 {appeal_by} 前提出申诉。",
        href="/ranking/charges#{charge}",
        list_href="/ranking/charges",
        fields={
            "compound": "小区名称",
            "title": "考核细则",
            "number": "来源编号",
            "points": "分值",
            "appeal_by": "申诉截止时间",
        },
    ),
)


def tell_of(charge: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    """Tell of an entry, in the current transaction; whoever looks after the compound reads of a deduction, once."""
    names = ("seq", "compound", "kind", "rule", "edition", "points", "source", "source_id", "number")
    told = {name: entry[name] for name in names}
    told |= {"entry": str(entry["_id"]), "charge": str(charge["_id"]), "occurred_at": entry["occurred_at"].isoformat()}
    publish("assessment.booked", told, area=charge["area"])
    if entry["kind"] != "booked" or entry["points"] >= 0:
        return
    company = charge.get("organisation")
    send_message(
        "ranking.deducted",
        to=Recipients(organisation=str(company))
        if company
        else Recipients(role="community_staff", area=charge["area"]),
        values={
            "charge": str(charge["_id"]),
            "compound": area_names([charge["area"]]).get(charge["area"], charge["compound"]),
            "title": charge["title"],
            "number": charge["number"],
            "points": words(-entry["points"]),
            "appeal_by": f"{charge['appeal_by'].astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}",
        },
        about=("ranking.charge", str(charge["_id"])),
        area=charge["area"],
        dedupe=str(charge["_id"]),
    )

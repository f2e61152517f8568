"""Work orders on the map: found by number or place, opened with their history; open ones stand on every card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.plugin_api import CardLine, CardPart, CardSection, MapRecord, Subject, Tone, View, utcnow
from plugins.dispatch.orders.models import ORDER_FLOW, VIEW, WorkOrder
from plugins.dispatch.orders.reading import PHASES, title_of
from plugins.dispatch.panels import STATE_TONES, place_of

RECORD = "dispatch.order"
MOST_LINES = 5


def tone_of(row: Mapping[str, Any]) -> Tone:
    """Return the colour of an order: what is late and open is critical."""
    late = row["state"] in PHASES["open"] and bool(row.get("due_at") and row["due_at"] <= utcnow())
    return "critical" if late else STATE_TONES[row["state"]]


def subject_of(row: Mapping[str, Any]) -> Subject:
    """Return an order as the map knows it."""
    lon, lat = place_of(row) or (None, None)
    return Subject(
        key=str(row["_id"]),
        title=row["title"],
        kind="派单",
        area=row["area"],
        lon=lon,
        lat=lat,
        point=row.get("point") or "",
        tone=tone_of(row),
        note=f"{row.get('point_name') or ''} {row['number']}".strip(),
    )


def read(view: View, key: str) -> Subject | None:
    """Return an order by its id."""
    row = row_of(view, key)
    return subject_of(row) if row else None


def find(view: View, words: str, limit: int) -> Sequence[Subject]:
    """Return the newest orders by the beginning of a number, or by part of a point's name."""
    number = {"number": {"$gte": words.upper(), "$lt": f"{words.upper()}~"}}
    asked = (
        number if re.match(r"(?i)[a-z]+-?\d", words) else {"point_name": {"$regex": re.escape(words), "$options": "i"}}
    )
    rows = WorkOrder._get_collection().find({"$and": [asked, dict(view.scope)]}).sort("_id", -1).limit(limit)
    return [subject_of(row) for row in rows]


def row_of(view: View, key: str) -> dict[str, Any] | None:
    """Return an order of the view's scope."""
    if not ObjectId.is_valid(key):
        return None
    found: dict[str, Any] | None = WorkOrder._get_collection().find_one(
        {"$and": [{"_id": ObjectId(key)}, dict(view.scope)]}
    )
    return found


def about_order(view: View, about: Subject) -> CardSection | None:
    """Return what an order says, and what was done with it."""
    row = row_of(view, about.key)
    if row is None:
        return None
    facts = (
        ("单号", row["number"]),
        ("点位", row.get("point_name") or "–"),
        ("状态", ORDER_FLOW.states[row["state"]]),
        ("处置", row.get("unit_name") or row.get("handler_name") or "未派遣"),
        ("返工", f"{row['rework']} 次" if row.get("rework") else ""),
    )
    steps = [CardLine(title_of(each["verb"]), each["at"], each.get("note") or "") for each in reversed(row["timeline"])]
    lines, more = steps[:MOST_LINES], max(0, len(steps) - MOST_LINES)
    return CardSection(facts=facts, lines=lines, more=more, links=(("办理派单", f"/dispatch/orders#{about.key}"),))


def open_orders(view: View, about: Subject) -> CardSection | None:
    """Return the open orders at the place of a record."""
    if about.around is None or "device" in about.around:
        return None
    query = {"$and": [about.around, {"state": {"$in": list(PHASES["open"])}}, dict(view.scope)]}
    found = WorkOrder._get_collection().find(query).sort("_id", -1).limit(MOST_LINES + 2)
    rows = [row for row in found if str(row["_id"]) != about.key]
    lines = [
        CardLine(
            row["title"], row["created_at"], ORDER_FLOW.states[row["state"]], tone_of(row), RECORD, str(row["_id"])
        )
        for row in rows[:MOST_LINES]
    ]
    count = WorkOrder._get_collection().count_documents(query, limit=1000) if len(rows) > MOST_LINES else len(rows)
    return CardSection(lines=lines, more=max(0, count - len(lines))) if lines else None


RECORDS = [MapRecord(name=RECORD, title="派单", permission=VIEW, read=read, find=find, order=40)]
PARTS = [
    CardPart(name="dispatch.about", title="派单情况", permission=VIEW, show=about_order, records=(RECORD,), order=10),
    CardPart(name="dispatch.open", title="未办结派单", permission=VIEW, show=open_orders, order=40),
]

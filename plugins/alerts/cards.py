"""Alerts on the map: found by number or place, opened with their way so far; open ones stand on every card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.plugin_api import CardLine, CardPart, CardSection, MapRecord, Subject, View
from plugins.alerts.alerts.models import ALERT_FLOW, OPEN, SOURCES, Alert, place_of
from plugins.alerts.alerts.reading import title_of
from plugins.alerts.kinds.defaults import SEVERITIES
from plugins.alerts.panels import SEVERITY_TONES, VIEW, local_time

RECORD = "alerts.alert"
MOST_LINES = 5


def subject_of(row: Mapping[str, Any]) -> Subject:
    """Return an alert as the map knows it."""
    lon, lat = place_of(row) or (None, None)
    return Subject(
        key=str(row["_id"]),
        title=row["kind_name"],
        kind="预警",
        area=row["area"],
        lon=lon,
        lat=lat,
        point=row.get("point") or "",
        device=row.get("device") or "",
        tone=SEVERITY_TONES[row["severity"]] if row["state"] in OPEN else "off",
        note=f"{row.get('point_name') or ''} {row['number']}".strip(),
    )


def read(view: View, key: str) -> Subject | None:
    """Return an alert by its id."""
    row = row_of(view, key)
    return subject_of(row) if row else None


def find(view: View, words: str, limit: int) -> Sequence[Subject]:
    """Return the newest alerts by the beginning of a number, or by part of a point's name."""
    number = {"number": {"$gte": words.upper(), "$lt": f"{words.upper()}~"}}
    asked = number if re.match(r"(?i)yj\d", words) else {"point_name": {"$regex": re.escape(words), "$options": "i"}}
    rows = Alert._get_collection().find({"$and": [asked, dict(view.scope)]}).sort("_id", -1).limit(limit)
    return [subject_of(row) for row in rows]


def row_of(view: View, key: str) -> dict[str, Any] | None:
    """Return an alert of the view's scope."""
    if not ObjectId.is_valid(key):
        return None
    found: dict[str, Any] | None = Alert._get_collection().find_one(
        {"$and": [{"_id": ObjectId(key)}, dict(view.scope)]}
    )
    return found


def about_alert(view: View, about: Subject) -> CardSection | None:
    """Return what an alert says, and what was done with it."""
    row = row_of(view, about.key)
    if row is None:
        return None
    facts = (
        ("编号", row["number"]),
        ("点位", row.get("point_name") or "–"),
        ("等级", SEVERITIES[row["severity"]]),
        ("状态", ALERT_FLOW.states[row["state"]]),
        ("来源", SOURCES[row["source"]]),
        ("次数", str(row["count"])),
        ("上报", local_time(row["raised_at"])),
        ("办结时限", local_time(row["close_by"])),
        ("派单", (row.get("order") or {}).get("number") or ""),
    )
    steps = [CardLine(title_of(each), each["at"], each.get("note") or "") for each in reversed(row["timeline"])]
    lines, more = steps[:MOST_LINES], max(0, len(steps) - MOST_LINES)
    return CardSection(facts=facts, lines=lines, more=more, links=(("办理预警", f"/alerts/#{about.key}"),))


def open_alerts(view: View, about: Subject) -> CardSection | None:
    """Return the open alerts at the place of a record."""
    if about.around is None:
        return None
    query = {"$and": [about.around, {"state": {"$in": list(OPEN)}}, dict(view.scope)]}
    rows = [row for row in newest(query) if str(row["_id"]) != about.key]
    lines = [
        CardLine(
            row["kind_name"],
            row["raised_at"],
            ALERT_FLOW.states[row["state"]],
            SEVERITY_TONES[row["severity"]],
            RECORD,
            str(row["_id"]),
        )
        for row in rows[:MOST_LINES]
    ]
    count = Alert._get_collection().count_documents(query, limit=1000) if len(rows) > MOST_LINES else len(rows)
    return CardSection(lines=lines, more=max(0, count - len(lines))) if lines else None


def newest(query: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Return the newest of a filter, one more than are shown beside the one that is open."""
    return list(Alert._get_collection().find(dict(query)).sort("_id", -1).limit(MOST_LINES + 2))


RECORDS = [MapRecord(name=RECORD, title="预警", permission=VIEW, read=read, find=find, order=30)]
PARTS = [
    CardPart(name="alerts.about", title="预警情况", permission=VIEW, show=about_alert, records=(RECORD,), order=10),
    CardPart(name="alerts.open", title="未了结预警", permission=VIEW, show=open_alerts, order=30),
]

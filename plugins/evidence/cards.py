"""Captures and cases on the map: opened with masked pictures alone; what a place saw stands on every card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import CardLine, CardPart, CardPicture, CardSection, MapRecord, Subject, View, utcnow
from plugins.evidence.captures.models import CAPTURE_FLOW, SOURCES, VIOLATIONS, Capture
from plugins.evidence.captures.reading import picture_address
from plugins.evidence.cases.models import CASE_FLOW, Case

VIEW = "evidence:view"
CAPTURE, CASE = "evidence.capture", "evidence.case"
DAYS = 30
MOST_LINES, MOST_PICTURES = 6, 6


def subject_of(row: Mapping[str, Any], kind: str, note: str) -> Subject:
    """Return a capture or a case as the map knows it."""
    lon, lat = (row.get("place") or {}).get("coordinates", (None, None))
    return Subject(
        key=str(row["_id"]),
        title=VIOLATIONS[row["violation"]],
        kind=kind,
        area=row["area"],
        lon=lon,
        lat=lat,
        point=row["point"],
        device=row.get("device") or "",
        tone="major",
        note=f"{row['point_name']} {note}".strip(),
    )


def row_of(document: Any, view: View, key: str) -> dict[str, Any] | None:
    """Return a record of the view's scope."""
    if not ObjectId.is_valid(key):
        return None
    found: dict[str, Any] | None = document._get_collection().find_one(
        {"$and": [{"_id": ObjectId(key)}, dict(view.scope)]}
    )
    return found


def read_capture(view: View, key: str) -> Subject | None:
    """Return a capture by its id."""
    row = row_of(Capture, view, key)
    return subject_of(row, "取证", "") if row else None


def read_case(view: View, key: str) -> Subject | None:
    """Return a case by its id."""
    row = row_of(Case, view, key)
    return subject_of(row, "案件", row["number"]) if row else None


def find_cases(view: View, words: str, limit: int) -> Sequence[Subject]:
    """Return the newest cases by the beginning of a number."""
    number = {"number": {"$gte": words.upper(), "$lt": f"{words.upper()}~"}}
    rows = Case._get_collection().find({"$and": [number, dict(view.scope)]}).sort("_id", -1).limit(limit)
    return [subject_of(row, "案件", row["number"]) for row in rows]


def about_capture(view: View, about: Subject) -> CardSection | None:
    """Return what a capture shows, masked."""
    row = row_of(Capture, view, about.key)
    if row is None:
        return None
    found = row.get("found") or {}
    facts = (
        ("点位", row["point_name"]),
        ("来源", row.get("device_name") or SOURCES[row["source"]]),
        ("状态", CAPTURE_FLOW.states[row["state"]]),
        ("识别", f"人脸 {found.get('faces', 0)} 个（已遮盖），物品 {found.get('objects', 0)} 件" if found else ""),
    )
    return CardSection(facts=facts, pictures=pictures([row]), lines=(CardLine("收到", row["received_at"]),))


def about_case(view: View, about: Subject) -> CardSection | None:
    """Return what a case is about, with the masked pictures of its captures."""
    row = row_of(Case, view, about.key)
    if row is None:
        return None
    facts = (
        ("案号", row["number"]),
        ("点位", row["point_name"]),
        ("状态", CASE_FLOW.states[row["state"]] + ("（处罚）" if row.get("penalty") else "")),
    )
    captures = Capture._get_collection().find({"_id": {"$in": list(row.get("captures", ()))[:MOST_PICTURES]}})
    return CardSection(facts=facts, pictures=pictures(captures), lines=(CardLine("首次发现", row["first_at"]),))


def violations(view: View, about: Subject) -> CardSection | None:
    """Return the captures of the last 30 days at the place of a record."""
    if about.around is None:
        return None
    since = {"received_at": {"$gte": utcnow() - timedelta(days=DAYS)}}
    query = {"$and": [about.around, since, dict(view.scope)]}
    found = list(Capture._get_collection().find(query).sort("_id", -1).limit(MOST_LINES + 2))
    rows = [row for row in found if str(row["_id"]) != about.key]
    lines = [
        CardLine(VIOLATIONS[row["violation"]], row["received_at"], tone="major", record=CAPTURE, key=str(row["_id"]))
        for row in rows[:MOST_LINES]
    ]
    count = Capture._get_collection().count_documents(query, limit=1000) if len(rows) > MOST_LINES else len(rows)
    return CardSection(lines=lines, pictures=pictures(rows), more=max(0, count - len(lines))) if lines else None


def pictures(rows: Any) -> list[CardPicture]:
    """Return the masked thumbnails of captures."""
    shown = [
        CardPicture(picture_address(row["thumbnail"]), VIOLATIONS[row["violation"]])
        for row in rows
        if row.get("thumbnail")
    ]
    return shown[:MOST_PICTURES]


RECORDS = [
    MapRecord(name=CAPTURE, title="取证", permission=VIEW, read=read_capture, order=60),
    MapRecord(name=CASE, title="案件", permission=VIEW, read=read_case, find=find_cases, order=50),
]
PARTS = [
    CardPart(
        name="evidence.about_capture",
        title="取证情况",
        permission=VIEW,
        show=about_capture,
        records=(CAPTURE,),
        order=10,
    ),
    CardPart(name="evidence.about_case", title="案件情况", permission=VIEW, show=about_case, records=(CASE,), order=10),
    CardPart(name="evidence.violations", title=f"近 {DAYS} 日违规", permission=VIEW, show=violations, order=50),
]

"""Hear what other modules tell, and settle it for the compound where it happened."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from backend.plugin_api import Event, EventHandler, find_compound
from plugins.ranking.ledger.settling import Told, settle
from plugins.ranking.points import HUNDRED, MOST
from plugins.ranking.rules.triggers import MANUAL, SOURCES, TAKES_BACK, TRIGGERS

#: A compound is the fourth level of the area tree.
DEPTH = 4
#: An event that says it happened longer before it was told than this has a wrong clock.
OLDEST = timedelta(days=366)
WHY = {
    "evidence.case_reopened": "案件重新复核",
    "evidence.case_rejected": "案件已排除",
    "work_order.reopened": "派单重新立案",
}


def hear(event: Event) -> None:
    """Settle one event; what did not happen in a compound is nobody's points."""
    told = read(event)
    if told is not None:
        settle(told)


def read(event: Event) -> Told | None:
    """Return what an event tells of a compound, or None."""
    payload = event.payload
    area = compound_of(str(payload.get("area") or event.area))
    trigger = TRIGGERS.get(event.name)
    source = trigger.source if trigger else TAKES_BACK[event.name]
    key = next(each.key for each in TRIGGERS.values() if each.source == source)
    # What went into another order is told of as closed with it, and counts there.
    if area is None or payload.get("into"):
        return None
    known = [str(payload[name]) for name in key if payload.get(name)]
    source_id = "/".join(known) if len(known) == len(key) else event.id
    return Told(
        event=event.id,
        at=event.occurred_at,
        occurred_at=moment(payload.get("at") or payload.get("finished_at"), event.occurred_at),
        area=area,
        source=source,
        source_id=source_id,
        number=str(payload.get("number") or ""),
        trigger=event.name if trigger else "",
        facts=facts_of(event.name, payload, area),
        points=hundredths(payload.get("points")),
        link=SOURCES[source].address.format_map(defaultdict(str, payload)),
        by=str(payload.get("by") or payload.get("supervisor") or ""),
        note="：".join(str(payload[name]) for name in ("item_title", "note") if payload.get(name))[:1000],
        why=WHY.get(event.name, "来源记录已变更"),
    )


def compound_of(area: str) -> str | None:
    """Return the path of the compound that an area lies in, None above one."""
    parts = area.split("/")
    return "/".join(parts[:DEPTH]) if len(parts) >= DEPTH and all(parts) else None


def facts_of(name: str, payload: Mapping[str, Any], area: str) -> dict[str, Any]:
    """Return what rules may ask of an event: what it says, and whether the compound's own company was at work."""
    facts = dict(payload)
    if name == "work_order.closed":
        compound = find_compound(area.rpartition("/")[2]) if payload.get("handler_organisation") else None
        company = str(compound.organisation) if compound and compound.organisation else ""
        facts["own_company"] = bool(company) and payload["handler_organisation"] == company
    return facts


def moment(text: Any, told_at: datetime) -> datetime:
    """Return when something happened: as the event says if that can be, else when it was told."""
    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo and told_at - OLDEST <= at <= told_at else told_at
    except (TypeError, ValueError, OverflowError):
        return told_at


def hundredths(points: Any) -> int | None:
    """Return points that an event brings along, None without any."""
    if isinstance(points, bool) or not isinstance(points, int | float) or not math.isfinite(points):
        return None
    return max(-MOST, min(MOST, round(points * HUNDRED))) or None


HANDLERS = tuple(
    EventHandler(name=f"ranking.{name.replace('.', '_')}", event=name, handle=hear)
    for name in (*(each for each in TRIGGERS if each != MANUAL), *TAKES_BACK)
)

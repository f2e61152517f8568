"""What people and other modules hand on: the capability `raise_alert`, and confirmed evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.plugin_api import (
    AlertFacts,
    AlertReport,
    Event,
    Problem,
    find_place_near,
    utcnow,
)
from plugins.alerts.alerts.models import Alert, Sighting
from plugins.alerts.intake.places import point_at
from plugins.alerts.intake.reading import believed
from plugins.alerts.intake.seen import Seen, Taken
from plugins.alerts.intake.taking import take_in

#: Waiting sightings that are settled in one transaction.
BATCH = 50
#: How far from a person the point may be that he or she reports of.
NEAR_METRES = 60


def take_report(report: AlertReport, vendor: str = "") -> Taken:
    """Take in one report; raises Problem for a place that nobody knows."""
    now = utcnow()
    at, doubted = believed(report.at, now)
    seen = Seen(
        source=report.source,
        sender=report.reporter if report.source == "person" else "",
        event_id=report.event_id,
        vendor=vendor,
        code=report.kind,
        at=at,
        clock_doubted=doubted,
        received_at=now,
        device=report.device,
        confidence=report.confidence,
        note=report.note,
        reporter=report.reporter,
        link=report.link,
        pictures=tuple({"sha256": each, "media_type": "image/jpeg", "at": at} for each in report.pictures),
        **whereabouts(report),
    )
    [taken] = take_in([seen], known=True)
    return taken


def whereabouts(report: AlertReport) -> dict[str, Any]:
    """Return where a report is of: at its point, in its area, or at the point nearest to its degrees."""
    here = None if report.lon is None or report.lat is None else (report.lon, report.lat)
    place = point_at(report.point)
    if place is None and report.point:
        raise Problem("unknown_place", fields={"point": ["没有这个投放点或集置点。"]})
    if place is None and not report.area and here:
        place = find_place_near(*here, NEAR_METRES)
    if place is None:
        if not report.area:
            raise Problem("unknown_place")
        return {"area": report.area, "place": here}
    known = None if place.lon is None else (place.lon, place.lat)
    return {
        "area": place.area,
        "point": place.code,
        "point_name": place.name,
        "organisation": place.organisation,
        "place": here or known,
    }


def raise_for(report: AlertReport) -> AlertFacts | None:
    """Answer the capability: the alert of a report, or None where its kind waits to be known or nothing is raised."""
    return facts_of(take_report(report))


def facts_of(taken: Taken) -> AlertFacts | None:
    """Return what is told of the alert that something seen belongs to."""
    row = Alert._get_collection().find_one({"_id": taken.alert}) if taken.alert else None
    if row is None:
        return None
    return AlertFacts(
        id=str(row["_id"]),
        number=row["number"],
        kind=row["kind"],
        title=row["kind_name"],
        state=row["state"],
        area=row["area"],
        new=taken.outcome in ("raised", "unconfirmed"),
    )


def raise_for_case(event: Event) -> None:
    """Raise an alert for a case of evidence that was confirmed; told again it is the same one."""
    told = event.payload
    take_report(
        AlertReport(
            kind=told["violation"],
            source="evidence",
            event_id=told["case"],
            at=event.occurred_at,
            area=event.area,
            point=told.get("point") or "",
            note=f"取证案件 {told['number']} 已确认",
            link=f"evidence:{told['case']}",
        ),
        vendor="evidence",
    )


def settle_waiting(event: Event) -> None:
    """Take in what waited for a vendor's code to be mapped, now that it is; what was settled meanwhile is left."""
    told = event.payload
    waiting = {"area": {"$gte": event.area, "$lt": f"{event.area}0"}, "vendor": told["vendor"], "code": told["code"]}
    while rows := list(Sighting._get_collection().find({**waiting, "outcome": "waiting"}).limit(BATCH)):
        taken = take_in([seen_again(row) for row in rows], known=True)
        if all(each.outcome == "repeated" for each in taken):
            return  # the code was taken out again


def seen_again(row: dict[str, Any]) -> Seen:
    """Return a stored sighting as it came in; its limits run from now, when it is first understood."""
    same = {name: row[name] for name in Seen.__dataclass_fields__ if name in row and row[name] is not None}
    place = (row.get("place") or {}).get("coordinates")
    seen = Seen(**{**same, "pictures": tuple(row["pictures"]), "addresses": tuple(row["addresses"]), "place": None})
    return replace(
        seen,
        place=(place[0], place[1]) if place else None,
        clock_doubted=bool(row["clock_doubted"]),
        received_at=utcnow(),
    )

"""Take in what a phone sends: a queue of check-ins, reports and endings, in order, each in a transaction of its own.

Every entry has an id that the phone gave it, so what is sent again changes nothing, wherever an answer was lost or a
process was killed. What is wrong with one entry does not hold up those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    AlertReport,
    NothingMatched,
    Principal,
    Problem,
    atomically,
    audit,
    district_of,
    insert_later,
    publish,
    raise_alert,
    scope_filter,
    settle,
)
from plugins.alerts.intake.places import point_at
from plugins.alerts.kinds.catalogue import catalogue
from plugins.alerts.patrol.claims import (
    Sending,
    answered,
    before_of,
    claim_of,
    latest_of,
    limits,
    spot_of,
)
from plugins.alerts.patrol.closing import result_of, write_round
from plugins.alerts.patrol.codes import compare, sites_of
from plugins.alerts.patrol.judging import SLACK, Judged, judge
from plugins.alerts.patrol.models import PatrolCheckIn, PatrolReport, PatrolRound
from plugins.alerts.patrol.photos import missing
from plugins.alerts.patrol.progress import after_check_in, check_in_row, stop_number
from plugins.alerts.patrol.vocabulary import PATROL

#: How often an entry begins again because another process wrote the same round.
TRIES = 10
CHECK_INS, REPORTS = PatrolCheckIn._get_collection_name(), PatrolReport._get_collection_name()

Row = Mapping[str, Any]


@dataclass
class Result:
    """What became of an entry: taken, suspicious or refused; `repeated` when it had been sent before."""

    client_id: str
    outcome: str
    repeated: bool = False
    flags: Sequence[str] = ()
    problem: Problem | None = None
    alert: str = ""
    alert_number: str = ""


def take_batch(sending: Sending, entries: Sequence[Row]) -> list[Result]:
    """Take in entries in their order; returns what became of each."""
    known = find_known([sending.key(entry["client_id"]) for entry in entries])
    return [known.get(sending.key(entry["client_id"])) or take(sending, entry) for entry in entries]


def take(sending: Sending, entry: Row) -> Result:
    """Take in one entry that was not known a moment ago."""
    for _ in range(TRIES):
        try:
            round_row = find_round(sending.by, entry["round"])
            return TAKERS[entry["kind"]](sending, entry, round_row)
        except Problem as problem:
            return Result(entry["client_id"], "refused", problem=problem)
        except NothingMatched:
            continue  # the round was written meanwhile
        except DuplicateKeyError:
            key = sending.key(entry["client_id"])
            if again := find_known([key]).get(key):
                return again
    raise TimeoutError("Others kept changing the same round.")


def find_known(keys: Sequence[ObjectId]) -> dict[ObjectId, Result]:
    """Return what became of those entries that are known already."""
    found: dict[ObjectId, Result] = {}
    for row in PatrolCheckIn._get_collection().find({"_id": {"$in": list(keys)}}):
        problem = Problem(row["why"], detail=row.get("why_text") or "") if row.get("why") else None
        found[row["_id"]] = Result(row["client_id"], row["outcome"], True, row["flags"], problem)
    for row in PatrolReport._get_collection().find({"_id": {"$in": list(keys)}}):
        found[row["_id"]] = Result(
            row["client_id"], "taken", True, alert=row.get("alert") or "", alert_number=row.get("alert_number") or ""
        )
    return found


def find_round(by: Principal, round_id: str) -> dict[str, Any]:
    """Return a round that the person walks, or may take on; raises Problem."""
    row = PatrolRound._get_collection().find_one({"$and": [{"_id": ObjectId(round_id)}, scope_filter(by, PATROL)]})
    if row is None:
        raise Problem("not_found")
    if row.get("supervisor") not in (None, by.id):
        raise Problem("patrol_not_your_round")
    return row


def take_check_in(sending: Sending, entry: Row, round_row: Row) -> Result:
    """Judge a check-in and write it down with what it changes."""
    by = sending.by
    number = stop_number(round_row, entry["point"])
    place = point_at(entry["point"])
    if number is None or place is None:
        raise Problem("patrol_point_not_in_round")
    stop = round_row["stops"][number]
    space = district_of(stop["area"])
    answers = answered(entry.get("answers", ()), space, stop["kind"])
    named = {*entry.get("photos", ()), *(each for answer in answers for each in answer["photos"])}
    if missing(by.id, space, named):
        raise Problem("patrol_photo_missing")
    site = sites_of([entry["point"]]).get(entry["point"], {})
    claim = claim_of(sending, entry)
    claim = claim_of(sending, entry, compare(entry.get("code", ""), place, site, claim.true_at))
    latest = latest_of(by.id)
    jumped = latest is not None and latest["at"] > claim.true_at + SLACK
    judged = judge(
        claim,
        spot_of(round_row, stop, site),
        limits(),
        None if jumped else before_of(latest),
        entry["point"],
    )
    if jumped and not judged.refused:
        judged = Judged(flags=(*judged.flags, "clock_jumped"), distance=judged.distance)
    row = check_in_row(sending.key(entry["client_id"]), by.id, round_row, entry, claim, judged, answers)

    def write() -> None:
        insert_later(CHECK_INS, row)
        write_round(round_row, round_row["version"], after_check_in(round_row, row, by.name))
        tell(row)
        settle()

    atomically(write)
    problem = Problem(judged.refused, detail=judged.sentence) if judged.refused else None
    return Result(entry["client_id"], row["outcome"], flags=judged.flags, problem=problem)


def tell(row: Row) -> None:
    """Publish a check-in and what was found at it, and note it in the trail."""
    audit.record(
        "alerts.patrol_round.check_in",
        subject="alerts.patrol_round",
        subject_id=str(row["round"]),
        area=row["area"],
        detail={name: row[name] for name in ("point", "outcome", "flags", "why")},
    )
    if row["outcome"] == "refused":
        return
    told = {**about(row), "flags": list(row["flags"])}
    publish("patrol.checked_in", told, area=row["area"])
    tell_findings(row)


def about(row: Row) -> dict[str, Any]:
    """Return what other modules learn of a check-in."""
    return {
        "check_in": str(row["_id"]),
        "round": str(row["round"]),
        "point": row["point"],
        "area": row["area"],
        "supervisor": str(row["supervisor"]),
        "at": row["at"].isoformat(),
        "outcome": row["outcome"],
    }


def tell_findings(row: Row) -> None:
    """Publish what was not in order at a check-in, item by item."""
    for answer in row["answers"]:
        if not answer["ok"]:
            told = {"item": answer["item"], "item_title": answer["title"], "points": answer["points"]}
            shown = {"note": answer["note"], "photos": answer["photos"]}
            publish("patrol.finding", {**about(row), **told, **shown}, area=row["area"])


def take_report(sending: Sending, entry: Row, round_row: Row) -> Result:
    """Hand an event on as an alert, then note it at the round; told again it is the same alert."""
    by = sending.by
    number = stop_number(round_row, entry["point"])
    if number is None:
        raise Problem("patrol_point_not_in_round")
    stop = round_row["stops"][number]
    space = district_of(stop["area"])
    kind = catalogue(space).kinds.get(entry.get("event", ""))
    if kind is None:
        raise Problem("unknown_kind")
    photos = tuple(dict.fromkeys(entry.get("photos", ())))
    if missing(by.id, space, photos):
        raise Problem("patrol_photo_missing")
    at = min(entry["at"], sending.sent_at) + (sending.received_at - sending.sent_at)
    note = entry.get("note", "")
    facts = raise_alert(
        AlertReport(
            kind=kind["code"],
            source="patrol",
            event_id=f"{by.id}:{entry['client_id']}",
            at=at,
            point=entry["point"],
            area=stop["area"],
            lon=entry.get("longitude"),
            lat=entry.get("latitude"),
            note=note,
            pictures=photos,
            reporter=str(by.id),
            link=f"patrol:{round_row['_id']}",
        )
    )
    alert, alert_number = (facts.id, facts.number) if facts else ("", "")
    now = sending.received_at
    row = {
        "_id": sending.key(entry["client_id"]),
        **{"version": 1, "created_at": now, "updated_at": now, "area": stop["area"], "round": round_row["_id"]},
        **{"supervisor": by.id, "client_id": entry["client_id"], "point": entry["point"], "at": at, "note": note},
        **{"kind": kind["code"], "kind_name": kind["name"], "photos": list(photos)},
        **{"alert": alert, "alert_number": alert_number},
    }

    def write() -> None:
        insert_later(REPORTS, row)
        write_round(round_row, round_row["version"], {"reports": round_row["reports"] + 1})
        audit.record(
            "alerts.patrol_round.report",
            subject="alerts.patrol_round",
            subject_id=str(round_row["_id"]),
            area=stop["area"],
            detail={"point": entry["point"], "kind": kind["code"], "alert": alert},
        )
        settle()

    atomically(write)
    return Result(entry["client_id"], "taken", alert=alert, alert_number=alert_number)


def take_finish(sending: Sending, entry: Row, round_row: Row) -> Result:
    """End a round with a summary; what was not visited makes it a part."""
    if round_row.get("finish_id"):
        if round_row["finish_id"] == entry["client_id"]:
            return Result(entry["client_id"], "taken", repeated=True)
        raise Problem("patrol_already_finished")
    if not round_row["done"]:
        raise Problem("patrol_nothing_done")
    at = min(entry["at"], sending.sent_at) + (sending.received_at - sending.sent_at)
    changes = {
        "state": result_of(round_row),
        "finished_at": at,
        "finish_id": entry["client_id"],
        "closed_by": str(sending.by.id),
        "summary": entry.get("note", ""),
    }

    def write() -> None:
        write_round(round_row, round_row["version"], changes)
        audit.record(
            "alerts.patrol_round.finish",
            subject="alerts.patrol_round",
            subject_id=str(round_row["_id"]),
            area=round_row["area"],
            detail={"state": changes["state"]},
        )
        settle()

    atomically(write)
    return Result(entry["client_id"], "taken")


TAKERS: Mapping[str, Callable[[Sending, Row, Row], Result]] = {
    "check_in": take_check_in,
    "report": take_report,
    "finish": take_finish,
}

"""What a check-in changes of its round, and the rows that are written: functions of what is given, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId

from plugins.alerts.patrol.closing import result_of
from plugins.alerts.patrol.judging import Claim, Judged
from plugins.alerts.patrol.vocabulary import FLAGS, OPEN

Row = Mapping[str, Any]


def stop_number(round_row: Row, point: str) -> int | None:
    """Return the place of a point among a round's stops."""
    return next((n for n, stop in enumerate(round_row["stops"]) if stop["point"] == point), None)


def check_in_row(
    key: ObjectId, by: ObjectId, round_row: Row, entry: Row, claim: Claim, judged: Judged, answers: Sequence[Row]
) -> dict[str, Any]:
    """Return a check-in as the store holds it."""
    stop = round_row["stops"][stop_number(round_row, entry["point"]) or 0]
    outcome = "refused" if judged.refused else "suspicious" if judged.flags else "taken"
    named = [*entry.get("photos", ()), *(sha256 for answer in answers for sha256 in answer["photos"])]
    return {
        "_id": key,
        "version": 1,
        "created_at": claim.received_at,
        "updated_at": claim.received_at,
        "area": stop["area"],
        "round": round_row["_id"],
        "supervisor": by,
        "client_id": entry["client_id"],
        "point": entry["point"],
        "at": claim.true_at,
        "until": claim.true_until,
        "phone_at": claim.at,
        "received_at": claim.received_at,
        "clock_offset": claim.offset.total_seconds(),
        "lon": claim.place[0] if claim.place else None,
        "lat": claim.place[1] if claim.place else None,
        "accuracy": claim.accuracy,
        "distance": None if judged.distance is None else round(judged.distance, 1),
        "speed": None if judged.speed is None else round(min(judged.speed, 9999.0), 1),
        "mock": claim.mock,
        "code_way": entry.get("code_way") if claim.code != "none" else None,
        "outcome": outcome,
        "flags": list(judged.flags),
        "why": judged.refused or None,
        "why_text": judged.sentence or None,
        "answers": [dict(answer) for answer in answers],
        "photos": list(dict.fromkeys(named)),
    }


def after_check_in(round_row: Row, check_in: Row, name: str) -> dict[str, Any]:
    """Return what a check-in changes of its round.

    Of two check-ins at one stop the first counts, unless it is doubtful and the other is not. A round that was ended
    by the platform goes on to be what it really was: its supervisor was without a network.
    """
    if check_in["outcome"] == "refused":
        return {"refused": round_row["refused"] + 1}
    stops = [dict(stop) for stop in round_row["stops"]]
    stop = stops[stop_number(round_row, check_in["point"]) or 0]
    bad = sum(not answer["ok"] for answer in check_in["answers"])
    if not stop.get("check_in") or (stop["flags"] and not check_in["flags"]):
        stop |= {"check_in": check_in["_id"], "checked_at": check_in["at"], "flags": check_in["flags"]}
    stop["findings"] = stop.get("findings", 0) + bad
    there = {flag for each in stops for flag in each.get("flags", ())}
    changes = {
        "stops": stops,
        "done": sum(bool(each.get("check_in")) for each in stops),
        "findings": round_row["findings"] + bad,
        "flags": [flag for flag in FLAGS if flag in there],
        "flagged": sum(bool(each.get("flags")) for each in stops),
        "started_at": min(check_in["at"], round_row.get("started_at") or check_in["at"]),
        "supervisor": check_in["supervisor"],
        "supervisor_name": round_row.get("supervisor_name") or name,
    }
    ended = round_row["state"] not in OPEN
    return {**changes, "state": result_of({**round_row, **changes}) if ended else "under_way"}

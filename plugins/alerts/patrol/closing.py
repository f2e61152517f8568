"""How a round ends: by its supervisor, or by the platform when its window is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from backend.plugin_api import (
    LOCAL_ZONE,
    NothingMatched,
    Recipients,
    atomically,
    audit,
    current_settings,
    mark_dirty,
    publish,
    send_message,
    settle,
    update_later,
    utcnow,
)
from plugins.alerts.patrol.generating import METRIC
from plugins.alerts.patrol.judging import GRACE
from plugins.alerts.patrol.models import PatrolRound
from plugins.alerts.patrol.vocabulary import OPEN, STATES

ROUNDS = PatrolRound._get_collection_name()
#: Rounds of one run of the watch; the next one goes on.
MOST = 500

Row = Mapping[str, Any]


def result_of(row: Row) -> str:
    """Return how a round ends, by what was visited."""
    return "finished" if row["done"] >= row["total"] else "partial" if row["done"] else "missed"


def told(row: Row) -> dict[str, Any]:
    """Return what other modules learn of a round that ended."""
    times = {name: row[name].isoformat() if row.get(name) else None for name in ("started_at", "finished_at")}
    return {
        "round": str(row["_id"]),
        "plan": str(row["plan"]),
        "supervisor": str(row["supervisor"] or ""),
        "result": row["state"],
        **{name: row[name] for name in ("done", "total", "findings", "reports", "flagged", "flags")},
        **times,
    }


def write_round(row: Row, version: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Write changes of a round that still has `version`, in the current transaction; returns it as it is then.

    Tells of its end when the changes end it, or end it otherwise than before. Raises NothingMatched at its `settle`.
    """
    after = {**row, **changes}
    values = {**changes, "updated_at": utcnow()}
    update_later(ROUNDS, {"_id": row["_id"], "version": version}, {"$set": values, "$inc": {"version": 1}})
    mark_dirty(METRIC, row["area"], row["starts_at"])
    if after["state"] not in OPEN and after["state"] != row["state"]:
        publish("patrol.round_finished", told(after), area=row["area"])
    return after


def local(moment: datetime) -> str:
    """Return a time as people here write it."""
    return moment.astimezone(LOCAL_ZONE).strftime("%H:%M")


def ending(moment: datetime) -> str:
    """Return when a window ends as people here write it: midnight is the end of its day."""
    return "24:00" if local(moment) == "00:00" else local(moment)


def watch(now: datetime | None = None) -> None:
    """Warn of rounds that are about to be missed, and end those whose window is over."""
    now = now or utcnow()
    soon = now + timedelta(minutes=current_settings().patrol_warning_minutes)
    rounds, still = PatrolRound._get_collection(), {"state": {"$in": list(OPEN)}}
    begun = {"ends_at": {"$gt": now, "$lte": soon}, "starts_at": {"$lte": now}, "warned": False}
    for row in rounds.find({**still, **begun}).limit(MOST):
        attempt(row, lambda row=row: warn(row))
    for row in rounds.find({**still, "ends_at": {"$lte": now - GRACE}}).limit(MOST):
        attempt(row, lambda row=row: end(row, now))


def attempt(row: Row, work: Any) -> None:
    """Do something with a round; one that was changed at the same moment is left to the next run."""

    def whole() -> None:
        work()
        settle()

    try:
        atomically(whole)
    except NothingMatched:
        return


def warn(row: Row) -> None:
    """Tell the supervisor that a round is about to be missed."""
    write_round(row, row["version"], {"warned": True})
    nearest = Recipients(role="supervisor", area=row["area"])
    send_message(
        "alerts.patrol_due",
        to=Recipients(accounts=(str(row["supervisor"]),)) if row["supervisor"] else nearest,
        values={"plan": row["plan_name"], "until": ending(row["ends_at"]), "left": row["total"] - row["done"]},
        about=("alerts.patrol_round", str(row["_id"])),
        area=row["area"],
        dedupe=str(row["_id"]),
        urgent=True,
    )


def end(row: Row, now: datetime) -> None:
    """End a round whose window is over; the community is told unless everything was visited."""
    state = result_of(row)
    write_round(row, row["version"], {"state": state, "finished_at": now, "closed_by": "platform"})
    audit.record(
        "alerts.patrol_round.close",
        subject="alerts.patrol_round",
        subject_id=str(row["_id"]),
        area=row["area"],
        detail={"state": state},
    )
    if state == "finished":
        return
    window = f"{local(row['starts_at'])} 至 {ending(row['ends_at'])}"
    send_message(
        "alerts.patrol_missed",
        to=Recipients(role="community_staff", area=row["area"]),
        values={
            "plan": row["plan_name"],
            "window": window,
            "supervisor": row.get("supervisor_name") or "未指派",
            "state": STATES[state],
            "done": row["done"],
            "total": row["total"],
        },
        about=("alerts.patrol_round", str(row["_id"])),
        area=row["area"],
        dedupe=str(row["_id"]),
    )

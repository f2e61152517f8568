"""What staff and work orders do to alerts; each step is state, event, audit entry and figures in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Forbidden,
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    atomically,
    audit,
    current_actor,
    insert_later,
    mark_dirty,
    publish,
    require,
    scope_filter,
    settle,
    update_later,
    utcnow,
)
from plugins.alerts.alerts.models import ALERT_FLOW, MOST_PICTURES, Alert, Sighting
from plugins.alerts.alerts.notifying import tell_role
from plugins.alerts.intake.raising import METRIC, limits_of, told

HANDLE = "alerts:handle"
#: What other modules are told of a step; the rest is for the timeline alone.
TOLD = {
    "confirm": "alert.raised",
    "dismiss": "alert.dismissed",
    "close": "alert.closed",
    "reopen": "alert.reopened",
    "merge": "alert.merged",
}


def find_alert(by: Principal, alert_id: ObjectId, permission: str = "alerts:view") -> Alert:
    """Return an alert; raises Problem `not_found` outside what the person may treat with `permission`."""
    scope = scope_filter(by, permission, organisation_field="organisation")
    alert: Alert | None = Alert.objects(__raw__={"$and": [{"_id": alert_id}, scope]}).first()
    if alert is None:
        raise Problem("not_found")
    return alert


def step(by: Principal, alert: Alert, verb: str, reason: str = "") -> Alert:
    """Have a person confirm, dismiss, close or reopen an alert; raises IllegalTransition where that leads nowhere."""
    require(by, HANDLE, alert.area, alert.organisation)
    return move(alert, verb, reason)


def move(alert: Alert, verb: str, reason: str = "", changes: Mapping[str, Any] | None = None) -> Alert:
    """Move an alert on, and tell of it; raises IllegalTransition and StaleVersion."""
    now = utcnow()
    new = {**effects(alert, verb, reason, now), **(changes or {})}

    def write() -> Alert:
        after = ALERT_FLOW.fire(alert, verb, actor=current_actor(), note=reason, changes=new, at=now)
        note(after, verb, {"from": alert.state, "to": after.state, "reason": reason})
        mark_dirty(METRIC, after.area, after.raised_at)
        if verb == "confirm":
            tell_role(after.to_mongo())
        if verb in TOLD:
            into = {"merged_into": str(after.merged_into)} if verb == "merge" else {}
            publish(TOLD[verb], {**told(after.to_mongo()), "reason": reason, **into}, area=after.area)
        return after

    return atomically(write)


def effects(alert: Alert, verb: str, reason: str, now: datetime) -> dict[str, Any]:
    """Return the fields that a step sets besides the state."""
    first = {} if alert.responded_at else {"responded_at": now}
    match verb:
        case "confirm" | "reopen" | "split":
            respond_by, close_by = limits_of(kind_of(alert), alert.area, now)
            return {
                "respond_by": respond_by,
                "close_by": close_by,
                "responded_at": None,
                "closed_at": None,
                "close_seconds": None,
                "late": None,
                "merged_into": None,
            }
        case "close":
            taken = round((now - alert.raised_at).total_seconds())
            late = int(now > alert.close_by)
            return {**first, "closed_at": now, "close_seconds": taken, "late": late, "reason": reason}
        case "dismiss":
            return {**first, "reason": reason}
    return first


def kind_of(alert: Alert) -> dict[str, Any]:
    """Return what an alert kept of the limits of its kind."""
    return {name: alert[name] for name in ("respond_minutes", "close_minutes", "limit_unit")}


def note(alert: Alert, verb: str, detail: Mapping[str, Any]) -> None:
    """Write a step into the audit trail."""
    audit.record(
        f"alerts.alert.{verb}",
        subject="alerts.alert",
        subject_id=str(alert.id),
        area=alert.area,
        detail={name: value for name, value in detail.items() if value},
    )


def merge(by: Principal, alert: Alert, into: ObjectId, reason: str) -> Alert:
    """Make an alert a part of another one of its district; raises Problem `not_mergeable`."""
    target = find_alert(by, into, HANDLE)
    require(by, HANDLE, alert.area, alert.organisation)
    return merge_into(alert, target, reason)


def merge_into(alert: Alert, target: Alert, reason: str) -> Alert:
    """Count an alert into another; what is seen of it from now on counts there. Returns it as merged."""
    if alert.id == target.id or target.state not in ("unconfirmed", "raised", "dispatched"):
        raise Problem("not_mergeable")
    pictures = [*target.pictures, *alert.pictures][:MOST_PICTURES]
    changes: dict[str, Any] = {
        "$inc": {"count": alert.count, "version": 1},
        "$min": {"first_at": alert.first_at},
        "$max": {"last_at": alert.last_at},
        "$addToSet": {"slots": {"$each": list(alert.slots)}},
        "$set": {"pictures": pictures, "updated_at": utcnow()},
    }

    def write() -> Alert:
        after = move(alert, "merge", reason, {"merged_into": target.id})
        update_later("alerts", {"_id": target.id, "version": target.version}, changes)
        note(target, "absorb", {"alert": str(alert.id), "number": alert.number, "reason": reason})
        return after

    return atomically(write)


def split(by: Principal, alert: Alert, reason: str) -> Alert:
    """Take an alert out of the one that it was merged into; it is then open by itself."""
    target = Alert.objects(id=alert.merged_into).first()

    def write() -> Alert:
        after = step(by, alert, "split", reason)
        if target is not None:
            # Its own slot stays: what is seen there belongs to whichever of the two is nearer in time.
            gone = [slot for slot in alert.slots if slot != target.slots[0]]
            changes = {"$inc": {"count": -alert.count, "version": 1}, "$pull": {"slots": {"$in": gone}}}
            update_later("alerts", {"_id": target.id}, changes)
        return after

    return atomically(write)


def many(by: Principal, alerts: Sequence[ObjectId], verb: str, reason: str) -> list[dict[str, Any]]:
    """Do one step with many alerts, each by itself; returns what became of each."""
    scope = scope_filter(by, HANDLE, organisation_field="organisation")
    found = {each.id: each for each in Alert.objects(__raw__={"$and": [{"_id": {"$in": list(alerts)}}, scope]})}
    results = []
    for alert_id in dict.fromkeys(alerts):
        result = {"id": str(alert_id), "done": False, "state": None, "reason": "没有此事件，或不在您的管理区域内。"}
        if (alert := found.get(alert_id)) is not None:
            result["state"] = alert.state
            try:
                result |= {"done": True, "state": step(by, alert, verb, reason).state, "reason": ""}
            except Forbidden:
                result["reason"] = "您没有处理此事件的权限。"
            except IllegalTransition as error:
                result["reason"] = f"事件{ALERT_FLOW.states[error.state]}，不能执行此操作。"
            except StaleVersion:
                result["reason"] = "事件刚被他人修改，请刷新后重试。"
        results.append(result)
    return results


def add_pictures(by: Principal, alert: Alert, kept: Sequence[Mapping[str, Any]]) -> None:
    """Add a person's pictures to an alert, as something seen by that person."""
    require(by, "alerts:report", alert.area, alert.organisation)
    now = utcnow()
    row = {
        "_id": ObjectId(),
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "outcome": "counted",
        "alert": alert.id,
        "area": alert.area,
        "source": "person",
        "sender": str(by.id),
        "event_id": str(ObjectId()),
        "code": alert.kind,
        "kind": alert.kind,
        "at": now,
        "received_at": now,
        "settled_at": now,
        "reporter": str(by.id),
        "pictures": list(kept),
    }
    shown = {"$push": {"pictures": {"$each": list(kept), "$slice": MOST_PICTURES}}, "$inc": {"version": 1}}

    def write() -> None:
        insert_later(Sighting._get_collection_name(), row)
        update_later("alerts", {"_id": alert.id}, shown)
        note(alert, "add_pictures", {"pictures": [each["sha256"] for each in kept]})
        settle()

    atomically(write)

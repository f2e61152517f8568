"""What people put into the ledger: points by hand, with reason and photos, and the taking back of points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Principal,
    Problem,
    atomically,
    audit,
    district_of,
    find_compound,
    permitted,
    require,
    utcnow,
)
from backend.plugin_api import settle as send_what_waits
from plugins.ranking.ledger.booking import end_charge, make_sure, open_book, rebook
from plugins.ranking.ledger.models import Charge
from plugins.ranking.ledger.photos import keep
from plugins.ranking.ledger.settling import Told, settle
from plugins.ranking.points import DECIDE, ENTER, local_day
from plugins.ranking.rules.keeping import editions_of, id_of, in_force
from plugins.ranking.rules.triggers import MANUAL

#: How long after it was seen something may be entered by hand.
LATEST = timedelta(days=31)


def enter(by: Principal, values: Mapping[str, Any], photos: Sequence[bytes], key: str = "") -> Charge:
    """Enter points by hand and return the charge; the same `key` of the same person always means the same one.

    Raises Forbidden outside the own area, Problem `invalid`, `rule_unknown`, `photo_missing` and for bad photos.
    """
    compound = find_compound(values["compound"])
    if compound is None:
        raise Problem("invalid", fields={"compound": ["没有这个小区。"]})
    require(by, ENTER, compound.area, compound.organisation)
    at = occurred(values.get("occurred_at"))
    rule = manual_rule(compound.area, values["rule"], at)
    entry_id = id_of("manual", str(by.id), key) if key else ObjectId()
    charge_id = id_of("charge", str(entry_id), rule["code"])
    if known := Charge.objects(id=charge_id).first():
        return known
    if not photos:
        raise Problem("photo_missing", fields={"photos": ["请上传现场照片。"]})
    pictures = keep(photos, compound.area)
    make_sure(compound.code)
    told = Told(
        event=str(entry_id),
        at=utcnow(),
        occurred_at=at,
        area=compound.area,
        source=MANUAL,
        source_id=str(entry_id),
        number=f"JC{local_day(at).replace('-', '')}-{str(entry_id)[-6:].upper()}",
        trigger=MANUAL,
        rule=rule["code"],
        link=f"/ranking/charges#{charge_id}",
        by=str(by.id),
        by_name=by.name,
        note=values["reason"],
        photos=tuple(pictures),
    )

    def write() -> Charge:
        settle(told)
        where = {"subject": "ranking.charge", "subject_id": str(charge_id), "area": compound.area}
        audit.record("ranking.charge.enter", **where, detail={"rule": rule["code"], "reason": values["reason"]})
        return Charge.objects.get(id=charge_id)

    return atomically(write)


def occurred(given: datetime | None) -> datetime:
    """Return when something was seen; raises Problem for what lies ahead or too long ago."""
    now = utcnow()
    at = given or now
    if not now - LATEST <= at <= now + timedelta(minutes=5):
        raise Problem("invalid", fields={"occurred_at": [f"须为最近 {LATEST.days} 天内的时间。"]})
    return min(at, now)


def manual_rule(area: str, code: str, at: datetime) -> Mapping[str, Any]:
    """Return the rule that a person enters points by; raises Problem `rule_unknown`."""
    for rule in in_force(editions_of(district_of(area)), local_day(at)):
        if rule["code"] == code and rule["event"] == MANUAL:
            return rule
    raise Problem("rule_unknown", fields={"rule": ["没有这条人工检查细则，或当日未生效。"]})


def annul(by: Principal, charge: Charge, reason: str) -> Charge:
    """Take back what was booked for a charge, and return it; whoever entered it may, and whoever decides appeals.

    Raises Forbidden, and Problem `conflict` where it stands no longer or an appeal waits to be decided.
    """
    if not may_annul(by, charge):
        require(by, DECIDE, charge.area)
    if charge.state != "standing":
        raise Problem("conflict", detail="这项计分已经冲销或撤销。")
    if charge.appeal == "filed":
        raise Problem("conflict", detail="这项扣分有申诉待裁决，请先裁决申诉。")

    def write() -> Charge:
        close(charge.id, reason)
        where = {"subject": "ranking.charge", "subject_id": str(charge.id), "area": charge.area}
        audit.record("ranking.charge.annul", **where, detail={"reason": reason, "number": charge.number})
        return Charge.objects.get(id=charge.id)

    return atomically(write)


def may_annul(by: Principal, charge: Charge) -> bool:
    """Tell whether a person may take a charge back."""
    own = charge.given_by == str(by.id) and permitted(by, ENTER, charge.area)
    return charge.state == "standing" and (own or permitted(by, DECIDE, charge.area))


def close(charge_id: ObjectId, why: str) -> None:
    """Let a charge stand no longer and book the opposite, in the current transaction; raises Problem `conflict`."""
    row = Charge._get_collection().find_one({"_id": charge_id})
    last, now = open_book(row["compound"]), utcnow()
    row = Charge._get_collection().find_one({"_id": charge_id, "state": "standing"})
    if row is None:
        raise Problem("conflict", detail="这项计分已经冲销或撤销。")
    end_charge(row, "annulled", why, now)
    rebook(row["compound"], last, [row["window"]], now)
    send_what_waits()

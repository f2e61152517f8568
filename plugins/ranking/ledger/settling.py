"""Settle what a record of another module, or a person, has told last: the charges that stand for it are those of that.

Told again it changes nothing, and what is told late finds that something later counts already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import ObjectId

from backend.plugin_api import atomically, district_of, find_compound, utcnow
from plugins.ranking.ledger.allocating import window_of
from plugins.ranking.ledger.booking import end_charge, make_sure, open_book, rebook
from plugins.ranking.ledger.limits import appeal_deadline
from plugins.ranking.ledger.models import Charge, Picture, Subject
from plugins.ranking.points import MOST, local_day
from plugins.ranking.rules.keeping import editions_of, id_of, in_force
from plugins.ranking.rules.triggers import matches

Row = dict[str, Any]
#: What the number of a record begins with that its module calls by none.
SHORT = {"case": "AJ", "finding": "XJ", "round": "XJ", "order": "PD", "manual": "JC"}


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something told of a record: `event` is its id, `at` when it was told, `occurred_at` when that happened.

    `trigger` is what rules match; empty takes back whatever the record gave. `points` are what it brings along itself,
    in hundredths; `rule` names the only rule that is meant.
    """

    event: str
    at: datetime
    occurred_at: datetime
    area: str
    source: str
    source_id: str
    number: str = ""
    trigger: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    points: int | None = None
    rule: str = ""
    link: str = ""
    by: str = ""
    by_name: str = ""
    note: str = ""
    photos: tuple[Picture, ...] = ()
    why: str = "来源记录已变更"

    @property
    def compound(self) -> str:
        """The code of the compound."""
        return self.area.rpartition("/")[2]

    @property
    def subject(self) -> str:
        """The name of what it is about."""
        return f"{self.source}/{self.source_id}"


def settle(told: Told) -> bool:
    """Book what follows from something told of a compound; returns False where something later was told before."""
    drafts = drafts_of(told)
    make_sure(told.compound)

    def write() -> bool:
        last, now = open_book(told.compound), utcnow()
        subjects, charges = Subject._get_collection(), Charge._get_collection()
        known = subjects.find_one({"_id": told.subject})
        if known is not None and (known["at"], known["event"]) >= (told.at, told.event):
            return False
        latest = {"at": told.at, "event": told.event, "updated_at": now}
        if known is None:
            subjects.insert_one({"_id": told.subject, "version": 1, "created_at": now, **latest})
        else:
            subjects.update_one({"_id": told.subject}, {"$set": latest, "$inc": {"version": 1}})
        gone = list(charges.find({"subject": told.subject, "state": "standing"}))
        for each in gone:
            end_charge(each, "withdrawn", told.why, now)
        if drafts:
            charges.insert_many([dict(each) for each in drafts])
        # A record seldom moves to another compound; where it does, the book of that one is opened too.
        for compound in sorted({told.compound, *(each["compound"] for each in gone)}):
            windows = [each["window"] for each in (*gone, *drafts) if each["compound"] == compound]
            rebook(compound, last if compound == told.compound else open_book(compound), windows, now)
        return True

    return atomically(write)


def drafts_of(told: Told) -> list[Row]:
    """Return the charges that rules make of something told, as they are before anything is booked."""
    if not told.trigger:
        return []
    day = local_day(told.occurred_at)
    rules = [
        rule
        for rule in in_force(editions_of(district_of(told.area)), day)
        if rule["event"] == told.trigger
        and (not told.rule or rule["code"] == told.rule)
        and matches(rule["conditions"], told.facts)
    ]
    if not rules:
        return []
    compound = find_compound(told.compound)
    return [draft(told, rule, day, compound.organisation if compound else None) for rule in rules]


def draft(told: Told, rule: Mapping[str, Any], day: str, organisation: ObjectId | None) -> Row:
    """Return the charge that one rule makes."""
    points = int(rule["points"])
    if rule["by_event"] and told.points is not None:
        points = min(abs(told.points), MOST) * (1 if points > 0 else -1)
    now = utcnow()
    charge = Charge(
        id=id_of("charge", told.event, rule["code"]),
        area=told.area,
        compound=told.compound,
        organisation=organisation,
        rule=rule["code"],
        edition=rule["edition"],
        title=rule["title"],
        points=points,
        cap_day=rule["cap_day"],
        cap_period=rule["cap_period"],
        window=window_of(told.compound, rule["code"], rule["period"], day),
        day=day,
        occurred_at=told.occurred_at,
        booked_at=now,
        source=told.source,
        source_id=told.source_id,
        subject=told.subject,
        number=told.number or f"{SHORT[told.source]}{told.source_id.partition('/')[0][-8:].upper()}",
        link=told.link[:300] or None,
        event=told.event,
        given_by=told.by or None,
        given_name=told.by_name or None,
        note=told.note or None,
        photos=list(told.photos),
        appeal_by=appeal_deadline(told.area, now, rule["appeal_days"]),
        created_at=now,
        updated_at=now,
    )
    charge.validate()
    row: Row = charge.to_mongo().to_dict()
    return row

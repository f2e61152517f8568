"""From an order to the inboxes: one message for each person, or one that sums up many that came too fast.

Each batch of people is one transaction that also notes whom it reached. So an order that is delivered again, after a
crash or because it was sent twice, finds out who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from backend import settings
from backend.events import Event, EventHandler
from backend.messages.carrying import address_to_channels
from backend.messages.models import Message, MessageOrder, MessageRate
from backend.messages.recipients import people_of
from backend.messages.records import MessageTemplate
from backend.messages.registry import template_of
from backend.messages.sending import ORDERED, Order, order_of
from backend.messages.templates import Wording, wording_of
from backend.messages.wording import filled, filled_address
from backend.protection import encrypt_field
from backend.storage import LOCAL_ZONE, atomically, utcnow

#: People in one transaction.
BATCH = 200
#: A person gets so many of one template in this time one by one (`messages_per_hour`); the rest is summed up.
RATE_PERIOD = timedelta(hours=1)
#: Two workers that deliver to one person at once may make the same record; the second tries again.
TRIES = 5
CONFLICTS = {11000, 112}  # a duplicate key, a write conflict


@dataclass(frozen=True)
class Letter:
    """What an order says, ready to be put into inboxes."""

    order: Order
    template: MessageTemplate
    wording: Wording

    def message(self, to: ObjectId, now: datetime) -> dict[str, Any]:
        """Return a person's message as stored."""
        text = filled(self.wording.text, self.order.values)
        return self._stored(to, now, text, filled_address(self.template.href, self.order.values))

    def digest(self, to: ObjectId, now: datetime, settles_at: datetime) -> dict[str, Any]:
        """Return the message, as stored, that sums up this one and all that come until `settles_at`."""
        since = now.astimezone(LOCAL_ZONE).strftime("%H:%M")
        text = f"同类消息过多，{since} 起的未逐条显示，已合并为这一条。"
        of_many = {"summed": 1, "settles_at": settles_at, "subject": "", "subject_id": ""}
        return {**self._stored(to, now, text, self.template.list_href), **of_many}

    def _stored(self, to: ObjectId, now: datetime, text: str, href: str) -> dict[str, Any]:
        id = ObjectId()
        return {
            "_id": id,
            "version": 1,
            "created_at": now,
            "updated_at": now,
            "to": to,
            "template": self.template.name,
            "title": self.wording.title,
            "text": encrypt_field(Message, id, "text", text),
            "href": href,
            "subject": self.order.subject,
            "subject_id": self.order.subject_id,
            "area": self.order.area,
            "urgent": self.order.urgent,
            "summed": 0,
            "read_at": None,
        }


def deliver(event: Event) -> None:
    """Put the message of an order into the inboxes of all who are meant, and on its way over the channels."""
    order = order_of(event)
    template = template_of(order.template)
    letter = Letter(order, template, wording_of(template))
    for people in _batches(people_of(order.to)):
        _again_on_conflict(partial(_deliver_to, people, letter))


HANDLER = EventHandler(name="messages.deliver", event=ORDERED, handle=deliver, timeout_seconds=300)


def _deliver_to(people: Sequence[ObjectId], letter: Letter) -> None:
    now = utcnow()
    new = _not_reached(people, letter.order.key, now)
    if not new:
        return
    rates = _rates_of(new, letter.template.name)
    most = settings.current().messages_per_hour
    made, counted, grown = [], [], []
    for person in new:
        rate = rates.get(person)
        if rate is None or rate["since"] + RATE_PERIOD <= now:
            rate = {**(rate or {}), "since": now, "count": 0, "digest": None}
        if rate["count"] < most:
            made.append(letter.message(person, now))
            rate = {**rate, "count": rate["count"] + 1}
        elif rate["digest"] is None:
            made.append(letter.digest(person, now, rate["since"] + RATE_PERIOD))
            rate = {**rate, "digest": made[-1]["_id"]}
        else:
            grown.append(_growth(rate["digest"], letter.order.urgent, now))
            continue
        counted.append(_rate_write(person, letter.template.name, rate, now))
    if made:
        Message._get_collection().insert_many(made)
    if counted:
        MessageRate._get_collection().bulk_write(counted)
    if grown:
        Message._get_collection().bulk_write(grown)
    for each in made:
        address_to_channels(each["_id"], letter.wording.channels, letter.order.area)


def _not_reached(people: Sequence[ObjectId], key: str, now: datetime) -> list[ObjectId]:
    """Return those whom the order has not reached yet, and note in the transaction that it does."""
    orders = MessageOrder._get_collection()
    stored = orders.find_one({"key": key}, {"reached": 1})
    if stored is None:
        new = {"_id": ObjectId(), "version": 1, "created_at": now, "updated_at": now, "key": key}
        orders.insert_one({**new, "reached": list(people)})
        return list(people)
    known = set(stored["reached"])
    fresh = [person for person in people if person not in known]
    if fresh:
        changes = {"$push": {"reached": {"$each": fresh}}, "$inc": {"version": 1}, "$set": {"updated_at": now}}
        orders.update_one({"_id": stored["_id"]}, changes)
    return fresh


def _rates_of(people: Sequence[ObjectId], template: str) -> Mapping[ObjectId, dict[str, Any]]:
    rows = MessageRate._get_collection().find({"to": {"$in": list(people)}, "template": template})
    return {row["to"]: row for row in rows}


def _rate_write(person: ObjectId, template: str, rate: Mapping[str, Any], now: datetime) -> InsertOne | UpdateOne:
    values = {name: rate[name] for name in ("since", "count", "digest")} | {"updated_at": now}
    if "_id" in rate:
        return UpdateOne({"_id": rate["_id"]}, {"$set": values, "$inc": {"version": 1}})
    return InsertOne({"_id": ObjectId(), "version": 1, "created_at": now, "to": person, "template": template, **values})


def _growth(digest: ObjectId, urgent: bool, now: datetime) -> UpdateOne:
    # Who has read it already has something new to read.
    changes: dict[str, Any] = {"read_at": None, "updated_at": now} | ({"urgent": True} if urgent else {})
    return UpdateOne({"_id": digest}, {"$set": changes, "$inc": {"summed": 1, "version": 1}})


def _batches(people: Sequence[ObjectId]) -> Iterator[Sequence[ObjectId]]:
    return (people[start : start + BATCH] for start in range(0, len(people), BATCH))


def _again_on_conflict(work: Callable[[], None]) -> None:
    """Do the work in a transaction, again when another worker has just made the same record."""
    for last in (*[False] * (TRIES - 1), True):
        try:
            return atomically(work)
        except DuplicateKeyError:
            if last:
                raise
        except BulkWriteError as error:
            if last or any(each["code"] not in CONFLICTS for each in error.details["writeErrors"]):
                raise

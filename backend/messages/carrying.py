"""A message on its way over the channels: one delivery for each, with the retries of the outbox.

What is stored of a delivery is which message and which channel; whom it reaches under which number is read when it is
sent. A worker killed between sending and noting so sends that one again: a channel whose other side knows
`Outgoing.id` has one effect all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bson import ObjectId

from backend.events import Event, EventHandler, Postponed, publish
from backend.identity import User
from backend.messages.choices import choice_of
from backend.messages.models import Message
from backend.messages.quiet import quiet_until
from backend.messages.records import Channel, Outgoing
from backend.messages.registry import channel_of, named_channels
from backend.messages.wording import shortened
from backend.monitoring import get_logger
from backend.monitoring.redaction import redact_text
from backend.storage import utcnow

log = get_logger(__name__)

#: The event that one delivery is.
ADDRESSED = "message.addressed"


class ChannelFailed(Exception):
    """A channel raised; the message names it and holds nothing private."""


def address_to_channels(message: ObjectId, wanted: Iterable[str], area: str) -> None:
    """Send a message on its way over the channels that its template means, in the current transaction."""
    for channel in named_channels(wanted):
        publish(ADDRESSED, {"message": str(message), "channel": channel}, area=area)


def carry(event: Event) -> None:
    """Hand one message to one channel.

    What its person has read by then, switched off, or cannot get there is left out. Raises Postponed in quiet hours
    and while a message still sums up others; ChannelFailed.
    """
    message = Message.objects(id=ObjectId(event.payload["message"])).first()
    channel = channel_of(event.payload["channel"])
    if message is None or channel is None or message.read_at is not None:
        return
    person = User.objects(id=message.to, active=True).first()
    choice = choice_of(message.to)
    if person is None or not choice.takes(channel.name):
        return
    now = utcnow()
    if message.settles_at is not None and message.settles_at > now:
        raise _later("It still sums up others.", message.settles_at, now)
    until = quiet_until(now, choice.quiet_hours)
    if until is not None and not message.urgent:
        raise _later("Quiet hours.", until, now)
    outgoing = outgoing_to(person, message, channel)
    if channel.needs_phone and not outgoing.phone:
        return
    try:
        channel.send(outgoing)
    except Exception as error:
        # What a channel says may hold the number or the text; it would be stored and logged.
        raise ChannelFailed(f"{channel.name}: {type(error).__name__}: {said_by(error, outgoing)}") from None
    log.info("message_sent", channel=channel.name, message=str(message.id))


HANDLER = EventHandler(name="messages.carry", event=ADDRESSED, handle=carry, queue="outbound")


def outgoing_to(person: User, message: Message, channel: Channel) -> Outgoing:
    """Return what a channel gets of a message."""
    return Outgoing(
        id=f"{message.id}-{channel.name}",
        account=str(person.id),
        name=person.name,
        phone=person.phone or "",
        title=message.title,
        text=shortened(text_of(message.text, message.summed), channel.max_length),
        href=message.href,
        urgent=message.urgent,
        at=message.created_at,
    )


def text_of(text: str, summed: int) -> str:
    """Return a message's text; one that sums up others begins with how many."""
    return f"共 {summed} 条。{text}" if summed else text


def said_by(error: Exception, outgoing: Outgoing) -> str:
    """Return what an error says, without anything private of the message that it may repeat."""
    said = str(error)
    for private in (outgoing.phone, outgoing.text, outgoing.name):
        said = said.replace(private, "[removed]") if private else said
    return redact_text(said)


def _later(reason: str, at: datetime, now: datetime) -> Postponed:
    return Postponed(reason, seconds=int((at - now).total_seconds()) + 1)

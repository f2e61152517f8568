"""What is told to whom, and over which way: the typed records of messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from backend.messages.wording import check_wording, fields_of, is_own_address

#: In `MessageTemplate.channels`: every channel that carries by default.
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class MessageTemplate:
    """What people are told on one kind of occasion: `text` and `href` hold named fields, such as `{number}`.

    `channels` carry it beside the inbox: `all` is every channel that carries by default, () the inbox alone, and a
    name that no installed channel has is passed over. `urgent` ones pass quiet hours. `fields` says in Chinese what
    fields mean and may name more than the texts use: administrators may word the text anew with any of them.
    `list_href` is where a message leads that sums up many. Raises ValueError when the record cannot be right.
    """

    name: str
    title: str
    text: str
    href: str = ""
    channels: tuple[str, ...] = (ALL,)
    urgent: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    list_href: str = ""

    def __post_init__(self) -> None:
        check_wording(self.title, self.text, self.known_fields)
        for address in (self.href, self.list_href):
            if address and not is_own_address(address):
                raise ValueError(f"Message template {self.name}: {address!r} is no address of this platform.")
        if fields_of(self.list_href):
            raise ValueError(f"Message template {self.name}: list_href belongs to many messages and has no fields.")

    @property
    def known_fields(self) -> frozenset[str]:
        """The fields that a sender has to give, and that a wording may use."""
        return frozenset({*fields_of(self.text), *fields_of(self.href), *self.fields})


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """Who is told: accounts by their ids, or who holds a role, or the people of an organisation (its id).

    A role is looked for in `area` and then above it, and the nearest area where somebody holds it decides: those who
    are responsible there. With `below` it is everybody who holds it in the area and below. Grants that are bound to
    an organisation count only when `organisation` names that one. It is looked up when the message is delivered.
    Raises ValueError unless it says one of the three.
    """

    accounts: tuple[str, ...] = ()
    role: str = ""
    area: str = ""
    below: bool = False
    organisation: str = ""

    def __post_init__(self) -> None:
        if bool(self.accounts) == bool(self.role or self.organisation):
            raise ValueError("Recipients are accounts, or a role in an area, or an organisation.")


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message on its way to one person; `id` stays the same when it is sent again.

    `account` is the account's id. `phone` is read for this one attempt and empty where there is none; whoever logs or
    keeps an `Outgoing` shows neither phone nor text.
    """

    id: str
    account: str
    name: str
    title: str
    text: str = field(repr=False)
    href: str
    urgent: bool
    at: datetime
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way to people beside the inbox, such as a work notice or an SMS.

    `send` hands one message over and raises when that failed: it is tried again with growing pauses. It may be called
    again with the same `Outgoing.id` after a crash. A text longer than `max_length` characters is cut, 0 is no limit;
    with `needs_phone` people without a number are left out; `by_default` says whether `all` in a template means it.
    """

    name: str
    title: str
    send: Callable[[Outgoing], None]
    max_length: int = 0
    needs_phone: bool = False
    by_default: bool = True

"""An order to tell people something: stored with the change that it tells of, delivered by the workers after."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bson import ObjectId

from backend.events import Event, publish
from backend.messages.models import Message
from backend.messages.records import Recipients
from backend.messages.registry import template_of
from backend.protection import decrypt_field, encrypt_field

#: The event that an order is; its values are sealed, for they may be private.
ORDERED = "message.ordered"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What `send_message` was called with. `key` is the same for orders that are to reach a person once together."""

    key: str
    template: str
    to: Recipients
    values: Mapping[str, str]
    subject: str
    subject_id: str
    area: str
    urgent: bool


def send_message(
    template: str,
    *,
    to: Recipients,
    values: Mapping[str, str | int | float],
    about: tuple[str, str] | None = None,
    area: str = "",
    dedupe: str = "",
    urgent: bool = False,
) -> None:
    """Tell people something, once the current transaction is committed.

    `values` fill the fields of the template, `about` is the kind and id of the record that it is about, `area` where
    that lies. A person gets one message for a template and `dedupe`, however often it is sent; without `dedupe` each
    call is one of its own. `urgent` passes quiet hours. Raises LookupError for an unknown template, ValueError for
    values that are missing, and RuntimeError outside `atomically`.
    """
    known = template_of(template).known_fields
    if missing := sorted(known - values.keys()):
        raise ValueError(f"The message {template} needs values for {', '.join(missing)}.")
    filling = json.dumps({name: str(values[name]) for name in known}, ensure_ascii=False)
    # The ciphertext opens for this order alone; the id is no more than a name for it.
    order = str(ObjectId())
    subject, subject_id = about or ("", "")
    publish(
        ORDERED,
        {
            "order": order,
            "template": template,
            "to": {**asdict(to), "accounts": list(to.accounts)},
            "values": base64.b64encode(encrypt_field(Message, order, "values", filling)).decode(),
            "subject": subject,
            "subject_id": subject_id,
            "dedupe": dedupe,
            "urgent": urgent or template_of(template).urgent,
        },
        area=area,
    )


def order_of(event: Event) -> Order:
    """Return the order that an event is."""
    told: Mapping[str, Any] = event.payload
    sealed = base64.b64decode(told["values"])
    to = {**told["to"], "accounts": tuple(told["to"]["accounts"])}
    return Order(
        # An order without `dedupe` is one of its own; a space never stands in an event's id.
        key=f"{told['template']} {told['dedupe']}" if told["dedupe"] else f"{event.id}",
        template=told["template"],
        to=Recipients(**to),
        values=json.loads(decrypt_field(Message, told["order"], "values", sealed)),
        subject=told["subject"],
        subject_id=told["subject_id"],
        area=event.area,
        urgent=told["urgent"],
    )

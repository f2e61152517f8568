"""Domain events: something happened, whoever cares reacts. Stored with the change, delivered at least once."""

from backend.events.outbox import (
    DeadDelivery,
    background_jobs,
    dead_deliveries,
    deliver,
    deliver_due,
    install,
    publish,
    redeliver,
    subscribe,
    untold,
)
from backend.events.records import Event, EventHandler, EventKind, Postponed, StoredEvent

#: The stored records of this package, for `ensure_indexes`.
DOCUMENTS = (StoredEvent,)

__all__ = [
    "DOCUMENTS",
    "DeadDelivery",
    "Event",
    "EventHandler",
    "EventKind",
    "Postponed",
    "background_jobs",
    "dead_deliveries",
    "deliver",
    "deliver_due",
    "install",
    "publish",
    "redeliver",
    "subscribe",
    "untold",
]

"""What was seen, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from bson import ObjectId

from plugins.alerts.alerts.models import sighting_id


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One thing seen, at a known place; `sender` and `event_id` are who tells and the number given to it."""

    source: str
    sender: str
    event_id: str
    code: str
    at: datetime
    received_at: datetime
    area: str
    vendor: str = ""
    point: str = ""
    point_name: str = ""
    organisation: ObjectId | None = None
    device: str = ""
    place: tuple[float, float] | None = None
    confidence: float | None = None
    clock_doubted: bool = False
    note: str = ""
    reporter: str = ""
    link: str = ""
    pictures: tuple[Mapping[str, Any], ...] = ()
    addresses: tuple[str, ...] = ()
    delivery: str = ""

    @cached_property
    def id(self) -> ObjectId:
        """The sighting's id."""
        return sighting_id(self.source, self.sender, self.event_id)


@dataclass(frozen=True)
class Taken:
    """What became of one sighting: raised, counted, unconfirmed, waiting, muted, or repeated; and its alert."""

    event_id: str
    outcome: str
    alert: ObjectId | None = None

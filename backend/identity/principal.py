"""Who is asking, and what he or she holds: all that one request needs to know about a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bson import ObjectId


@dataclass(frozen=True)
class HeldGrant:
    """A grant with its role resolved: these permissions, in this area and below, for one organisation or for any."""

    permissions: frozenset[str]
    area: str
    organisation: ObjectId | None = None
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A signed-in person. `switches` are the modules switched on or off: module -> area path -> on."""

    id: ObjectId
    account: str
    name: str
    user_type: str
    area: str
    organisation: ObjectId | None
    grants: tuple[HeldGrant, ...]
    session: ObjectId | None = None
    must_change_password: bool = False
    switches: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

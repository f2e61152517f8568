"""Small typed records that plugins and platform hand each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bson import ObjectId


@dataclass(frozen=True, kw_only=True)
class PluginInfo:
    """What a plugin is: read from its `__init__.py` as text before any of its code runs, so write literals only.

    `platform` is the window of platform versions that it fits, such as ">=0.1,<0.2"; `needs` names other plugins.
    """

    name: str
    title: str
    version: str
    platform: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MenuEntry:
    """One entry of a person's menu: shown to whoever holds `permission` where the module is switched on."""

    name: str
    title: str
    permission: str
    href: str
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """Where a drop-off point or station is: area path, WGS-84 degrees, Chinese kind and name, whose it is."""

    code: str
    name: str
    kind: str
    area: str
    lon: float
    lat: float
    organisation: ObjectId | None = None


@dataclass(frozen=True, kw_only=True)
class CompoundFacts:
    """A residential compound: area path, and the organisation that is its property company."""

    code: str
    name: str
    area: str
    active: bool
    organisation: ObjectId | None = None
    households: int | None = None


@dataclass(frozen=True, kw_only=True)
class MaskedPhoto:
    """A photo on which every face that was found is covered; it says nothing of plates, signs or names."""

    content: bytes
    media_type: str
    faces: int
    made_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LegalFacts:
    """What makes a device's pictures evidence (行政处罚法 art. 41), each empty where its register does not have it.

    `sign_photo` is the SHA-256 of the photo of the sign on site, kept as a blob in the device's district.
    """

    review_document: str = ""
    reviewed_on: str = ""
    standard: str = ""
    sign_photo: str = ""
    publication: str = ""


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """What is known of a device: `secret` is the key it signs with; `point` is the code of the place it watches."""

    code: str
    name: str
    kind: str
    area: str
    active: bool
    secret: str
    point: str = ""
    legal: LegalFacts = LegalFacts()


@dataclass(frozen=True, kw_only=True)
class AlertReport:
    """Something that was seen and may need handling; `event_id` is its number at the source, told once or often.

    `source` is camera, sensor, bin, vehicle, person, evidence, exposure or patrol; `pictures` are SHA-256 of blobs of
    the district; degrees are WGS-84. The place is that of `point`, else `area`, else the point nearest to the degrees.
    """

    kind: str
    source: str
    event_id: str
    at: datetime
    point: str = ""
    area: str = ""
    lon: float | None = None
    lat: float | None = None
    note: str = ""
    pictures: tuple[str, ...] = ()
    device: str = ""
    reporter: str = ""
    confidence: float | None = None
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """The alert that a report became or was counted into; `new` says which."""

    id: str
    number: str
    kind: str
    title: str
    state: str
    area: str
    new: bool


@dataclass(frozen=True, kw_only=True)
class WorkOrderRequest:
    """What somebody is to be sent for; the same `source` and `source_id` always mean the same order.

    `source` is "alert", "booking", "patrol", "exposure", "evidence" or "person"; `proof` names what a reply must hold,
    empty for what the kind's standard says; `handle_minutes` likewise.
    """

    source: str
    source_id: str
    kind: str
    title: str
    area: str
    description: str = ""
    point: str = ""
    lon: float | None = None
    lat: float | None = None
    severity: int = 2
    proof: tuple[str, ...] = ()
    handle_minutes: int | None = None
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkOrderFacts:
    """A work order: `state` in the words of its workflow, `new` when the request made it; `href` is its page."""

    id: str
    number: str
    state: str
    area: str
    handler: str
    new: bool
    href: str = ""

"""What a plugin shows on the cockpit's map: layers, records that can be found and opened, and parts of their cards.

All places are WGS-84 degrees. Like panels, layers and cards return content, and the map draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from backend.identity import level_below
from backend.plugin_api.panels import OnThemes, Tone, View
from backend.rollups import figures

if TYPE_CHECKING:
    from backend.identity import Principal


@dataclass(frozen=True)
class Point:
    """A thing on the map; `details` are label and text for its card, `heading` degrees clockwise from north.

    `weight` is how much it counts in a heat layer.
    """

    key: str
    lon: float
    lat: float
    label: str
    kind: str
    tone: Tone = "plain"
    picture: str = ""
    details: Sequence[tuple[str, str]] = ()
    at: datetime | None = None
    heading: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class AreaValues:
    """A figure for each area, by path, to colour areas with; `title` and `unit` stand in the legend.

    `others` is the figure of every area that is not named, None where it is not known.
    """

    values: Mapping[str, float]
    unit: str = ""
    title: str = ""
    others: float | None = None


@dataclass(frozen=True, kw_only=True)
class MapLayer(OnThemes):
    """A layer of the map of one theme or several; `show` returns points, for `style="areas"` AreaValues.

    `clusters` gathers points that lie close to one another, `points` never does, `heat` draws their density, `areas`
    colours areas. A `live` layer is asked again within two seconds, and the map flies to its new points; a `moving` one
    is asked every two seconds and its points glide on. `record` names the MapRecord whose keys its points have. One
    that is `hidden` waits in the legend until it is chosen. Live, moving and `timeless` layers are of now and do not
    follow the period.
    """

    name: str
    title: str
    theme: str | tuple[str, ...]
    permission: str
    show: Callable[[View], Sequence[Point] | AreaValues]
    order: int = 100
    live: bool = False
    style: Literal["points", "clusters", "heat", "areas"] = "clusters"
    moving: bool = False
    record: str = ""
    hidden: bool = False
    timeless: bool = False


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One record that the map can go to and open: what it is, in which area, and where.

    `point` is the code of the drop-off point or station that it belongs to, `device` that of a device; other modules
    look by these for what they know of the place. `note` tells it from others of its name, such as an address.
    """

    key: str
    title: str
    kind: str
    area: str
    lon: float | None = None
    lat: float | None = None
    point: str = ""
    device: str = ""
    tone: Tone = "plain"
    note: str = ""

    @property
    def around(self) -> dict[str, Any] | None:
        """The Mongo filter of the records that name its point or device, or lie in its compound; None for larger areas.

        It expects the fields `point`, `device` and `area`.
        """
        if self.point:
            return {"point": self.point}
        if self.device:
            return {"device": self.device}
        compound = self.area.count("/") >= 3
        return {"area": {"$gte": self.area, "$lt": f"{self.area}0"}} if compound else None


@dataclass(frozen=True, kw_only=True)
class MapRecord:
    """A kind of record that people find on the map and open.

    `read` returns the subject of a key, None for one that is not in the view's scope. `find` returns the best matches
    of what somebody typed (name, number or address), at most as many as asked for; without it the kind is not searched.
    """

    name: str
    title: str
    permission: str
    read: Callable[[View, str], Subject | None]
    find: Callable[[View, str, int], Sequence[Subject]] | None = None
    order: int = 100


@dataclass(frozen=True)
class CardLine:
    """One line of a card's list; `record` and `key` name a record whose card it opens, else `link` a page."""

    text: str
    at: datetime | None = None
    note: str = ""
    tone: Tone = "plain"
    record: str = ""
    key: str = ""
    link: str = ""


@dataclass(frozen=True)
class CardPicture:
    """A picture on a card, masked like everything on the cockpit: an address of this platform, and what it shows."""

    address: str
    caption: str = ""


@dataclass(frozen=True)
class CardPerson:
    """Somebody to call; name and phone are masked already, `key` tells the part whom to dial."""

    name: str
    role: str
    phone: str
    key: str = ""


@dataclass(frozen=True)
class CardSection:
    """What one part says of a subject; `more` tells how many lines there are beyond those given."""

    facts: Sequence[tuple[str, str]] = ()
    pictures: Sequence[CardPicture] = ()
    people: Sequence[CardPerson] = ()
    lines: Sequence[CardLine] = ()
    links: Sequence[tuple[str, str]] = ()
    more: int = 0


@dataclass(frozen=True, kw_only=True)
class CardPart:
    """A part of the cards of `records`, of all when there are none; its view is the subject's area.

    `show` returns None when there is nothing to say. `dial` returns the number of a person of the section in the clear,
    to whoever holds `dial_permission`; it must check the area and record the look.
    """

    name: str
    title: str
    permission: str
    show: Callable[[View, Subject], CardSection | None]
    records: tuple[str, ...] = ()
    order: int = 100
    dial: Callable[[Principal, Subject, str], str] | None = None
    dial_permission: str = ""


def area_values(
    view: View,
    metric: str,
    *,
    measure: str = "count",
    unit: str = "",
    title: str = "",
    where: Mapping[str, Any] | None = None,
    timeless: bool = False,
) -> AreaValues:
    """Return a metric's figures by the areas one level below the view's, for a layer of style `areas`.

    They are those of the view's period; `timeless` ones are of all time, for metrics without a time field.
    """
    span: dict[str, Any] = {} if timeless else {"since": view.period.since, "until": view.period.until}
    found = figures(
        metric, area=view.area, scope=view.scope, level=level_below(view.area), by=("area",), where=where, **span
    )
    values = dict(zip(found.column("area"), found.measures[measure].tolist(), strict=True)) if found.keys else {}
    return AreaValues(values, unit, title, others=0)

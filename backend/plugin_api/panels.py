"""What a plugin shows on the cockpit: themes, panels and the kinds of content they hold; the map is in `maps`.

A panel returns content and not pixels; the cockpit draws every kind in one style.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from backend.plugin_api.periods import Period, this_period

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64] | NDArray[np.int64]

#: How content is coloured: plain, the waste streams, and the alert levels of rising severity.
Tone = Literal[
    "plain", "good", "recyclable", "hazardous", "food", "residual", "hint", "minor", "major", "critical", "off"
]


#: Which way a figure should go; nothing says that neither is better.
Better = Literal["", "more", "less"]


@dataclass(frozen=True, kw_only=True)
class Theme:
    """One page of the cockpit (主题舱); its tab shows when the viewer may see a panel or layer on it."""

    name: str
    title: str
    order: int = 100


#: The pages that every cockpit has, in this order, whichever plugins are there; those of plugins come after them.
STANDARD_THEMES = (
    Theme(name="overview", title="总览", order=1),
    Theme(name="alerts", title="预警事件上报", order=2),
    Theme(name="dispatch", title="派单处置管理", order=3),
    Theme(name="vehicles", title="车辆收运监管", order=4),
    Theme(name="recycling", title="再生资源管理", order=5),
    Theme(name="base_info", title="基础业务信息", order=6),
    Theme(name="effectiveness", title="垃圾分类成效", order=7),
)


class OnThemes:
    """What stands on one page of the cockpit or on several."""

    theme: str | tuple[str, ...]

    @property
    def themes(self) -> tuple[str, ...]:
        """Return the names of the pages."""
        return (self.theme,) if isinstance(self.theme, str) else self.theme


@dataclass(frozen=True, kw_only=True)
class View:
    """What a viewer looks at: the area at the path `area` in the time of `period`.

    `scope` is the Mongo filter that narrows reads to what he may see.
    """

    area: str
    scope: Mapping[str, Any]
    unmasked: bool = False
    period: Period = field(default_factory=this_period)


@dataclass(frozen=True)
class Figure:
    """One headline figure; `value` is a number or ready text, `unit` such as 个.

    `before` and `year_before` are the same figure in the period before (环比) and a year before (同比), None where it
    is not compared; `better` says which way is good news. `key` is what `Panel.rows` gets, the label if it is empty.
    """

    label: str
    value: float | int | str
    unit: str = ""
    tone: Tone = "plain"
    before: float | None = None
    year_before: float | None = None
    better: Better = ""
    key: str = ""


@dataclass(frozen=True)
class Figures:
    """Headline figures side by side."""

    items: Sequence[Figure]


@dataclass(frozen=True)
class Bars:
    """Bars per label, one or several series (stacked); `tones` colours the series by name.

    `keys` are what `Panel.rows` gets for each label, the label itself without them.
    """

    labels: Sequence[str]
    series: Mapping[str, Numbers]
    unit: str = ""
    horizontal: bool = False
    tones: Mapping[str, Tone] = field(default_factory=dict)
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Ring:
    """Shares of a whole, with the total in the middle; `keys` as of bars."""

    labels: Sequence[str]
    values: Numbers
    unit: str = ""
    tones: Sequence[Tone] = ()
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Trend:
    """Lines over time; `times` are aware datetimes.

    A click on a point asks `Panel.rows` for everything in the period from it to the next one.
    """

    times: Sequence[datetime]
    series: Mapping[str, Numbers]
    unit: str = ""
    tones: Mapping[str, Tone] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One line of a list: texts by column, an optional picture address, place and colour.

    `record` names the MapRecord whose card the row opens, by its `key`.
    """

    texts: Sequence[str]
    picture: str = ""
    place: tuple[float, float] | None = None
    tone: Tone = "plain"
    key: str = ""
    record: str = ""


@dataclass(frozen=True)
class Rows:
    """A list, newest or most urgent first; `more` says that it is cut."""

    columns: Sequence[str]
    rows: Sequence[Row]
    more: bool = False


@dataclass(frozen=True)
class Chart:
    """A Plotly figure of the plugin's own, for what the kinds above cannot say; the cockpit sets its style."""

    figure: go.Figure


Content = Figures | Bars | Ring | Trend | Rows | Chart


@dataclass(frozen=True, kw_only=True)
class Panel(OnThemes):
    """A figure on the cockpit (面板). `show` must be a pure read; it runs at most once per refresh, scope and period.

    `rows` gives the records behind a figure, label, bar or share by its key, everything for an empty one: the newest
    first, at most 200, scoped and masked. A `timeless` panel is of now and does not follow the period.
    `place` and `order` hold on each of its themes.
    """

    name: str
    title: str
    theme: str | tuple[str, ...]
    permission: str
    show: Callable[[View], Content]
    place: Literal["top", "left", "right"] = "left"
    order: int = 100
    refresh_seconds: int = 30
    rows: Callable[[View, str], Rows] | None = None
    timeless: bool = False

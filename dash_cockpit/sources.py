"""What the cockpit needs from the platform, in one argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from backend.plugin_api.maps import CardPart, MapLayer, MapRecord
from backend.plugin_api.panels import Panel, Theme
from dash_cockpit.tiles import TileService

T = TypeVar("T")


class Viewer(Protocol):
    """Who looks: the platform's principal, of which the cockpit itself reads the name alone."""

    @property
    def name(self) -> str:
        """The name to greet the person by."""


@dataclass(frozen=True)
class Owned(Generic[T]):
    """A registered record and the name of the plugin that answers for it."""

    plugin: str
    record: T


@dataclass(frozen=True, kw_only=True)
class MapArea:
    """An area as the map needs it; `boundary` is a GeoJSON geometry in WGS-84, None when it was never drawn."""

    path: str
    name: str
    level: str
    boundary: Mapping[str, Any] | None


class ScopeFilter(Protocol):
    """Compute the Mongo filter that narrows reads to what the viewer may see."""

    def __call__(self, principal: Any, permission: str, *, within: str = "") -> Mapping[str, Any]:
        """Return the filter of `permission` inside the area `within`."""


class NoGuests:
    """A platform without links for guests."""

    PERMISSION = ""

    def guest_of(self, token: str) -> Any:
        """Return nobody."""
        return None


class NoBoards:
    """A platform without boards: every page as panels bring it along."""

    PERMISSION = ""

    def boards_for(self, viewer: Any) -> list[dict[str, Any]]:
        """Return none."""
        return []


@dataclass(frozen=True, kw_only=True)
class CockpitSources:
    """The platform as the cockpit sees it.

    `principal()` is the viewer of the current request, None when nobody is logged in; `home(viewer)` is the path of
    the smallest area that holds all he or she may see, empty when that is nothing. `areas(path, depth)` returns the
    area at `path` followed by its descendants down to `depth` levels below, and nothing when there is no such area.
    `guard(plugin, where)` is the border to a plugin: it catches and counts what the plugin raises. `acting(viewer)`
    puts the viewer's name under what is recorded inside. `audited(viewer, action, subject_id, area, detail)` records in
    the audit trail what left the page; what it raises keeps it from leaving. Log-out is a POST to `logout_address`.

    `guests` and `boards` are what `backend.screens` offers; a viewer that `guests` has returned has a `theme`, the only
    page that he sees. `audiences` are the types of people that a board can be for, with their titles.
    """

    themes: Sequence[Theme]
    panels: Sequence[Owned[Panel]]
    map_layers: Sequence[Owned[MapLayer]]
    principal: Callable[[], Any | None]
    permitted: Callable[[Any, str], bool]
    scope_filter: ScopeFilter
    home: Callable[[Any], str]
    areas: Callable[[str, int], Sequence[MapArea]]
    guard: Callable[[str, str], AbstractContextManager[Any]]
    audited: Callable[[Any, str, str, Mapping[str, Any]], None]
    map_records: Sequence[Owned[MapRecord]] = ()
    card_parts: Sequence[Owned[CardPart]] = ()
    tiles: TileService = field(default_factory=TileService)
    acting: Callable[[Any], AbstractContextManager[Any]] = nullcontext
    guests: Any = field(default_factory=NoGuests)
    boards: Any = field(default_factory=NoBoards)
    audiences: Mapping[str, str] = field(default_factory=dict)
    login_address: str = "/login"
    logout_address: str = "/logout"

    def panels_of(self, viewer: Any) -> list[Owned[Panel]]:
        """Return the panels that the viewer may see, in the order of their places."""
        permitted = [each for each in self.panels if self._shown_to(viewer, each.record)]
        return sorted(permitted, key=lambda each: (each.record.order, each.record.name))

    def layers_of(self, viewer: Any) -> list[Owned[MapLayer]]:
        """Return the map layers that the viewer may see, in the order of the legend."""
        permitted = [each for each in self.map_layers if self._shown_to(viewer, each.record)]
        return sorted(permitted, key=lambda each: (each.record.order, each.record.name))

    def panel_of(self, viewer: Any, name: str) -> Owned[Panel] | None:
        """Return the panel of that name, None when there is none that the viewer may see."""
        found = next((each for each in self.panels if each.record.name == name), None)
        return found if found and self._shown_to(viewer, found.record) else None

    def layer_of(self, viewer: Any, name: str) -> Owned[MapLayer] | None:
        """Return the map layer of that name, None when there is none that the viewer may see."""
        found = next((each for each in self.map_layers if each.record.name == name), None)
        return found if found and self._shown_to(viewer, found.record) else None

    def records_of(self, viewer: Any) -> list[Owned[MapRecord]]:
        """Return the kinds of records that the viewer may open on the map, in the order of search results."""
        permitted = [each for each in self.map_records if self.permitted(viewer, each.record.permission)]
        return sorted(permitted, key=lambda each: (each.record.order, each.record.name))

    def parts_of(self, viewer: Any, kind: str) -> list[Owned[CardPart]]:
        """Return the parts of the cards of one kind of record that the viewer may see, from the top down."""
        permitted = [
            each
            for each in self.card_parts
            if kind in (each.record.records or (kind,)) and self.permitted(viewer, each.record.permission)
        ]
        return sorted(permitted, key=lambda each: (each.record.order, each.record.name))

    def themes_of(self, viewer: Any) -> list[Theme]:
        """Return the themes on which the viewer may see something, in the order of their tabs."""
        shown = {theme for each in self.panels_of(viewer) for theme in each.record.themes}
        shown |= {theme for each in self.layers_of(viewer) for theme in each.record.themes}
        if self.guest_theme(viewer):
            shown &= {self.guest_theme(viewer)}
        return sorted((theme for theme in self.themes if theme.name in shown), key=lambda each: (each.order, each.name))

    def guest_theme(self, viewer: Any) -> str:
        """Return the only page that a guest sees, empty for whoever has an account."""
        theme: str = getattr(viewer, "theme", "")
        return theme

    def _shown_to(self, viewer: Any, record: Panel | MapLayer) -> bool:
        theme = self.guest_theme(viewer)
        return (not theme or theme in record.themes) and self.permitted(viewer, record.permission)

    def looked_at(self, viewer: Any, asked: str) -> MapArea | None:
        """Return the area to show: `asked` where it lies within the viewer's home, else the home itself."""
        home = self.home(viewer)
        if not home:
            return None
        found = self.areas(asked, 0) if asked.startswith(f"{home}/") else ()
        return next(iter(found or self.areas(home, 0)), None)

    def trail(self, viewer: Any, area: MapArea) -> list[MapArea]:
        """Return the areas that lead from the viewer's home to `area`, both with it."""
        codes = area.path.split("/")
        above = range(self.home(viewer).count("/") + 1, len(codes))
        return [each for length in above for each in self.areas("/".join(codes[:length]), 0)[:1]] + [area]

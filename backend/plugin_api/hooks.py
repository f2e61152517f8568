"""Every hook of the platform, in one place.

`register_*` hooks collect typed records; all records are sorted by name and a name used twice is an error that
names both plugins. A verb asks for one answer: the first plugin that does not return None gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from backend.events import EventHandler, EventKind
    from backend.http import Blueprint, ProblemCode
    from backend.identity import Permission
    from backend.jobs import Job
    from backend.monitoring import HealthCheck
    from backend.plugin_api.demo import DemoDistrict
    from backend.plugin_api.panels import MapLayer, Panel, Theme
    from backend.plugin_api.records import DeviceFacts, MenuEntry
    from backend.rollups import Metric
    from backend.storage import Record

PROJECT = "qingxu"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- What a plugin adds: called once, when the platform starts -------------------------------------------------------


@hookspec
def register_permissions() -> Sequence[Permission]:  # type: ignore[empty-body]
    """Return the permissions that the plugin's routes, panels and menu entries ask for."""


@hookspec
def register_documents() -> Sequence[type[Record]]:  # type: ignore[empty-body]
    """Return the documents that the plugin stores; the platform makes their indexes and rotates their keys."""


@hookspec
def register_blueprints() -> Sequence[Blueprint]:  # type: ignore[empty-body]
    """Return the plugin's routes; each address begins with /api/v1/ and none may be taken already."""


@hookspec
def register_menu_entries() -> Sequence[MenuEntry]:  # type: ignore[empty-body]
    """Return the menu entries; a person sees those whose permission he or she holds."""


@hookspec
def register_themes() -> Sequence[Theme]:  # type: ignore[empty-body]
    """Return the cockpit themes that the plugin opens."""


@hookspec
def register_panels() -> Sequence[Panel]:  # type: ignore[empty-body]
    """Return the cockpit panels."""


@hookspec
def register_map_layers() -> Sequence[MapLayer]:  # type: ignore[empty-body]
    """Return the layers of the cockpit's map."""


@hookspec
def register_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]
    """Return the figures that are summed ahead of time for panels."""


@hookspec
def register_events() -> Sequence[EventKind]:  # type: ignore[empty-body]
    """Return the kinds of events that the plugin publishes."""


@hookspec
def register_event_handlers() -> Sequence[EventHandler]:  # type: ignore[empty-body]
    """Return what the plugin does when something happens, in any module; handlers are idempotent by event id."""


@hookspec
def register_jobs() -> Sequence[Job]:  # type: ignore[empty-body]
    """Return the plugin's scheduled work."""


@hookspec
def register_problem_codes() -> Sequence[ProblemCode]:  # type: ignore[empty-body]
    """Return the error codes that the plugin's routes answer with, beside the platform's own."""


@hookspec
def register_health_checks() -> Sequence[HealthCheck]:  # type: ignore[empty-body]
    """Return the checks that the health page runs for the plugin."""


# --- What happens at times -------------------------------------------------------------------------------------------


@hookspec
def load_demo(district: DemoDistrict) -> None:
    """Write the plugin's demo records into the fictional district; called once, in demo mode, in order of need."""


# --- What one plugin asks of the others: the first answer that is not None counts -------------------------------------


@hookspec(firstresult=True)
def find_device(code: str) -> DeviceFacts | None:
    """Say what is known of the device `code`: called for each capture; None when the plugin has no such device."""


@hookspec(firstresult=True)
def find_place(code: str) -> Any:
    """Say where the drop-off point or station `code` is (a PlaceFacts); None when the plugin has no such place."""

"""The real platform as the cockpit's sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any, TypeVar

from flask import g, has_request_context, request

from backend.plugin_api import (
    USER_TYPES,
    Actor,
    Principal,
    acting,
    areas_around,
    audit,
    guard,
    home_of,
    installed_registry,
    permitted,
    principal_or_none,
    scope_filter,
    screen_boards,
    screen_guests,
)
from dash_cockpit.guests import COOKIE
from dash_cockpit.sources import CockpitSources, MapArea, Owned
from dash_cockpit.tiles import tile_service

T = TypeVar("T")
ReadAreas = Callable[[str, int], Sequence[MapArea]]

#: How long an area's name and boundary are used without being read again, and of how many areas.
AREA_SECONDS = 15.0
MOST_AREAS = 1000


def sources() -> CockpitSources:
    """Return what plugins registered and how the platform answers for viewers and areas."""
    registry = installed_registry()

    def owned(records: Sequence[T]) -> list[Owned[T]]:
        return [Owned(registry.owner_of(record), record) for record in records]

    return CockpitSources(
        themes=registry.themes,
        panels=owned(registry.panels),
        map_layers=owned(registry.map_layers),
        map_records=owned(registry.map_records),
        card_parts=owned(registry.card_parts),
        tiles=tile_service(),
        acting=as_viewer,
        principal=viewer_or_none,
        permitted=permitted,
        scope_filter=scope_filter,
        home=home_of,
        areas=remembered(map_areas, AREA_SECONDS),
        guard=guard,
        audited=audited,
        guests=screen_guests,
        boards=screen_boards,
        audiences=USER_TYPES,
    )


def viewer_or_none() -> Principal | None:
    """Return who looks: the signed-in person, else the guest whose link is open, found once per request."""
    if (person := principal_or_none()) is not None or not has_request_context():
        return person
    if "cockpit_guest" not in g:
        token = request.cookies.get(COOKIE, "")
        g.cockpit_guest = screen_guests.guest_of(token) if token else None
    guest: Principal | None = g.cockpit_guest
    return guest


def as_viewer(viewer: Principal) -> AbstractContextManager[Actor]:
    """Let the audit trail name the viewer for what is done inside."""
    return acting(Actor(id=str(viewer.id), name=viewer.name, kind="person", address=request.remote_addr or ""))


def remembered(read: ReadAreas, seconds: float) -> ReadAreas:
    """Return `read` so that its answers are used again for a while: every request of every viewer asks for its area."""
    kept: dict[tuple[str, int], tuple[float, Sequence[MapArea]]] = {}

    def recall(path: str, depth: int) -> Sequence[MapArea]:
        now = monotonic()
        until, found = kept.get((path, depth), (now, ()))
        if until <= now:
            found = read(path, depth)
            if len(kept) >= MOST_AREAS:
                kept.clear()
            kept[path, depth] = now + seconds, found
        return found

    return recall


def map_areas(path: str, depth: int) -> list[MapArea]:
    """Return the area at `path` followed by those down to `depth` levels below."""
    return [
        MapArea(path=area.path, name=area.name, level=area.level, boundary=area.boundary or None)
        for area in areas_around(path, depth)
    ]


def audited(viewer: Any, subject_id: str, area: str, detail: Mapping[str, Any]) -> None:
    """Record what a viewer took away from the cockpit."""
    with as_viewer(viewer):
        audit.record("cockpit.page.export", subject="cockpit.page", subject_id=subject_id, area=area, detail=detail)

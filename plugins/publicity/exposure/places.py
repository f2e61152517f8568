"""Where an exposure lies, and the grid that finds its neighbours with a plain index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from backend.plugin_api import PlaceFacts, Problem, find_place, find_place_near
from plugins.publicity.exposure.categories import CELL_DEGREES

#: How far from the place that a report names the drop-off point or station may be, in metres.
NEAR_METRES = 500
EARTH_METRES = 6_371_008.8


def place_of(told: Mapping[str, Any]) -> tuple[PlaceFacts, float | None, float | None]:
    """Return the point that a report belongs to, and where it was: as told, else where the point is.

    Raises Problem `no_such_point` or `nothing_near`.
    """
    lon, lat = told.get("longitude"), told.get("latitude")
    if code := told.get("point"):
        place = find_place(code)
        if place is None:
            raise Problem("no_such_point")
    else:
        if lon is None or lat is None:
            raise Problem("invalid", fields={"point": ["请填写点位编号，或提供经纬度。"]})
        place = find_place_near(lon, lat, NEAR_METRES)
        if place is None:
            raise Problem("nothing_near")
    if lon is None or lat is None or not _near(place, lon, lat):
        lon, lat = place.lon, place.lat
    return place, lon, lat


def cell_of(lon: float | None, lat: float | None) -> str:
    """Return the square that a place lies in; empty for a place that is not known."""
    if lon is None or lat is None:
        return ""
    return f"{math.floor(lon / CELL_DEGREES)},{math.floor(lat / CELL_DEGREES)}"


def cells_around(lon: float, lat: float) -> list[str]:
    """Return the square of a place and the eight around it."""
    column, row = math.floor(lon / CELL_DEGREES), math.floor(lat / CELL_DEGREES)
    return [f"{column + x},{row + y}" for x in (-1, 0, 1) for y in (-1, 0, 1)]


def metres_between(one: tuple[float, float], two: tuple[float, float]) -> float:
    """Return the distance of two places (longitude, latitude) on a sphere (haversine)."""
    lon_one, lat_one, lon_two, lat_two = map(math.radians, (*one, *two))
    half = math.sin((lat_two - lat_one) / 2) ** 2
    half += math.cos(lat_one) * math.cos(lat_two) * math.sin((lon_two - lon_one) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, half)))


def _near(place: PlaceFacts, lon: float, lat: float) -> bool:
    return place.lon is None or metres_between((lon, lat), (place.lon, place.lat)) <= NEAR_METRES

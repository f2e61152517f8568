"""Distances on the earth and the speed between two check-ins."""

from __future__ import annotations

from datetime import datetime
from math import asin, cos, inf, radians, sin, sqrt

#: Mean radius in metres (IUGG).
EARTH_METRES = 6_371_008.8
#: A phone may say that its fix is as bad as it likes; no more than this is held in its favour.
MOST_TOLERANCE_METRES = 100.0

Place = tuple[float, float]


def metres_between(one: Place, other: Place) -> float:
    """Return the great-circle distance of two places (longitude, latitude in WGS-84 degrees), by the haversine."""
    (lon1, lat1), (lon2, lat2) = one, other
    phi1, phi2 = radians(lat1), radians(lat2)
    half = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(half)))


def tolerance(accuracy: float | None) -> float:
    """Return how many metres a fix of this accuracy may be off in favour of whoever sends it."""
    return min(max(accuracy or 0.0, 0.0), MOST_TOLERANCE_METRES)


def speed_kmh(metres: float, left: datetime, arrived: datetime) -> float:
    """Return the speed that a way needs at least; infinite where no time passed."""
    seconds = (arrived - left).total_seconds()
    if metres <= 0:
        return 0.0
    return metres / seconds * 3.6 if seconds > 0 else inf

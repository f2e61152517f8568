"""Degrees of the datums that Chinese maps are drawn in, turned into WGS-84.

GCJ-02 (高德、腾讯) is shifted by some hundred metres, BD-09 (百度) is GCJ-02 shifted once more. CGCS2000 (天地图,
official surveys) agrees with WGS-84 to centimetres. The shift is the published approximation of GCJ-02 on the
Krasovsky ellipsoid; it is inverted by iteration to less than a millimetre.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Datum = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
DATUMS: tuple[Datum, ...] = get_args(Datum)
Degrees = NDArray[np.float64]

#: Krasovsky 1940: half axis in metres, and eccentricity squared.
HALF_AXIS, ECCENTRICITY = 6378245.0, 0.00669342162296594323
#: Where GCJ-02 shifts at all: west, east, south, north.
CHINA = (72.004, 137.8347, 0.8293, 55.8271)
BAIDU_TURN = np.pi * 3000.0 / 180.0


def to_wgs84(longitude: ArrayLike, latitude: ArrayLike, datum: Datum) -> tuple[Degrees, Degrees]:
    """Return degrees of a datum in WGS-84; arrays of one shape in, arrays out. Raises KeyError for another datum."""
    lon, lat = np.asarray(longitude, float), np.asarray(latitude, float)
    shifts = {"wgs84": (), "cgcs2000": (), "gcj02": (wgs84_to_gcj02,), "bd09": (gcj02_to_bd09, wgs84_to_gcj02)}[datum]
    for shift in shifts:
        lon, lat = _unshifted(shift, lon, lat)
    return lon, lat


def wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return WGS-84 degrees in GCJ-02."""
    x, y = lon - 105.0, lat - 35.0
    east = 300.0 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    north = -100.0 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    waves = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    east += (waves + _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))) * 2 / 3
    north += (waves + _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))) * 2 / 3
    parallel = np.radians(lat)
    bulge = 1 - ECCENTRICITY * np.sin(parallel) ** 2
    d_lat = np.degrees(north * bulge * np.sqrt(bulge) / (HALF_AXIS * (1 - ECCENTRICITY)))
    d_lon = np.degrees(east * np.sqrt(bulge) / (HALF_AXIS * np.cos(parallel)))
    west, far_east, south, far_north = CHINA
    inside = (lon >= west) & (lon <= far_east) & (lat >= south) & (lat <= far_north)
    return lon + np.where(inside, d_lon, 0.0), lat + np.where(inside, d_lat, 0.0)


def gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return GCJ-02 degrees in BD-09."""
    reach = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BAIDU_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BAIDU_TURN)
    return reach * np.cos(angle) + 0.0065, reach * np.sin(angle) + 0.006


def _waves(along: Degrees, *waves: tuple[float, float]) -> Degrees:
    return np.sum([size * np.sin(pace * np.pi * along) for size, pace in waves], axis=0)


def _unshifted(shift, lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:  # type: ignore[no-untyped-def]
    """Return what `shift` leads from: what it moves too far is taken back until it fits."""
    found_lon, found_lat = lon.copy(), lat.copy()
    for _ in range(12):
        shifted_lon, shifted_lat = shift(found_lon, found_lat)
        found_lon, found_lat = found_lon + (lon - shifted_lon), found_lat + (lat - shifted_lat)
    return found_lon, found_lat

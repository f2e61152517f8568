"""The map: its container and boundaries by dash-leaflet, its points as JSON that the page draws itself."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import dash_leaflet as dl
import orjson
from dash import html
from dash.development.base_component import Component

from backend.plugin_api.maps import AreaValues, MapLayer, Point
from dash_cockpit.lists import own_address
from dash_cockpit.sources import CockpitSources, MapArea
from dash_cockpit.tiles import TileService

#: Where the map rests until the first boundaries arrive: the middle of Zhejiang.
RESTING_PLACE = [29.2, 120.1]

#: The slab that the area stands on lies below Leaflet's own overlays, at 400; `4_map.js` makes the panes above them.
GROUND = 390
#: Decimals of degrees that are sent: a tenth of a metre.
DECIMALS = 6


def draw_map() -> Component:
    """Return the map; tiles come from this server or not at all, so that the page asks no other."""
    ground = dl.GeoJSON(id="ground", style={"variable": "cockpit.map.groundStyle"}, interactive=False)
    areas = dl.GeoJSON(
        id="areas",
        style={"variable": "cockpit.map.areaStyle"},
        onEachFeature={"variable": "cockpit.map.eachArea"},
    )
    container = dl.MapContainer(
        [dl.Pane(ground, name="ground", style={"zIndex": GROUND}), areas],
        id="map",
        center=RESTING_PLACE,
        zoom=8,
        zoomSnap=0,
        zoomDelta=0.5,
        wheelPxPerZoomLevel=120,
        minZoom=5,
        maxZoom=19,
        zoomControl=False,
        attributionControl=False,
        doubleClickZoom=False,
    )
    return html.Div(container, className="map")


def draw_over_map() -> list[Component]:
    """Return what stands on the map; `map.js` fills it, so it has no children for Dash to keep."""
    trail: dict[str, Any] = {"aria-label": "区域"}
    ticker: dict[str, Any] = {"aria-live": "polite"}
    find: dict[str, Any] = {"role": "search"}
    return [
        html.Div([html.Nav(id="trail", **trail), html.Div(id="find", **find)], className="map-head"),
        html.Aside(id="card"),
        html.Div(id="legend"),
        html.Div(id="ticker", **ticker),
    ]


def plan_layer(layer: MapLayer, colour: str) -> dict[str, Any]:
    """Return what the page needs to know of a layer before it asks for it."""
    names = ("name", "title", "live", "timeless", "style", "moving", "record", "hidden")
    return {**{name: getattr(layer, name) for name in names}, "colour": colour}


def plan_tiles(tiles: TileService, address: str) -> dict[str, Any]:
    """Return the backgrounds that the page may choose from, and where their tiles lie on this server."""
    return {"address": address, "backgrounds": [vars(each) for each in tiles.backgrounds]}


def area_json(sources: CockpitSources, viewer: Any, area: MapArea) -> bytes:
    """Return boundaries around `area` as GeoJSON, and the trail of areas that leads to it from the viewer's home.

    Each feature's `role` is `whole` (the area), `part` (one level below), `detail` (two below) or `around` (its
    neighbours, where the viewer may go up).
    """
    home = sources.home(viewer)
    depth = area.path.count("/")
    features = []
    if area.path != home:
        parent = area.path.rpartition("/")[0]
        around = [each for each in sources.areas(parent, 1) if each.path not in (parent, area.path)]
        features += [_feature(each, "around") for each in around if each.boundary]
    for each in sources.areas(area.path, 2):
        below = each.path.count("/") - depth
        if each.boundary:
            features.append(_feature(each, ("whole", "part", "detail")[below]))
    # The fine lines lie under the bold ones.
    features.sort(key=lambda feature: ("around", "whole", "detail", "part").index(feature["properties"]["role"]))
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": features,
            "trail": [{"path": each.path, "name": each.name} for each in sources.trail(viewer, area)],
            "below": [
                {"path": each.path, "name": each.name}
                for each in sources.areas(area.path, 1)
                if each.path.count("/") == depth + 1
            ],
        }
    )


def layer_json(layer: MapLayer, content: Sequence[Point] | AreaValues) -> bytes:
    """Return what a layer shows; raises TypeError when it is not what its style needs."""
    if layer.style == "areas":
        if not isinstance(content, AreaValues):
            raise TypeError(f"A layer of areas returns AreaValues, not {type(content).__name__}.")
        values = {path: float(value) for path, value in content.values.items() if isfinite(value)}
        words = {"unit": content.unit, "title": content.title or layer.title}
        return orjson.dumps({"values": values, "others": content.others, **words})
    if isinstance(content, AreaValues):
        raise TypeError(f"A layer of {layer.style} returns points, not AreaValues.")
    # A place that is no place would throw the whole map off.
    placed = [point for point in content if abs(point.lon) <= 180 and abs(point.lat) <= 90]
    if layer.style == "heat":
        return orjson.dumps(
            [[round(point.lon, DECIMALS), round(point.lat, DECIMALS), point.weight] for point in placed]
        )
    return orjson.dumps([_point(point, carded=bool(layer.record)) for point in placed])


def _point(point: Point, *, carded: bool) -> dict[str, Any]:
    """Return a point without what says nothing; one with a card of its own leaves the details to that."""
    shown = {**vars(point), "lon": round(point.lon, DECIMALS), "lat": round(point.lat, DECIMALS)}
    shown["picture"] = "" if carded else own_address(point.picture)
    shown["details"] = () if carded else point.details
    return {name: value for name, value in shown.items() if name != "weight" and value not in ("", None, (), [])}


def _feature(area: MapArea, role: str) -> dict[str, Any]:
    properties = {"path": area.path, "name": area.name, "level": area.level, "role": role}
    return {"type": "Feature", "properties": properties, "geometry": area.boundary}

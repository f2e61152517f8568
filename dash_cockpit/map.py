"""The map: its container and boundaries by dash-leaflet, its points as JSON that the page draws itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_leaflet as dl
import orjson
from dash import html
from dash.development.base_component import Component

from backend.plugin_api.panels import Point
from dash_cockpit.lists import own_address
from dash_cockpit.sources import CockpitSources, MapArea

#: Where the map rests until the first boundaries arrive: the middle of Zhejiang.
RESTING_PLACE = [29.2, 120.1]

# Panes from the ground up, each over the one before. Leaflet's own overlays lie at 400, its tooltips at 650.
PANES = {"ground": 390, "points": 450, "labels": 455, "live": 460}


def draw_map() -> Component:
    """Return the map; there are no tiles, so that the page asks no outside server and has nobody to attribute."""
    ground = dl.GeoJSON(id="ground", style={"variable": "cockpit.map.groundStyle"}, interactive=False)
    areas = dl.GeoJSON(
        id="areas",
        style={"variable": "cockpit.map.areaStyle"},
        onEachFeature={"variable": "cockpit.map.eachArea"},
    )
    panes = [
        dl.Pane(ground if name == "ground" else None, name=name, style={"zIndex": z_index})
        for name, z_index in PANES.items()
    ]
    container = dl.MapContainer(
        [*panes, areas],
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
    return [html.Nav(id="trail", **trail), html.Div(id="legend"), html.Div(id="ticker", **ticker)]


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
    codes = area.path.split("/")
    trail = [area]
    for length in range(len(codes) - 1, home.count("/"), -1):
        trail += sources.areas("/".join(codes[:length]), 0)[:1]
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": features,
            "trail": [{"path": each.path, "name": each.name} for each in reversed(trail)],
        }
    )


def points_json(points: Sequence[Point]) -> bytes:
    """Return the points of a layer, pictures of other servers left out."""
    return orjson.dumps([{**vars(point), "picture": own_address(point.picture)} for point in points])


def _feature(area: MapArea, role: str) -> dict[str, Any]:
    properties = {"path": area.path, "name": area.name, "level": area.level, "role": role}
    return {"type": "Feature", "properties": properties, "geometry": area.boundary}

"""What the page asks for again and again: panels, map layers and boundaries, each as a cached GET."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, abort, request

from backend.plugin_api.maps import MapLayer
from backend.plugin_api.panels import Panel, View
from dash_cockpit.cards import card_routes
from dash_cockpit.draw import draw, error_card
from dash_cockpit.map import area_json, layer_json
from dash_cockpit.snapshots import Answer, Snapshots
from dash_cockpit.sources import CockpitSources, MapArea, Owned

#: How old a layer of the map may be, in seconds. The page asks for live ones every 1.4 seconds, so that what is new
#: is there within two; moving things share one snapshot a tick.
LIVE_FRESH_SECONDS = 0.4
MOVING_FRESH_SECONDS = 1.9
LAYER_FRESH_SECONDS = 60.0
AREA_FRESH_SECONDS = 300.0


def feed(sources: CockpitSources, snapshots: Snapshots) -> Blueprint:
    """Return the routes under `data/`; the caller has made sure that somebody is logged in."""
    routes = Blueprint("cockpit_data", __name__)

    @routes.get("/panels/<name>")
    def show_panel(name: str) -> Response:
        viewer, area = looking()
        owned = next((each for each in sources.panels_of(viewer) if each.record.name == name), None) or abort(404)
        panel: Panel = owned.record
        answer = read(owned, "panel", viewer, area, lambda shown: to_json(draw(shown)), panel.refresh_seconds)
        return reply(answer, ERROR_CARD)

    @routes.get("/layers/<name>")
    def show_layer(name: str) -> Response:
        viewer, area = looking()
        owned = next((each for each in sources.layers_of(viewer) if each.record.name == name), None) or abort(404)
        layer: MapLayer = owned.record
        fresh = LIVE_FRESH_SECONDS if layer.live else MOVING_FRESH_SECONDS if layer.moving else LAYER_FRESH_SECONDS
        answer = read(owned, "map layer", viewer, area, lambda shown: layer_json(layer, shown), fresh)
        return reply(answer, b"null")

    @routes.get("/area")
    def show_area() -> Response:
        viewer, area = looking()

        def make() -> bytes:
            return area_json(sources, viewer, area)

        key = (area.path, sources.home(viewer))
        answer = snapshots.read("area", key, make, AREA_FRESH_SECONDS, too_slow=lambda: None)
        return reply(answer, None)

    card_routes(routes, sources, snapshots.patience_seconds)

    def looking() -> tuple[Any, MapArea]:
        viewer = sources.principal()
        area = sources.looked_at(viewer, request.args.get("area", ""))
        return (viewer, area) if area else abort(404)

    def read(
        owned: Owned[Any], kind: str, viewer: Any, area: MapArea, encode: Callable[[Any], bytes], fresh_seconds: float
    ) -> Answer:
        record, where = owned.record, f"{kind} {owned.record.name}"
        scope = sources.scope_filter(viewer, record.permission, within=area.path)
        view = View(area=area.path, scope=scope)

        def make() -> bytes | None:
            body = None
            with sources.guard(owned.plugin, where):
                body = encode(record.show(view))
            return body

        def too_slow() -> None:
            with sources.guard(owned.plugin, where):
                raise TimeoutError("It took longer than the cockpit waits.")

        # Whoever may see the same rows of the same area shares one result.
        key = (kind, area.path, orjson.dumps(scope, default=repr, option=orjson.OPT_SORT_KEYS))
        return snapshots.read(where, key, make, fresh_seconds, too_slow)

    return routes


def reply(answer: Answer, without: bytes | None) -> Response:
    """Return a snapshot with its age and state; `without` is the body when there is none, 503 when that is None too.

    An unchanged body is answered with 304, still with the age and state of now.
    """
    snapshot = answer.snapshot
    body = snapshot.body if snapshot else without
    if body is None:
        abort(503)
    response = Response(body, mimetype="application/json")
    response.headers["X-Cockpit-State"] = answer.state
    response.headers["Cache-Control"] = "private, no-cache"
    if snapshot:
        response.headers["Age"] = str(snapshot.age)
        response.set_etag(snapshot.etag)
        response.make_conditional(request)
    return response


def to_json(component: Any) -> bytes:
    """Return a Dash component as the JSON that the page puts in place."""
    return orjson.dumps(
        component,
        default=lambda part: part.to_plotly_json(),
        option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS,
    )


ERROR_CARD = to_json(error_card())

"""What the page asks for again and again: panels, map layers and boundaries, each as a cached GET."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from backend.plugin_api.maps import MapLayer
from dash_cockpit.cards import card_routes
from dash_cockpit.draw import error_card
from dash_cockpit.exports import export_routes
from dash_cockpit.feeds import Feeds, to_json
from dash_cockpit.map import area_json, layer_json
from dash_cockpit.snapshots import Answer, Snapshots
from dash_cockpit.sources import CockpitSources

#: How old a layer of the map may be, in seconds. The page asks for live ones every 1.4 seconds, so that what is new
#: is there within two; moving things share one snapshot a tick.
LIVE_FRESH_SECONDS = 0.4
MOVING_FRESH_SECONDS = 1.9
LAYER_FRESH_SECONDS = 60.0
AREA_FRESH_SECONDS = 300.0


def feed(sources: CockpitSources, snapshots: Snapshots) -> Blueprint:
    """Return the routes under `data/`; the caller has made sure that somebody is logged in."""
    routes = Blueprint("cockpit_data", __name__)
    feeds = Feeds(sources, snapshots)

    @routes.get("/panels/<name>")
    def show_panel(name: str) -> Response:
        look = feeds.looking()
        return reply(feeds.read_panel(look, feeds.panel(look, name)), ERROR_CARD)

    @routes.get("/panels/<name>/rows")
    def show_rows(name: str) -> Response:
        look = feeds.looking()
        return reply(feeds.read_rows(look, feeds.panel(look, name), request.args.get("key", "")), None)

    @routes.get("/layers/<name>")
    def show_layer(name: str) -> Response:
        look = feeds.looking()
        owned = sources.layer_of(look.viewer, name) or abort(404)
        layer: MapLayer = owned.record
        fresh = LIVE_FRESH_SECONDS if layer.live else MOVING_FRESH_SECONDS if layer.moving else LAYER_FRESH_SECONDS
        answer = feeds.read(owned, "map layer", look, lambda view: layer_json(layer, layer.show(view)), fresh)
        return reply(answer, b"null")

    @routes.get("/area")
    def show_area() -> Response:
        look = feeds.looking()

        def make() -> bytes:
            return area_json(sources, look.viewer, look.area)

        key = (look.area.path, sources.home(look.viewer))
        answer = snapshots.read("area", key, make, AREA_FRESH_SECONDS, too_slow=lambda: None)
        return reply(answer, None)

    export_routes(routes, feeds)
    card_routes(routes, sources, snapshots.patience_seconds)
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


ERROR_CARD = to_json(error_card())

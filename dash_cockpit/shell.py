"""The cockpit's page: one Dash app inside the platform's Flask app, behind the login."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import Any
from urllib.parse import quote

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from flask import Flask, Response, redirect, request

from backend.plugin_api.panels import Panel
from backend.plugin_api.periods import DEFAULT, PERIODS
from dash_cockpit import awaited, bundles, theme
from dash_cockpit.boards import board_routes
from dash_cockpit.feeds import to_json
from dash_cockpit.guests import COOKIE, DAYS, gone, guard_guests, guest_routes, may_invite
from dash_cockpit.live import feed
from dash_cockpit.map import draw_map, draw_over_map, plan_layer, plan_tiles
from dash_cockpit.snapshots import PATIENCE_SECONDS, Snapshots
from dash_cockpit.sources import CockpitSources
from dash_cockpit.tiles import tile_routes

PREFIX = "/cockpit/"
TITLE = "生活垃圾分类数据驾驶舱"

INDEX = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
{%metas%}
<title>{%title%}</title>
{%favicon%}
{%css%}
HEAD
</head>
<body>
{%app_entry%}
<noscript>请打开浏览器的脚本功能后再查看驾驶舱。</noscript>
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


# Dash would ask for these only when it meets the first figure and the first boundary; a big screen always has both.
SUITES = f"{PREFIX}_dash-component-suites/"
HEAD = f"""<link rel="preload" as="script" href="{SUITES}plotly/package_data/plotly.min.js">
<link rel="preload" as="script" href="{SUITES}dash_leaflet/async-GeoJSON.js">
<style>{theme.css_variables()}</style>"""


#: For browsers so old that they cannot read the page's own scripts; all others would lose a fifth of a second to it.
POLYFILL = re.compile(r'<script src="[^"]*/polyfill@[^"]*"></script>')


class Page(Dash):
    """Dash without what no browser that shows the page has a use for."""

    def interpolate_index(self, *some: Any, **parts: Any) -> str:
        """Return the page with its parts in their places."""
        page: str = super().interpolate_index(*some, **{**parts, "scripts": POLYFILL.sub("", parts["scripts"])})
        return page


def mount(app: Flask, sources: CockpitSources, *, patience_seconds: float = PATIENCE_SECONDS) -> Dash:
    """Put the cockpit at `/cockpit/` of `app`; a panel slower than `patience_seconds` shows its last good state.

    Call it before the first request, and `warm` in every worker process before it serves.
    """
    guard_entrance(app, sources)
    guard_guests(app, PREFIX, sources)
    bundles.serve_compressed(app, PREFIX)
    routes = feed(sources, Snapshots(patience_seconds))
    routes.add_url_rule("/plan", view_func=lambda: answer_plan(sources))
    app.register_blueprint(routes, url_prefix=f"{PREFIX}data")
    app.register_blueprint(guest_routes(PREFIX, sources), url_prefix=PREFIX)
    app.register_blueprint(board_routes(sources), url_prefix=PREFIX)
    app.register_blueprint(tile_routes(sources.tiles), url_prefix=f"{PREFIX}tiles")
    dash = Page(
        "dash_cockpit",
        server=app,  # type: ignore[arg-type] # Dash takes an app where its types say otherwise
        routes_pathname_prefix=PREFIX,
        requests_pathname_prefix=PREFIX,
        assets_folder=str(resources.files("dash_cockpit") / "assets"),
        serve_locally=True,
        suppress_callback_exceptions=True,
        title=TITLE,
        update_title="",
        index_string=INDEX.replace("HEAD", HEAD),
        add_log_handler=False,
    )
    dash.layout = lambda: draw_page(sources)
    dash.clientside_callback(
        ClientsideFunction("cockpit", "show"),
        Output("plan", "id"),  # never written: what the callback shows lies outside of what Dash keeps
        Input("url", "search"),
        State("plan", "data"),
    )
    restrict_content(app, dash)
    return dash


def guard_entrance(app: Flask, sources: CockpitSources) -> None:
    """Let only people who are logged in past the prefix; scripts get 401, pages the way to the login."""

    @app.before_request
    def ask_for_login() -> Response | None:
        path = request.path
        open_prefixes = (*bundles.open_prefixes(PREFIX), f"{PREFIX}guest/")
        if not path.startswith(PREFIX) or path.startswith(open_prefixes) or bundles.warming():
            return None
        if sources.principal() is not None:
            return None
        if path.startswith((f"{PREFIX}_dash-", f"{PREFIX}data/", f"{PREFIX}tiles/", f"{PREFIX}_reload-hash")):
            return Response(status=401)
        if COOKIE in request.cookies:
            return gone()
        wanted = request.full_path if request.query_string else path
        return redirect(f"{sources.login_address}?next={quote(wanted, safe='/')}")  # type: ignore[return-value]


def restrict_content(app: Flask, dash: Dash) -> None:
    """Forbid the browser to load or run anything that does not come from this server with the page."""
    scripts = " ".join(dash.csp_hashes())
    policy = "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts}",
            "style-src 'self' 'unsafe-inline'",  # Plotly and Leaflet write styles of their own
            "img-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )

    @app.after_request
    def add_policy(response: Response) -> Response:
        if request.path.startswith(PREFIX) and response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = policy
            response.headers["Cache-Control"] = "no-store"
        return response


def draw_page(sources: CockpitSources) -> Component:
    """Return the page of the current viewer: what does not change with theme and area, and the plan of what does."""
    viewer = sources.principal()
    if viewer is None:  # Dash looks at the layout once by itself, while nobody is logged in.
        return html.Div()
    home = sources.looked_at(viewer, "")
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="plan", data=draw_plan(sources, viewer, home.path if home else "")),
            draw_map(),
            html.Div(className="vignette"),
            draw_header(sources, viewer, home.name if home else ""),
            html.Main(
                [
                    html.Div(id="left", className="side side-left"),
                    html.Div([html.Div(id="top", className="top"), *draw_over_map()], className="middle"),
                    html.Div(id="right", className="side side-right"),
                ],
                className="grid",
            ),
            html.Div(id="overlay", className="overlay"),
        ],
        id="stage",
    )


def answer_plan(sources: CockpitSources) -> Response:
    """Answer with the plan as it is now: pages that stay open for days follow what administrators change."""
    viewer = sources.principal()
    home = sources.looked_at(viewer, "")
    response = Response(to_json(draw_plan(sources, viewer, home.path if home else "")), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def draw_header(sources: CockpitSources, viewer: Any, district: str) -> Component:
    """Return the head of the page: district and clock, title, switches and person, and the tabs of the themes."""
    leave = html.Form(
        html.Button("退出", type="submit", className="leave"), action=sources.logout_address, method="post"
    )
    # `5_room.js` fills what has an id, so Dash keeps no children of it.
    return html.Header(
        [
            html.Div(
                [html.Span(district, className="district"), html.Span(id="clock", className="clock")],
                className="header-left",
            ),
            html.Div(html.H1(TITLE), className="header-title"),
            html.Div(
                [
                    html.Span(id="link-state", className="link-state"),
                    html.Div(id="switches", className="switches", role="toolbar"),
                    html.Span(viewer.name, className="person"),
                    leave,
                ],
                className="header-right",
            ),
            html.Div(id="page-name", className="page-name"),
            html.Nav(id="themes", className="themes"),
            html.Div(id="periods", className="periods", role="group"),
        ],
        className="header",
    )


def frames_of(name: str, panels: Sequence[Panel], waiting: str) -> dict[str, list[str]]:
    """Return the panels of a theme by place; the card of what is awaited goes where there is more room."""
    frames = {
        place: [panel.name for panel in panels if name in panel.themes and panel.place == place]
        for place in ("top", "left", "right")
    }
    if waiting:
        min(frames["right"], frames["left"], key=len).append(waiting)
    return frames


def draw_plan(sources: CockpitSources, viewer: Any, home: str) -> dict[str, Any]:
    """Return what the page needs to change theme by itself: frames by theme and place, layers, refresh times."""
    themes = sources.themes_of(viewer)
    panels = [each.record for each in sources.panels_of(viewer)]
    guest = bool(sources.guest_theme(viewer))
    waiting = awaited.cards(sources, [each.name for each in themes])
    layers = [each.record for each in sources.layers_of(viewer)]
    return {
        "data": f"{PREFIX}data/",
        "home": home,
        "title": TITLE,
        "tiles": plan_tiles(sources.tiles, f"{PREFIX}tiles/"),
        "periods": PERIODS,
        "period": DEFAULT,
        "themes": [{"name": each.name, "title": each.title} for each in themes],
        "panels": {
            **{
                panel.name: {
                    "title": panel.title,
                    "seconds": panel.refresh_seconds,
                    "timeless": panel.timeless,
                    "drills": panel.rows is not None and not guest,
                }
                for panel in panels
            },
            **{name: {"title": awaited.TITLE, "content": content} for name, content in waiting.values()},
        },
        "frames": {each.name: frames_of(each.name, panels, waiting.get(each.name, ("",))[0]) for each in themes},
        "boards": sources.boards.boards_for(viewer),
        "guest": guest,
        "invites": DAYS if may_invite(sources, viewer) else None,
        "layers": {
            each.name: [
                plan_layer(layer, theme.colour("plain", i)) | ({"record": ""} if guest else {})
                for i, layer in enumerate(layer for layer in layers if each.name in layer.themes)
            ]
            for each in themes
        },
    }

"""Where an administrator arranges panels: the page `/cockpit/boards`, and what it reads and saves."""

from __future__ import annotations

from importlib import resources
from typing import Any

from flask import Blueprint, Response, abort, request

from backend.plugin_api import Forbidden
from dash_cockpit.guests import shown
from dash_cockpit.sources import CockpitSources

#: The places of a board, as people call them.
PLACES = {"top": "顶部指标", "left": "左侧", "right": "右侧"}


def board_routes(sources: CockpitSources) -> Blueprint:
    """Return the page and its routes, for those who may arrange boards."""
    routes = Blueprint("cockpit_boards", __name__, static_folder="static", static_url_path="/boards/static")
    page = (resources.files("dash_cockpit.boards") / "boards.html").read_text(encoding="utf-8")

    @routes.get("/boards")
    def show_page() -> Response:
        if not sources.permitted(sources.principal(), sources.boards.PERMISSION):
            return Response("您没有编排驾驶舱面板的权限。", 403, mimetype="text/plain")
        return Response(page, mimetype="text/html")

    @routes.get("/data/boards/choices")
    def show_choices() -> Response:
        viewer = arranger()
        panels = sources.panels_of(viewer)
        home = sources.home(viewer)
        themes = sources.themes_of(viewer)
        return shown(
            {
                "themes": [{"name": each.name, "title": each.title} for each in themes],
                "areas": [
                    {"path": each.path, "name": each.name, "depth": each.path.count("/") - home.count("/")}
                    for each in sources.areas(home, 3)
                    if each.level != "compound"
                ],
                "audiences": sources.audiences,
                "places": PLACES,
                "most": sources.boards.MOST_PANELS,
                "panels": [
                    {
                        "name": each.record.name,
                        "title": each.record.title,
                        "by": each.plugin,
                        "place": each.record.place,
                    }
                    for each in panels
                ],
                "usual": {
                    theme.name: {
                        place: [
                            each.record.name
                            for each in panels
                            if theme.name in each.record.themes and each.record.place == place
                        ]
                        for place in PLACES
                    }
                    for theme in themes
                },
            }
        )

    @routes.get("/data/boards")
    def show_board() -> Response:
        viewer = arranger()
        board = sources.boards.find_board(viewer, *named(viewer))
        return told(board)

    @routes.put("/data/boards")
    def save_board() -> Response:
        viewer = arranger()
        theme, area, audience = named(viewer)
        places = request.get_json().get("places")
        known = {each.record.name for each in sources.panels}
        if not valid(places, known, sources.boards.MOST_PANELS):
            abort(422)
        version = request.headers.get("If-Match", "").strip('"')
        if not version.isdigit():
            abort(428)
        with sources.acting(viewer):
            return told(sources.boards.save_board(viewer, theme, area, audience, places, int(version)))

    def arranger() -> Any:
        viewer = sources.principal()
        if sources.guest_theme(viewer) or not sources.permitted(viewer, sources.boards.PERMISSION):
            raise Forbidden
        return viewer

    def named(viewer: Any) -> tuple[str, str, str]:
        theme, area, audience = (request.args.get(name, "") for name in ("theme", "area", "audience"))
        if theme not in [each.name for each in sources.themes_of(viewer)]:
            abort(404)
        if area and not sources.areas(area, 0):
            abort(404)
        if audience and audience not in sources.audiences:
            abort(404)
        return theme, area, audience

    def told(board: Any) -> Response:
        versions = sources.boards.history_of(board) if board else []
        answer = shown(
            {
                "places": board.places if board else {},
                "version": board.version if board else 0,
                "history": [
                    {
                        "number": each.number,
                        "at": each.created_at,
                        "by": each.saved_by_name,
                        "places": each.places,
                    }
                    for each in versions
                ],
            }
        )
        answer.headers["ETag"] = f'"{board.version if board else 0}"'
        return answer

    return routes


def valid(places: Any, known: set[str], most: int) -> bool:
    """Say whether places are lists of panels that there are, none twice."""
    if not isinstance(places, dict) or set(places) - set(PLACES):
        return False
    names = [name for each in places.values() if isinstance(each, list) for name in each]
    lists = all(isinstance(each, list) for each in places.values())
    texts = all(isinstance(name, str) for name in names)
    return lists and texts and len(names) <= most and len(set(names)) == len(names) and set(names) <= known

"""The way in for guests: an address opens one page, as a kiosk, and nothing else of the platform."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, request, url_for

from backend.plugin_api import Forbidden
from dash_cockpit.feeds import to_json
from dash_cockpit.sources import CockpitSources

COOKIE = "qingxu_guest"
DAYS = {1: "1 天", 7: "7 天", 30: "30 天"}
LONGEST_TITLE = 60
MISSING = """<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>访客链接已失效</title>
<body style="margin:0;height:100vh;display:grid;place-content:center;text-align:center;background:#050e24;color:#a9c4ea;
font:20px sans-serif"><h1 style="color:#eaf4ff">访客链接已失效</h1><p>链接已到期或已被撤销，
请向提供链接的人员索取新的链接。</p>"""

#: What the page of a guest asks for; the records behind figures, cards, search and exports are not among it.
OPEN = ("data/plan", "data/area", "data/panels/", "data/layers/", "tiles/", "_dash-layout", "_dash-dependencies")


def guest_routes(prefix: str, sources: CockpitSources) -> Blueprint:
    """Return the entrance of guests, and what those ask who make links."""
    routes = Blueprint("cockpit_guests", __name__)

    @routes.get("/guest/<token>")
    def enter(token: str) -> Response:
        guest = sources.guests.guest_of(token)
        if guest is None:
            return gone()
        sources.guests.note_view(guest, request.remote_addr or "")
        answer = redirect(f"{prefix}?theme={guest.theme}&kiosk=1", 303)
        answer.set_cookie(
            COOKIE, token, expires=guest.until, path=prefix, httponly=True, secure=request.is_secure, samesite="Lax"
        )
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Referrer-Policy"] = "no-referrer"  # the address is a key
        return answer  # type: ignore[return-value]

    @routes.get("/data/guests")
    def list_links() -> Response:
        return shown([told(link) for link in sources.guests.links_of(maker())])

    @routes.post("/data/guests")
    def make_link() -> Response:
        viewer, wanted = maker(), request.get_json()
        theme, area, days = wanted.get("theme"), wanted.get("area"), wanted.get("days")
        title = " ".join(str(wanted.get("title") or "").split())[:LONGEST_TITLE]
        themes = [each.name for each in sources.themes_of(viewer)]
        looked_at = sources.looked_at(viewer, str(area or ""))
        if theme not in themes or days not in DAYS or looked_at is None or looked_at.path != area:
            abort(422)
        with sources.acting(viewer):
            link = sources.guests.make_link(viewer, theme=theme, area=area, days=days, title=title)
        return shown(told(link), 201)

    @routes.post("/data/guests/<link_id>/revoke")
    def revoke_link(link_id: str) -> Response:
        viewer = maker()
        with sources.acting(viewer):
            return shown(told(sources.guests.revoke_link(viewer, link_id)))

    def maker() -> Any:
        viewer = sources.principal()
        if not may_invite(sources, viewer):
            raise Forbidden
        return viewer

    def told(link: Any) -> dict[str, Any]:
        theme = next((each.title for each in sources.themes if each.name == link.theme), link.theme)
        area = next((each.name for each in sources.areas(link.area, 0)), link.area)
        return {
            "id": str(link.id),
            "theme": theme,
            "area": area,
            "title": link.title,
            "by": link.made_by_name,
            "expires_at": link.expires_at,
            "revoked": link.revoked_at is not None,
            "views": link.views,
            "viewed_at": link.viewed_at,
            "address": url_for("cockpit_guests.enter", token=sources.guests.token_of(link), _external=True),
        }

    return routes


def may_invite(sources: CockpitSources, viewer: Any) -> bool:
    """Say whether a viewer may make links: somebody with an account and the permission."""
    return not sources.guest_theme(viewer) and sources.permitted(viewer, sources.guests.PERMISSION)


def guard_guests(app: Flask, prefix: str, sources: CockpitSources) -> None:
    """Keep guests to what their page asks for."""

    @app.before_request
    def keep_to_the_page() -> Response | None:
        path = request.path
        if not path.startswith(prefix) or path.startswith(f"{prefix}guest/"):
            return None
        viewer = sources.principal()
        if viewer is None or not sources.guest_theme(viewer):
            return None
        asked = path.removeprefix(prefix)
        if request.method in ("GET", "HEAD") and (asked == "" or open_to_guests(asked)):
            return None
        return Response(status=403)


def open_to_guests(asked: str) -> bool:
    """Say whether a guest may have what lies at an address under the prefix."""
    if asked.startswith("data/panels/") and asked.count("/") > 2:
        return False
    return asked.startswith((*OPEN, "_dash-component-suites/", "assets/", "_favicon.ico", "_reload-hash"))


def gone() -> Response:
    """Tell that a link opens nothing any more."""
    return Response(MISSING, status=410, mimetype="text/html")


def shown(content: Any, status: int = 200) -> Response:
    """Answer with JSON that is nobody else's."""
    return Response(to_json(content), status, mimetype="application/json", headers={"Cache-Control": "no-store"})

"""The pages: a supervisor's day on the phone, the offices' view of rounds, and sheets of codes to print."""

from __future__ import annotations

from typing import Any

import segno
from flask import render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.plugin_api import (
    Pages,
    PlaceFacts,
    View,
    area_names,
    current_principal,
    dressed,
    home_of,
    in_groups,
    page,
    permitted,
    scope_filter,
)
from plugins.alerts.intake.places import point_at
from plugins.alerts.patrol.codes import code_of, sites_of
from plugins.alerts.patrol.models import PatrolPlan
from plugins.alerts.patrol.panels import counts_by_area, headline
from plugins.alerts.patrol.vocabulary import EDIT, EXPORT, PATROL, STATES, VIEW

pages = Pages(
    "alerts_patrol_pages",
    __name__,
    url_prefix="/alerts/patrol",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

#: Points of one sheet.
MOST_CODES = 400


@pages.route("/today")
@page(PATROL)
def today() -> str:
    """今日巡检."""
    return render_template("patrol/today.html", account=str(current_principal().id))


@pages.route("/offline")
def offline() -> AnyResponse:
    """离线时的今日巡检：没有网络时由手机打开，其中没有任何数据."""
    return dressed(render_template("patrol/today.html", account="", signed_in_person=lambda: None))


@pages.route("/worker.js")
def worker() -> AnyResponse:
    """手机后台脚本：让今日巡检没有网络也能打开."""
    # A worker lives under the policy of its own file, and may control what lies beside it.
    answer = dressed(pages.send_static_file("worker.js"))
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pages.route("/rounds")
@page(VIEW)
def rounds() -> str:
    """巡检记录."""
    by = current_principal()
    view = View(area=home_of(by), scope=scope_filter(by, VIEW))
    counts = counts_by_area(view)
    names = area_names(set(counts))
    return render_template(
        "patrol/rounds.html",
        states=STATES,
        figures=headline(view).items,
        areas=[{"path": area, "name": names.get(area, area), **states} for area, states in counts.items()],
        may_edit=permitted(by, EDIT),
        may_export=permitted(by, EXPORT),
    )


@pages.route("/codes")
@page(EDIT)
def sheet() -> str:
    """点位码打印."""
    by = current_principal()
    within = request.args.get("area", "")[:200] or home_of(by)
    query = {"$and": [{"active": True}, scope_filter(by, EDIT, within=within)]}
    plans = PatrolPlan._get_collection().find(query, {"points": 1}).limit(MOST_CODES)
    points = sorted({point for plan in plans for point in plan["points"]})[:MOST_CODES]
    known = sites_of(points)
    cards = [
        card(place, known.get(point, {}))
        for point in points
        if (place := point_at(point)) is not None and permitted(by, EDIT, place.area)
    ]
    return render_template("patrol/codes.html", cards=cards, area=area_names({within}).get(within, "全部区域"))


def card(place: PlaceFacts, site: dict[str, Any]) -> dict[str, Any]:
    """Return what is printed of one point; the code stands behind `#`, which no browser sends to anybody."""
    number = site.get("round", 1)
    code = code_of(place, number)
    address = f"{url_for('alerts_patrol_pages.today', _external=True)}#{place.code}.{code}"
    picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=2)
    return {
        "point": place.code,
        "name": place.name,
        "kind": place.kind,
        "code": in_groups(code),
        "number": number,
        "required": bool(site.get("code_required")),
        "picture": picture,
    }

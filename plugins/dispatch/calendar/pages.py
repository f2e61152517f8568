"""The page where a district keeps its duty calendar."""

from __future__ import annotations

from flask import render_template

from backend.plugin_api import Pages, current_principal, district_of, home_of, page, permitted
from plugins.dispatch.calendar.keeping import KEEP, VIEW

pages = Pages(
    "duty_calendar_pages",
    __name__,
    url_prefix="/dispatch",
    template_folder="templates",
    static_folder="static",
    static_url_path="/calendar/static",
)


@pages.route("/calendar")
@page(VIEW)
def calendar() -> str:
    """工作日历."""
    by = current_principal()
    home = home_of(by)
    district = district_of(home) if home else ""
    return render_template("dispatch/calendar.html", district=district, may_keep=permitted(by, KEEP, district))

"""The page where staff look through alerts and handle them."""

from __future__ import annotations

from flask import render_template

from backend.plugin_api import Pages, current_principal, page, permitted
from plugins.alerts.alerts.models import ALERT_FLOW, SOURCES
from plugins.alerts.alerts.reading import VIEW
from plugins.alerts.kinds.defaults import SEVERITIES
from plugins.alerts.kinds.models import QUIET_REASONS

pages = Pages(
    "alerts_pages",
    __name__,
    url_prefix="/alerts",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

#: Reasons that come up every day, by the verb that they explain.
QUICK_REASONS = {
    "confirm": ("图片清晰，情况属实", "现场已核实"),
    "dismiss": ("误报", "重复上报", "现场未发现问题", "保洁或清运作业中"),
    "close": ("现场已清理", "已通知物业当场处理", "设备已恢复"),
    "reopen": ("问题反复", "现场仍未处理", "排除有误"),
    "split": ("不是同一件事",),
    "merge": ("同一件事",),
}


@pages.route("/")
@page(VIEW)
def alerts() -> str:
    """预警事件."""
    by = current_principal()
    return render_template(
        "alerts/alerts.html",
        states=ALERT_FLOW.states,
        severities=SEVERITIES,
        sources=SOURCES,
        purposes=QUIET_REASONS,
        reasons=QUICK_REASONS,
        may_handle=permitted(by, "alerts:handle"),
        may_map=permitted(by, "alerts:edit"),
        may_export=permitted(by, "alerts:export"),
    )

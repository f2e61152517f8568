"""The page where staff dispatch, handle and verify."""

from __future__ import annotations

from flask import render_template

from backend.plugin_api import Pages, current_principal, home_of, page, permitted
from plugins.dispatch.orders.models import DISPATCH, ORDER_FLOW, REPORT, SEVERITIES, SOURCES, VERIFY, VIEW
from plugins.dispatch.orders.routes import EXPORT
from plugins.dispatch.standards.register import titles

pages = Pages(
    "dispatch_pages",
    __name__,
    url_prefix="/dispatch",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

#: Reasons that come up every day, by the verb that they explain.
QUICK_REASONS = {
    "dismiss": ("不属于垃圾分类管理范围", "重复上报", "现场未发现问题"),
    "return": ("不属于本单位职责", "地点有误", "需其他单位配合"),
    "send_back": ("处置不彻底", "照片看不清", "照片与现场不符"),
    "close": ("现场已清理干净", "照片清楚，予以结案"),
    "suspend": ("等待第三方施工", "天气原因暂缓", "涉及权属，协调中"),
    "ask_extension": ("清运车辆排期中", "量大，需分批清运"),
    "refuse_extension": ("请按原时限办理",),
    "force_close": ("问题已由其他途径解决", "客观条件无法处置"),
    "reopen": ("问题反复", "居民反映未解决"),
}


@pages.route("/orders")
@page(VIEW)
def orders() -> str:
    """派单处置."""
    by = current_principal()
    may_dispatch, may_verify = permitted(by, DISPATCH), permitted(by, VERIFY)
    tabs = [("waiting", "待派遣", "phase=waiting")] if may_dispatch else []
    tabs += [("mine", "我的", "mine=true")]
    tabs += [("handling", "处置中", "phase=handling")]
    tabs += [("checking", "待核查", "phase=checking")] if may_verify else []
    tabs += [("overdue", "超期", "phase=open&overdue=true")]
    return render_template(
        "dispatch/orders.html",
        tabs=tabs,
        states=ORDER_FLOW.states,
        sources=SOURCES,
        severities=SEVERITIES,
        kinds=titles(home_of(by)),
        reasons=QUICK_REASONS,
        may_dispatch=may_dispatch,
        may_verify=may_verify,
        may_export=permitted(by, EXPORT),
        may_report=permitted(by, REPORT),
    )


@pages.route("/statistics")
@page(VIEW)
def statistics() -> str:
    """派单统计."""
    return render_template("dispatch/statistics.html")

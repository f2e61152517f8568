"""The page where companies read and appeal against deductions, and offices enter and decide."""

from __future__ import annotations

from datetime import datetime

from flask import render_template

from backend.plugin_api import LOCAL_ZONE, Pages, current_principal, page, permitted, utcnow
from plugins.ranking.ledger.models import STATES
from plugins.ranking.ledger.reading import APPEAL_STATES
from plugins.ranking.points import APPEAL, DECIDE, ENTER, EXPORT, VIEW
from plugins.ranking.rules.triggers import SOURCES

pages = Pages(
    "ranking_pages",
    __name__,
    url_prefix="/ranking",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

#: Reasons that come up every day, by what they explain.
QUICK_REASONS = {
    "appeal": ("现场已及时整改", "非本小区管理范围", "非本小区居民所为", "照片与事实不符"),
    "uphold": ("证据不足，予以冲销", "非本小区责任，予以冲销", "已及时整改，予以冲销"),
    "refuse": ("事实清楚，维持扣分", "申诉材料不足，维持扣分"),
    "annul": ("录入有误", "重复计分"),
}


def last_months(now: datetime, count: int = 24) -> list[tuple[str, str]]:
    """Return the latest months of Shanghai, as they are asked for and as people read them."""
    local = now.astimezone(LOCAL_ZONE)
    numbers = [local.year * 12 + local.month - 1 - n for n in range(count)]
    return [(f"{n // 12}-{n % 12 + 1:02d}", f"{n // 12}年{n % 12 + 1}月") for n in numbers]


@pages.route("/charges")
@page(VIEW)
def charges() -> str:
    """小区考核."""
    by = current_principal()
    may_decide, may_appeal = permitted(by, DECIDE), permitted(by, APPEAL)
    tabs = [("deducted", "扣分", "deducted=true&state=standing")]
    tabs += [("appealable", "可申诉", "appealable=true")] if may_appeal else []
    tabs += [("appeals", "申诉待裁决", "appeal=filed")]
    tabs += [("all", "查询", "")]
    return render_template(
        "ranking/charges.html",
        tabs=tabs,
        states=STATES,
        appeals=APPEAL_STATES,
        sources={code: each.title for code, each in SOURCES.items()},
        reasons=QUICK_REASONS,
        months=last_months(utcnow()),
        may_decide=may_decide,
        may_enter=permitted(by, ENTER),
        may_export=permitted(by, EXPORT),
    )

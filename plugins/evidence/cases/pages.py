"""The pages where people judge cases: one queue to review, one to countersign."""

from __future__ import annotations

from flask import render_template

from backend.plugin_api import Pages, current_principal, page, permitted
from plugins.evidence.captures.models import VIOLATIONS
from plugins.evidence.captures.reading import VIEW_UNMASKED
from plugins.evidence.cases.models import CASE_FLOW, COUNTERSIGN, REVIEW

pages = Pages(
    "evidence_cases_pages",
    __name__,
    url_prefix="/evidence",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/cases",
)

#: Reasons that come up every day, by the verb that they explain; one is taken with a click or a digit.
QUICK_REASONS = {
    "reject": ("画面不清，无法认定", "未见违规行为", "当事人已当场改正", "保洁或清运人员作业", "重复上报", "误报"),
    "propose_penalty": ("证据清晰，事实清楚", "多次违规", "拒不改正", "当事人无法辨认，由现场核实确定"),
    "confirm": ("情节轻微，予以提醒", "首次违规，批评教育", "作为线索，上门宣传"),
    "send_back": ("当事人选择有误", "证据不足，请补充", "违规类型有误"),
    "reopen": ("当事人申辩成立，重新核查", "发现新的证据", "操作有误"),
}


@pages.route("/review")
@page(REVIEW)
def review() -> str:
    """案件复核."""
    return shown("waiting")


@pages.route("/countersign")
@page(COUNTERSIGN)
def countersign() -> str:
    """案件会签."""
    return shown("countersigning")


def shown(queue: str) -> str:
    """Return the page, with one queue open."""
    by = current_principal()
    queues = [
        (state, address, CASE_FLOW.states[state])
        for state, address, permission in (
            ("waiting", "evidence_cases_pages.review", REVIEW),
            ("countersigning", "evidence_cases_pages.countersign", COUNTERSIGN),
        )
        if permitted(by, permission)
    ]
    return render_template(
        "cases/review.html",
        queue=queue,
        queues=queues,
        title="案件复核" if queue == "waiting" else "案件会签",
        may_unmask=permitted(by, VIEW_UNMASKED),
        may_review=permitted(by, REVIEW),
        violations=VIOLATIONS,
        states={code: title for code, title in CASE_FLOW.states.items() if code != "merged"},
        reasons=QUICK_REASONS,
    )

"""The page where cases go to enforcement: staff hand over, officers fetch, verify and confirm the receipt."""

from __future__ import annotations

from importlib import resources

from flask import Response, render_template

from backend.plugin_api import Pages, current_principal, page, permitted
from plugins.evidence.handover.handing import HAND_OVER, RECEIVE, VIEW

pages = Pages(
    "evidence_hand_over_pages",
    __name__,
    url_prefix="/evidence",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/hand-overs",
)

VERIFIER = "verify_evidence.py"

#: The lists of the page: where each is asked for, with which query, and what it says when it is empty.
CASES = ("waiting", "待移送", "/api/v1/evidence/cases?state=confirmed&order=oldest", "没有待移送的案件。")
HANDED = (
    ("made", "待领取", "/api/v1/evidence/hand-overs?state=made", "没有待领取的移送包。"),
    ("handed_over", "待签收", "/api/v1/evidence/hand-overs?state=handed_over", "没有待签收的移送包。"),
    ("received", "已签收", "/api/v1/evidence/hand-overs?state=received", "还没有签收的移送。"),
    ("all", "全部", "/api/v1/evidence/hand-overs?", "还没有移送记录。"),
)


@pages.route("/hand-overs")
@page(VIEW)
def hand_overs() -> str:
    """移送执法."""
    by = current_principal()
    may_hand_over, may_receive = permitted(by, HAND_OVER), permitted(by, RECEIVE)
    lists = [CASES, *HANDED] if may_hand_over else list(HANDED)
    # An officer comes to fetch, staff come to hand over.
    first = "made" if may_receive else lists[0][0]
    return render_template(
        "handover/hand_overs.html", lists=lists, first=first, may_hand_over=may_hand_over, may_receive=may_receive
    )


@pages.route(f"/{VERIFIER}")
@page(VIEW)
def verifier() -> Response:
    """Give out the verifier, so that nobody need trust the one inside a package."""
    source = (resources.files("plugins.evidence.handover") / VERIFIER).read_bytes()
    return Response(
        source,
        mimetype="text/x-python",
        headers={"Content-Disposition": f'attachment; filename="{VERIFIER}"'},
    )

"""The pages: to report, to follow with a receipt code, the public list, and the moderators' desk.

The first three work without any script: old phones, and people who are not at home on the web, get as far as others.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from backend.plugin_api import (
    LOCAL_ZONE,
    Forbidden,
    Pages,
    Problem,
    current_principal,
    current_settings,
    dressed,
    is_foreign,
    limited_by_address,
    page,
    permitted,
    principal_or_none,
)
from plugins.publicity.exposure import publishing
from plugins.publicity.exposure.categories import categories
from plugins.publicity.exposure.models import CUSTODIAN, FLOW, LONGEST_TEXT, MODERATE, MOST_PHOTOS, SHORTEST_TEXT
from plugins.publicity.exposure.receipts import ask_again, open_receipt, rate, receipt_view
from plugins.publicity.exposure.reporting import Sender, report
from plugins.publicity.exposure.routes import own_exposure
from plugins.publicity.exposure.schemas import ExposureAgainSchema, ExposureRatingSchema, ExposureReportForm

pages = Pages(
    "publicity_pages",
    __name__,
    url_prefix="/publicity",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

View = Callable[..., Any]
FIELDS = ("category", "text", "point", "longitude", "latitude", "anonymous", "clip_upload")
PER_PAGE = 12


def local(moment: Any) -> str:
    """Return a time as people here write it."""
    return str(moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M"))


def local_day(moment: Any) -> str:
    """Return a day as people here write it."""
    return str(moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d"))


def told(asking: Callable[..., AnyResponse]) -> Callable[[View], View]:
    """Decorate a page for everybody: what goes wrong is told on the page that `asking` makes, in plain words."""

    def decorator(view: View) -> View:
        limited = limited_by_address(lambda: current_settings().receipt_rate)(view)

        @wraps(view)
        def shown(*args: Any, **kwargs: Any) -> AnyResponse:
            try:
                if request.method == "POST" and is_foreign(request):
                    raise Problem("foreign_origin")
                answer: AnyResponse = limited(*args, **kwargs)
                return answer
            except RequestEntityTooLarge:
                return asking("照片太大，请减少张数后重试。", 413)
            except ValidationError as error:
                return asking(" ".join(sentences(error.messages)), 422)
            except Forbidden:
                return asking("您的账号不能上报这个地点。", 403)
            except Problem as problem:
                return asking(" ".join(sentences(problem.fields)) or problem.detail, problem.kind.status)

        return shown

    return decorator


def report_page(trouble: str = "", status: int = 200) -> AnyResponse:
    """Return the form, with what was typed before."""
    typed = {name: request.values.get(name, "") for name in FIELDS}
    return dressed(
        render_template(
            "exposure/report.html",
            categories=[each for each in categories().values() if each.active],
            typed=typed,
            trouble=trouble,
            once=request.form.get("once", "") or secrets.token_urlsafe(18),
            person=principal_or_none(),
            shortest=SHORTEST_TEXT,
            longest=LONGEST_TEXT,
            most_photos=MOST_PHOTOS,
        ),
        status,
    )


def code_page(trouble: str = "", status: int = 200) -> AnyResponse:
    """Return the page that asks for the receipt code."""
    return dressed(render_template("exposure/code.html", trouble=trouble), status)


@pages.get("/report")
@told(report_page)
def report_form() -> AnyResponse:
    """上报监督曝光."""
    return sent_to_login() or report_page()


@pages.post("/report")
@told(report_page)
def send_report() -> AnyResponse:
    """提交监督曝光."""
    if (elsewhere := sent_to_login()) is not None:
        return elsewhere
    given = {name: request.form[name] for name in FIELDS if name in request.form}
    form = ExposureReportForm().load(given)
    photos = [file.read() for file in request.files.getlist("photos") if file.filename]
    who = Sender(by=principal_or_none(), address=request.remote_addr or "")
    receipt = report(who, form, photos, key=request.form.get("once", "")[:100])
    return dressed(render_template("exposure/sent.html", receipt=receipt))


@pages.get("/receipt")
@told(code_page)
def receipt_form() -> AnyResponse:
    """凭回执码查询进度."""
    return code_page()


@pages.post("/receipt")
@told(code_page)
def show_receipt() -> AnyResponse:
    """查看进度."""
    exposure, own = open_receipt(request.form.get("code", ""), request.remote_addr or "")
    return followed(receipt_view(exposure, own=own))


@pages.post("/receipt/rating")
@told(code_page)
def send_rating() -> AnyResponse:
    """评价."""
    form = ExposureRatingSchema().load({name: request.form.get(name, "") for name in ("code", "stars", "text")})
    return followed(
        receipt_view(rate(own_exposure(form["code"]), form["stars"], form["text"]), own=True), "感谢您的评价。"
    )


@pages.post("/receipt/reopening")
@told(code_page)
def send_reopening() -> AnyResponse:
    """申请重办."""
    form = ExposureAgainSchema().load({name: request.form.get(name, "") for name in ("code", "text")})
    return followed(receipt_view(ask_again(own_exposure(form["code"]), form["text"]), own=True), "已收到您的重办申请。")


def followed(record: dict[str, Any], done: str = "") -> AnyResponse:
    """Return the page with the steps; the code travels in its forms alone, and is kept nowhere."""
    code = request.form.get("code", "")[:100]
    return dressed(render_template("exposure/receipt.html", record=record, code=code, done=done, local=local))


@pages.get("/exposures")
@told(lambda trouble, status: dressed(render_template("exposure/list.html", page=None, trouble=trouble), status))
def public_list() -> AnyResponse:
    """曝光公示."""
    asked = {"cursor": request.args.get("cursor", "")[:2000] or None, "limit": PER_PAGE}
    return dressed(
        render_template("exposure/list.html", page=publishing.public_page(asked), trouble="", local_day=local_day)
    )


@pages.get("/moderation")
@page(MODERATE)
def moderation() -> str:
    """监督曝光审核."""
    return render_template(
        "exposure/moderation.html",
        states=FLOW.states,
        categories=categories(),
        may_open=permitted(current_principal(), CUSTODIAN),
    )


def sent_to_login() -> AnyResponse | None:
    """Return the way to the login where nobody may report without one, and None for whoever may go on."""
    if principal_or_none() is not None or current_settings().anonymous_exposure:
        return None
    return redirect(
        url_for(
            "accounts.login", next=request.full_path.rstrip("?") if request.method == "GET" else "/publicity/report"
        )
    )


def sentences(messages: Any) -> list[str]:
    """Return every sentence of a tree of messages, each once."""
    if isinstance(messages, dict):
        return list(dict.fromkeys(each for part in messages.values() for each in sentences(part)))
    return [str(each) for each in messages]

"""The pages of the notice: one for the person concerned, who needs no login, and one for staff to print.

They work without any script: old phones, and people who are not at home on the web, get as far as all others.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from bson import ObjectId
from flask import Response, redirect, render_template, request
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from backend.plugin_api import (
    Pages,
    Problem,
    current_principal,
    current_settings,
    dressed,
    is_foreign,
    limited_by_address,
    page,
)
from plugins.evidence.cases.models import REVIEW
from plugins.evidence.cases.reading import case_of
from plugins.evidence.concerned import looking
from plugins.evidence.concerned.models import LONGEST_DEFENCE, MOST_PHOTOS
from plugins.evidence.concerned.notice import local, look, notice_of
from plugins.evidence.concerned.routes import COOKIE, PAGE, keep_visit, page_address
from plugins.evidence.concerned.schemas import SHORTEST_DEFENCE, DefenceForm

pages = Pages(
    "evidence_notice_pages",
    __name__,
    url_prefix="/evidence",
    template_folder="templates",
    static_folder="static",
    static_url_path="/notice/static",
)

View = Callable[..., Any]


def answered(view: View) -> View:
    """Decorate a page of the person concerned: what goes wrong is told on the page, in plain words."""
    limited = limited_by_address(lambda: current_settings().notice_rate)(view)

    @wraps(view)
    def shown(*args: Any, **kwargs: Any) -> AnyResponse:
        try:
            if request.method == "POST" and is_foreign(request):
                raise Problem("foreign_origin")
            return limited(*args, **kwargs)
        except RequestEntityTooLarge:
            return asking("照片太大，请缩小后重试。", 413)
        except Problem as problem:
            return asking(problem.detail, problem.kind.status)

    return shown


def asking(trouble: str = "", status: int = 200) -> AnyResponse:
    """Return the page that asks for the code."""
    return dressed(render_template("concerned/code.html", trouble=trouble), status)


def record_page(case: Any, *, trouble: str = "", typed: dict[str, str] | None = None, status: int = 200) -> AnyResponse:
    """Return the page with the record; `typed` is what was refused, so that nobody has to type it again."""
    return dressed(
        render_template(
            "concerned/record.html",
            record=looking.look(case),
            trouble=trouble,
            typed=typed or {},
            once=secrets.token_urlsafe(16),
            local=local,
            shortest=SHORTEST_DEFENCE,
            longest=LONGEST_DEFENCE,
            most_photos=MOST_PHOTOS,
            filed=request.args.get("filed") == "1",
        ),
        status,
    )


@pages.get("/notice")
@answered
def notice() -> AnyResponse:
    """告知码查询页；已打开记录的，显示本案记录."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return asking()
    try:
        case = looking.case_of_visit(token)
    except Problem:
        return forgotten(asking("查看时间已过，请重新输入告知码。"))
    return record_page(case)


@pages.post("/notice")
@answered
def enter_code() -> AnyResponse:
    """输入告知码."""
    _case, token = looking.open_visit(request.form.get("code", ""), request.remote_addr or "")
    return keep_visit(redirect(PAGE, 303), token)  # type: ignore[arg-type]


@pages.post("/notice/defences")
@answered
def file_defence() -> AnyResponse:
    """提出陈述申辩."""
    case = looking.case_of_visit(request.cookies.get(COOKIE, ""))
    typed = {name: request.form.get(name, "") for name in ("text", "phone")}
    files = [file for file in request.files.getlist("photos") if file.filename]
    try:
        form = DefenceForm().load(typed)
        if len(files) > MOST_PHOTOS:
            raise ValidationError({"photos": [f"最多 {MOST_PHOTOS} 张照片。"]})
        photos = [file.read() for file in files]
        looking.file_defence(case, form["text"], form["phone"], photos, request.form.get("once", "")[:100])
    except ValidationError as error:
        return record_page(case, trouble=" ".join(sentences(error.messages)), typed=typed, status=422)
    except Problem as problem:
        words = " ".join(sentences(problem.fields)) or problem.detail
        return record_page(case, trouble=words, typed=typed, status=problem.kind.status)
    return redirect(f"{PAGE}?filed=1#defences", 303)


@pages.post("/notice/leave")
@answered
def leave() -> AnyResponse:
    """结束查看."""
    looking.end_visit(request.cookies.get(COOKIE, ""))
    return forgotten(redirect(PAGE, 303))


@pages.get("/cases/<record_id:case_id>/notice")
@page(REVIEW)
def printed_notice(case_id: ObjectId) -> Response | str:
    """告知书，供打印."""
    try:
        case = look(case_of(current_principal(), case_id, REVIEW), printed=True)
    except Problem as problem:
        return Response(render_template("concerned/untold.html", trouble=problem.detail), problem.kind.status)
    return render_template("concerned/notice.html", notice=notice_of(case, page_address()), local=local)


def forgotten(answer: AnyResponse) -> AnyResponse:
    """Take the cookie back."""
    answer.delete_cookie(COOKIE, path="/")
    return answer


def sentences(messages: Any) -> list[str]:
    """Return every sentence of a tree of messages."""
    if isinstance(messages, dict):
        return [each for part in messages.values() for each in sentences(part)]
    return [str(each) for each in messages]

"""What decorators tell the OpenAPI document about a view: the problems it may answer with, headers, and logins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

from backend.http.problems import MEDIA_TYPE, code_table

View = TypeVar("View", bound=Callable[..., Any])

#: What any address may answer, whatever it does.
EVERYWHERE = ("bad_request", "too_many_requests", "store_unavailable")
IN_QUERY = ("invalid",)
IN_FORM = ("too_large", "unsupported_media_type", "invalid")
IN_FILES = ("files_full", "files_unavailable")
IN_JSON = (*IN_FORM, "malformed_json", "json_too_deep")


def describe(
    view: View, *, problems: Iterable[str] = (), parameters: Iterable[Mapping[str, Any]] = (), login: bool = False
) -> View:
    """Note on `view` what its OpenAPI entry has to say; decorators call this on the function they return."""
    # The notes came over from the wrapped function by functools.wraps and must not be changed there.
    notes = deepcopy(getattr(view, "_apidoc", {}))
    notes.setdefault("problems", []).extend(problems)
    notes.setdefault("header_parameters", []).extend(parameters)
    notes["login"] = notes.get("login", False) or login
    view._apidoc = notes  # type: ignore[attr-defined]
    return view


def may_answer(*codes: str) -> Callable[[View], View]:
    """Decorate a view with the problem codes that it raises by itself, so that its documentation names them."""
    return lambda view: describe(view, problems=codes)


def problem_responses(codes: Iterable[str], schema: Any) -> dict[int, dict[str, Any]]:
    """Return the OpenAPI answers for these codes, one for each status; raises LookupError for an unknown code."""
    wanted = set(codes)
    known = [each for each in code_table() if each.code in wanted]
    for missing in sorted(wanted - {each.code for each in known}):
        raise LookupError(f"The problem code {missing!r} is not registered.")
    responses: dict[int, dict[str, Any]] = {}
    for each in known:
        content = {MEDIA_TYPE: {"schema": schema}}
        answer = responses.setdefault(each.status, {"description": "", "content": content, "x-codes": {}})
        answer["x-codes"][each.code] = each.title
        answer["description"] = "；".join(f"{title}（`{code}`）" for code, title in answer["x-codes"].items())
    return responses


def operation_problems(doc: Mapping[str, Any], named: Iterable[str], method: str) -> set[str]:
    """Return all codes that an operation may answer with: those that it names, and those that its arguments bring."""
    codes = {*EVERYWHERE, *named}
    if any(parameter.get("in") == "query" for parameter in doc.get("parameters", ())):
        codes.update(IN_QUERY)
    for media_type in doc.get("requestBody", {}).get("content", ()):
        codes.update(IN_JSON if media_type == "application/json" else (*IN_FORM, *IN_FILES))
    if method not in ("get", "head", "options"):
        codes.add("foreign_origin")
    return codes

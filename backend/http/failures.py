"""Turn whatever goes wrong in a request into a problem answer."""

from __future__ import annotations

import marshmallow
import mongoengine
from flask import Flask, Response
from pymongo.errors import DuplicateKeyError, OperationFailure
from werkzeug.exceptions import HTTPException

from backend import workflow
from backend.blobs import BlobStoreFull, BlobStoreUnavailable
from backend.http.arguments import invalid
from backend.http.problems import Problem, ProblemCode, register
from backend.identity import IdentityError
from backend.monitoring import get_logger
from backend.records import DuplicateCode, InvalidValues, RecordFault, RecordNotFound, StaleVersion
from backend.storage import UNREACHABLE
from backend.workflow import TransitionRefused, WorkflowError

logger = get_logger(__name__)

RETRY_SECONDS = 5

#: The codes for what werkzeug and Flask refuse by themselves.
BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    412: "stale_version",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    428: "precondition_required",
    429: "too_many_requests",
    431: "headers_too_large",
    503: "store_unavailable",
}


def install_handlers(app: Flask) -> None:
    """Answer every exception with a problem."""
    register(ProblemCode(each.code, each.status, each.detail.rstrip("。"), each.detail) for each in _unregistered())
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(
        marshmallow.ValidationError, lambda error: invalid(error.normalized_messages()).response()
    )
    app.register_error_handler(IdentityError, lambda error: from_identity(error).response())
    app.register_error_handler(RecordFault, lambda error: from_record(error).response())
    app.register_error_handler(WorkflowError, lambda error: from_workflow(error).response())
    app.register_error_handler(DuplicateKeyError, lambda _error: Problem("duplicate").response())
    app.register_error_handler(mongoengine.NotUniqueError, lambda _error: Problem("duplicate").response())
    app.register_error_handler(BlobStoreFull, lambda _error: files_refused("files_full"))
    app.register_error_handler(BlobStoreUnavailable, lambda _error: files_refused("files_unavailable"))
    for kind in UNREACHABLE:
        app.register_error_handler(kind, store_unavailable)
    app.register_error_handler(OperationFailure, from_operation)
    app.register_error_handler(OverflowError, from_overflow)
    app.register_error_handler(Exception, unexpected)


def from_http(error: HTTPException) -> Response:
    """Return the problem for what the web framework refused; redirects pass as they are."""
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    if status >= 500 and status != 503:
        return Problem("internal_error").response()
    problem = Problem(BY_STATUS.get(status, "bad_request"))
    # Headers such as Allow and Retry-After are part of the answer.
    problem.headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return problem.response()


def from_identity(error: IdentityError) -> Problem:
    """Return the problem for a refusal of identity."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return Problem(error.code, detail=error.detail, fields=error.fields, headers=headers)


def from_record(error: RecordFault) -> Problem:
    """Return the problem for what the records floor found wrong."""
    match error:
        case RecordNotFound():
            return Problem("not_found")
        case StaleVersion():
            return Problem("stale_version")
        case InvalidValues(fields=fields):
            return Problem("invalid", fields={name: [text] for name, text in fields.items()})
        case DuplicateCode(code=code):
            return Problem("duplicate", detail=f"编码“{code}”已存在。", fields={"code": ["已存在。"]})
    raise error


def from_workflow(error: WorkflowError) -> Problem:
    """Return the problem for a step that a record cannot take."""
    match error:
        case workflow.StaleVersion():
            return Problem("stale_version")
        case TransitionRefused(reason=reason):
            return Problem("conflict", detail=reason)
    return Problem("conflict")


def store_unavailable(error: Exception) -> Response:
    """Answer that the store cannot be reached, and when to come again."""
    logger.error("store_unavailable", error=str(error)[:500])
    return Problem("store_unavailable", headers={"Retry-After": str(RETRY_SECONDS)}).response()


def files_refused(code: str) -> Response:
    """Answer that a file cannot be kept now; nothing of it was."""
    logger.error(code)
    return Problem(code, headers={"Retry-After": str(RETRY_SECONDS)}).response()


def from_operation(error: OperationFailure) -> Response:
    """Answer a transaction that gave way to others for too long like a store that is away; the rest is our fault."""
    return store_unavailable(error) if error.has_error_label("TransientTransactionError") else unexpected(error)


def from_overflow(error: OverflowError) -> Response:
    """Answer a number that MongoDB cannot hold; any other overflow is our own fault."""
    if "8-byte ints" not in str(error):
        return unexpected(error)
    return Problem("invalid", detail="数字超出可用范围。").response()


def unexpected(error: Exception) -> Response:
    """Answer a fault of our own: logged in full, told without detail."""
    logger.error("request_failed", exc_info=error)
    return Problem("internal_error").response()


def _unregistered() -> list[type[IdentityError]]:
    """Return the refusals of identity that have no problem code yet."""
    from backend.http.problems import code_table

    known = {each.code for each in code_table()}
    found, queue = [], IdentityError.__subclasses__()
    while queue:
        kind = queue.pop()
        queue.extend(kind.__subclasses__())
        if kind.code not in known:
            known.add(kind.code)
            found.append(kind)
    return found

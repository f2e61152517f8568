"""What surrounds every request: its number, who acts in it, size limits, metrics and the headers of the answer."""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from time import perf_counter

from flask import Flask, Response, g, request

from backend.http.problems import Problem
from backend.monitoring import logging_about, metrics
from backend.protection import Actor, acting
from backend.settings import Settings

REQUEST_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
MAX_PARTS = 64
#: The media type of a portion of an upload that may be continued.
PORTION = "application/offset+octet-stream"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def install_exchange(app: Flask, settings: Settings) -> None:
    """Give every request of `app` its number and limits, and every answer its headers."""

    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.started = perf_counter()
        g.surroundings = ExitStack()
        g.surroundings.enter_context(logging_about(request_id=g.request_id))
        nobody = Actor(id="", name="未登录", kind="anonymous", address=request.remote_addr or "")
        g.surroundings.enter_context(acting(nobody))
        # Read when the body is first touched, so a body too large is refused before it is read.
        limits = {"multipart/form-data": settings.max_upload_bytes, PORTION: settings.max_clip_bytes}
        request.max_content_length = limits.get(request.mimetype, settings.max_json_bytes)
        request.max_form_memory_size = settings.max_json_bytes
        request.max_form_parts = MAX_PARTS
        if "\0" in request.path:
            raise Problem("not_found")

    def finish(response: Response) -> Response:
        for name, value in HEADERS.items():
            if name not in response.headers:
                response.headers[name] = value
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.path.startswith("/api/") and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-Id"] = g.request_id
        route = request.url_rule.rule if request.url_rule else "unknown"
        metrics.request_answered(request.method, route, response.status_code, perf_counter() - g.started)
        return response

    def end(_error: BaseException | None) -> None:
        if surroundings := g.pop("surroundings", None):
            surroundings.close()

    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(end)

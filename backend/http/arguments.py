"""Strict reading of a request's body, query and files against a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from marshmallow.utils import missing
from webargs.core import is_json
from webargs.flaskparser import FlaskParser

from backend.http.json_values import check_text, read_json
from backend.http.messages import flattened
from backend.http.problems import Problem

FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class StrictParser(FlaskParser):
    """Refuses unknown fields everywhere, other content types, and text that the store cannot hold."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": ma.RAISE,
        "querystring": ma.RAISE,
        "form": ma.RAISE,
        "files": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Return the JSON body; a body of another type is a Problem `unsupported_media_type`."""
        if not is_json(req.mimetype):
            if req.mimetype or has_body(req):
                raise Problem("unsupported_media_type", detail="请以 application/json 提交内容。")
            return missing
        body = whole_body(req)
        return read_json(body) if body else missing

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """Return the query parameters."""
        if b"%00" in req.query_string:
            check_values(req.args)
        return super().load_querystring(req, schema)

    def load_form(self, req: Request, schema: ma.Schema) -> Any:
        """Return the form's text fields."""
        check_form_type(req)
        check_values(req.form)
        return super().load_form(req, schema)

    def load_files(self, req: Request, schema: ma.Schema) -> Any:
        """Return the form's files."""
        check_form_type(req)
        return super().load_files(req, schema)

    def handle_error(self, error: ma.ValidationError, *_args: Any, **_options: Any) -> NoReturn:
        """Answer a validation error with Problem `invalid`."""
        [messages] = error.normalized_messages().values()
        raise invalid(messages) from error


def invalid(messages: Any) -> Problem:
    """Return the problem for marshmallow's messages."""
    fields: dict[str, list[str]] = {}
    for path, sentences in flattened(messages):
        # The path may echo what the client sent as a key, which need not be short.
        fields.setdefault(path[:200], []).extend(sentences)
    return Problem("invalid", fields=fields)


def check_form_type(req: Request) -> None:
    """Refuse a body that is no form."""
    if req.mimetype not in FORM_TYPES and (req.mimetype or has_body(req)):
        raise Problem("unsupported_media_type", detail="请以 multipart/form-data 提交内容。")
    if None in req.form or None in req.files:
        raise Problem("invalid", detail="表单中有一部分没有名称。")


def check_values(values: Mapping[str, str]) -> None:
    """Refuse NUL characters in names and values."""
    for name, value in values.items():
        check_text(name)
        check_text(value, name)


def whole_body(req: Request) -> bytes:
    """Return the body; raises Problem `too_large`, or werkzeug's own for a length that is told beforehand."""
    body = req.get_data()
    # Of a body sent in pieces werkzeug reads no more than the limit, and says nothing.
    if req.content_length is None and req.max_content_length is not None and len(body) >= req.max_content_length:
        raise Problem("too_large")
    return body


def has_body(req: Request) -> bool:
    """Say whether the client sends a body."""
    return bool(req.content_length) or "chunked" in req.headers.get("Transfer-Encoding", "")

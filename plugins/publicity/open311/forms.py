"""How GeoReport v2 writes its answers: the same content as XML and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import orjson
from flask import Response

#: What the members of a list are called in XML.
MEMBERS = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
}


def answer(form: str, root: str, content: Any, status: int = 200) -> Response:
    """Return `content` as `xml` below the element `root`, or as `json`."""
    if form == "xml":
        body = f'<?xml version="1.0" encoding="utf-8"?>\n{element(root, content)}'.encode()
        return Response(body, status, content_type="text/xml; charset=utf-8")
    return Response(orjson.dumps(content), status, content_type="application/json; charset=utf-8")


def element(name: str, content: Any) -> str:
    """Return an element; a list becomes elements of the name that its members have, None an empty one."""
    if isinstance(content, Mapping):
        inside = "".join(element(key, value) for key, value in content.items())
    elif isinstance(content, Sequence) and not isinstance(content, str):
        inside = "".join(element(MEMBERS[name], each) for each in content)
    else:
        inside = text_of(content)
    return f"<{name}>{inside}</{name}>"


def text_of(value: Any) -> str:
    """Return a plain value as XML text, without the control characters that no XML may hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(
        "".join(
            each
            for each in str(value)
            if each in "\t\n\r" or " " <= each <= "\ud7ff" or (each >= "\ue000" and each not in "\ufffe\uffff")
        )
    )

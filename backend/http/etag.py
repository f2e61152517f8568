"""Versions over HTTP: records are tagged by id and version, lists by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from bson import ObjectId
from flask import Response, request
from werkzeug.datastructures import ETags

from backend.http.describing import View, describe
from backend.http.problems import Problem

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "所见记录的 ETag；记录在此期间被他人修改时答 412",
    "schema": {"type": "string"},
    "example": '"6a2100000000000000000000-1"',
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "已有内容的 ETag；没有变化时答 304",
    "schema": {"type": "string"},
}
ETAG = {"description": "内容的版本", "schema": {"type": "string"}}


def etag_of(record: Any) -> str:
    """Return the ETag header of a record, or of a row as pymongo reads it: `"<id>-<version>"`."""
    if isinstance(record, Mapping):
        return f'"{record["_id"]}-{record["version"]}"'
    return f'"{record.id}-{record.version}"'


def if_match(view: View) -> View:
    """Decorate a view that changes one existing record: without `If-Match` it answers 428.

    The view itself compares, with `check_if_match` or by writing only where `if_match_version` still holds.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not _if_match_tags():
            raise Problem("precondition_required")
        return view(*args, **kwargs)

    described: Callable[..., Any] = describe(
        checked, problems=("precondition_required", "stale_version", "not_found"), parameters=(IF_MATCH,)
    )
    return described  # type: ignore[return-value]


def check_if_match(record: Any) -> None:
    """Raise Problem `stale_version` unless `If-Match` names the version that the record has now."""
    if etag_of(record).strip('"') not in _if_match_tags():
        raise Problem("stale_version")


def if_match_version(record_id: ObjectId | str) -> int:
    """Return the version of this record that the client saw; raises Problem `stale_version` for another's ETag."""
    for tag in _if_match_tags():
        seen, _, version = tag.rpartition("-")
        if seen == str(record_id) and version.isascii() and version.isdigit() and len(version) < 10:
            return int(version)
    raise Problem("stale_version")


def _if_match_tags() -> set[str]:
    # `*` would say "whatever it is now", which is the very thing that If-Match is asked for to prevent.
    return set() if request.if_match.star_tag else _tags(request.if_match)


def _tags(given: ETags) -> set[str]:
    # The parser lets empty tags through, as None.
    return {_plain(tag) for tag in given.as_set(include_weak=True) if tag}


def _plain(tag: str) -> str:
    # Compression makes `tag:gzip` of a tag.
    return tag.partition(":")[0]


def tag_answer(response: Response, content: Any) -> Response:
    """Give an answer its ETag, and turn it into 304 when the client has that already.

    A record with an `etag` member is tagged with that; other answers to a GET by their bytes.
    """
    reading = request.method in ("GET", "HEAD") and response.status_code == 200
    if "ETag" not in response.headers:
        if isinstance(content, Mapping) and isinstance(content.get("etag"), str):
            response.headers["ETag"] = f'"{content["etag"]}"'
        elif reading and not response.is_streamed:
            response.headers["ETag"] = f'"{hashlib.blake2b(response.get_data(), digest_size=12).hexdigest()}"'
    if reading and "If-None-Match" in request.headers and "ETag" in response.headers:
        known = _tags(request.if_none_match)
        if _plain(response.headers["ETag"].removeprefix("W/").strip('"')) in known or request.if_none_match.star_tag:
            response.set_data(b"")
            response.status_code = 304
            del response.headers["Content-Type"]
            response.headers.pop("Content-Length", None)
    return response

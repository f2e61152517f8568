"""JSON in and out: fast writing of what records hold, and strict reading of what clients send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson
from bson import ObjectId
from flask import Response
from flask.json.provider import JSONProvider

from backend.http.problems import Problem

MAX_DEPTH = 32

#: Times leave as ISO 8601 in UTC with `Z`; a time without a zone comes from the store and is UTC.
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS

# Escapes are the only way for a NUL or half a surrogate pair to get past the decoder.
SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def write_json(value: Any) -> bytes:
    """Return `value` as JSON; ObjectIds become 24 hex digits. Raises TypeError for what JSON cannot say."""
    return orjson.dumps(value, default=_written, option=OPTIONS)


def _written(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, str):  # a lazy or marked-up string
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return JSON text."""
        return write_json(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value of JSON text."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return an answer with the one positional or the keyword arguments as JSON."""
        return Response(write_json(self._prepare_response_obj(args, kwargs)), mimetype="application/json")


def read_json(body: bytes) -> Any:
    """Return the value of a client's JSON body.

    Raises Problem `malformed_json` for broken text, repeated keys, NaN, infinity, numbers beyond 64 bits and half
    surrogate pairs; `json_too_deep` beyond 32 levels; `invalid` for NUL characters.
    """
    try:
        text = body.decode()
        value = _decoder.decode(text)
    except RecursionError as error:
        raise Problem("json_too_deep") from error
    except ValueError as error:
        raise Problem("malformed_json") from error
    # Both walks are rare: few bodies have that many brackets, and few clients escape at all.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if SUSPICIOUS_ESCAPE.search(text):
        _check_strings(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is repeated")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (value := int(digits)) < 2**63:
        raise ValueError("the number does not fit into 64 bits")
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("the number is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


def _check_depth(value: Any) -> None:
    level: Iterable[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for each in level if isinstance(each, dict | list) for inner in _inside(each)]
        if not level:
            return
    raise Problem("json_too_deep")


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _check_strings(value: Any, path: str = "") -> None:
    if isinstance(value, str):
        check_text(value, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_text(key, path)
            _check_strings(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_strings(inner, f"{path}.{index}" if path else str(index))


def check_text(text: str, path: str = "") -> None:
    """Refuse text that the store cannot hold: Problem `invalid` for NUL, `malformed_json` for half surrogate pairs."""
    if "\0" in text:
        raise Problem("invalid", fields={path.replace("\0", "") or "_": ["不能包含空字符。"]})
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Problem("malformed_json") from error

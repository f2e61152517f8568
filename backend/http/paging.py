"""Pages by key: each page begins after the last record of the one before, however many were added in between."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bson import ObjectId
from marshmallow import Schema, fields, validate
from pymongo.collection import Collection

from backend.http.problems import Problem

#: What a list is sorted by, such as `(("name_key", 1), ("_id", 1))`; the last one must be unique.
Sort = Sequence[tuple[str, int]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_CURSOR = 2000


class PageArgs(Schema):
    """The query of a list; a schema of search conditions extends it."""

    cursor = fields.String(
        validate=validate.Length(1, LONGEST_CURSOR), metadata={"description": "上一页答复中的 next_cursor"}
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200), metadata={"description": "每页条数"})
    count = fields.Boolean(load_default=False, metadata={"description": "同时给出总数（较慢）"})


@dataclass(frozen=True)
class Page:
    """One page of rows; `next_cursor` is None on the last, `total` only when it was asked for."""

    items: Sequence[Mapping[str, Any]]
    next_cursor: str | None
    total: int | None = None

    def shown(self, present: Callable[[Mapping[str, Any]], Any]) -> dict[str, Any]:
        """Return the answer, with each row as `present` shows it."""
        answer = {"items": [present(row) for row in self.items], "next_cursor": self.next_cursor}
        return answer if self.total is None else {**answer, "total": self.total}


@cache
def paged(item: type[Schema]) -> type[Schema]:
    """Return the schema of a page of `item`."""
    members: dict[str, fields.Field[Any]] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next_cursor": fields.String(
            required=True, allow_none=True, metadata={"description": "下一页的位置；最后一页为 null"}
        ),
        "total": fields.Integer(metadata={"description": "总数；仅在 count=true 时给出"}),
    }
    return Schema.from_dict(members, name=f"{item.__name__.removesuffix('Schema')}Page")


def read_page(
    collection: Collection[Any],
    query: Mapping[str, Any],
    *,
    sort: Sort,
    cursor: str | None = None,
    limit: int = 50,
    count: bool = False,
    projection: Mapping[str, Any] | None = None,
) -> Page:
    """Read one page in one round trip, two with `count`; raises Problem `invalid_cursor`.

    `query` must be built from declared conditions and the person's scope; the cursor only narrows it further.
    """
    parts = [part for part in (query, page_filter(sort, cursor)) if part]
    narrowed = {"$and": parts} if len(parts) > 1 else dict(parts[0]) if parts else {}
    rows = list(collection.find(narrowed, projection).sort(list(sort)).limit(limit + 1).batch_size(limit + 1))
    after = write_cursor(sort, rows[limit - 1]) if len(rows) > limit else None
    return Page(rows[:limit], after, collection.count_documents(dict(query)) if count else None)


def page_filter(sort: Sort, cursor: str | None) -> dict[str, Any]:
    """Return the filter of what comes after `cursor` in this order; raises Problem `invalid_cursor`.

    A missing value sorts as null, before everything else.
    """
    if not cursor:
        return {}
    values = read_cursor(sort, cursor)
    later: list[dict[str, Any]] = []
    equal: dict[str, Any] = {}
    for (name, direction), value in zip(sort, values, strict=True):
        later += [{**equal, **beyond} for beyond in _beyond(name, direction, value)]
        equal = {**equal, name: value}
    if not later:  # forged: the last key is unique and never missing
        raise Problem("invalid_cursor")
    (name, direction), first = sort[0], values[0]
    if first is None or direction < 0:
        return {"$or": later}
    # This bound is implied; said openly it lets the index begin at the right place.
    return {name: {"$gte": first}, "$or": later}


def _beyond(name: str, direction: int, value: Any) -> list[dict[str, Any]]:
    if direction > 0:
        return [{name: {"$ne": None}}] if value is None else [{name: {"$gt": value}}]
    return [] if value is None else [{name: {"$lt": value}}, {name: None}]


def write_cursor(sort: Sort, row: Mapping[str, Any]) -> str:
    """Return the opaque place of `row` in this order."""
    values = [_tagged(row.get(name)) for name, _ in sort]
    text = json.dumps([_order(sort), *values], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(sort: Sort, cursor: str) -> list[Any]:
    """Return the sort values of a cursor; raises Problem `invalid_cursor` for one of another list, or a forged one.

    Nothing but plain values comes out, so that a cursor can say no more than where to go on.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        order, *tagged = json.loads(text)
        if order != _order(sort) or len(tagged) != len(sort):
            raise ValueError("made for another list")
        return [_untagged(each) for each in tagged]
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Problem("invalid_cursor", fields={"cursor": ["翻页位置无效。"]}) from error


def _order(sort: Sort) -> str:
    return hashlib.sha256(repr(tuple(map(tuple, sort))).encode()).hexdigest()[:8]


def _tagged(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case ObjectId():
            return {"o": str(value)}
        case datetime():
            return {"t": (value - EPOCH) // timedelta(milliseconds=1)}
    raise TypeError(f"Lists cannot be sorted by a {type(value).__name__}.")


def _untagged(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str() if "\0" not in value:
            value.encode()
            return value
        case float() if math.isfinite(value):
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case {"o": str(digits)} if len(value) == 1 and ObjectId.is_valid(digits):
            return ObjectId(digits)
        case {"t": int(milliseconds)} if len(value) == 1 and not isinstance(milliseconds, bool):
            return EPOCH + timedelta(milliseconds=milliseconds)
    raise ValueError("not a plain value")

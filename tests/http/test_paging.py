"""Pages put together are the whole list in its order, whatever is added meanwhile and whoever forges a cursor."""

from __future__ import annotations

import base64
import json

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import storage
from backend.http import Problem, page_filter, read_page

pytestmark = pytest.mark.usefixtures("store")

values = st.one_of(st.none(), st.sampled_from([0, 1, 2, 5, 10**17]), st.integers(-(2**63), 2**63 - 1))
directions = st.sampled_from([1, -1])


def whole(rows: list[dict], sort) -> list[ObjectId]:
    ordered = list(rows)
    for name, direction in reversed(sort):
        ordered.sort(
            key=lambda row, name=name: (row.get(name) is not None, row.get(name) or 0 if name != "_id" else row["_id"]),
            reverse=direction < 0,
        )
    return [row["_id"] for row in ordered]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(values, values), max_size=25),
    late=st.lists(st.tuples(values, values), max_size=4),
    order=st.tuples(directions, directions, directions),
    limit=st.integers(1, 7),
)
def test_a_walk_is_the_whole_sorted_list(rows, late, order, limit):
    collection = storage.database()["pages"]
    collection.delete_many({})

    def stored(pair) -> dict:
        return {"_id": ObjectId(), **{name: each for name, each in zip("ab", pair, strict=True) if each is not None}}

    documents = [stored(pair) for pair in rows]
    if documents:
        collection.insert_many(documents)
    sort = tuple(zip(("a", "b", "_id"), order, strict=True))
    seen, cursor, added = [], None, list(late)
    while True:
        page = read_page(collection, {}, sort=sort, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        seen += [row["_id"] for row in page.items]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        if added:  # others add records while this person turns the pages
            collection.insert_one(stored(added.pop()))
    known = {row["_id"] for row in documents}
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in known] == whole(documents, sort)


SORT = (("name", 1), ("_id", 1))


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_forged_cursors_are_refused():
    order = json.loads(base64.urlsafe_b64decode(made_cursor() + "=="))[0]
    for cursor in (
        "x",
        "é" * 20,
        "AAAA",
        forged(),
        forged(order),
        forged(order, "a"),
        forged("other", "a", {"o": str(ObjectId())}),
        forged(order, {"$gt": ""}, {"o": str(ObjectId())}),
        forged(order, ["a"], {"o": str(ObjectId())}),
        forged(order, "a", {"o": "not an id"}),
        forged(order, "a", {"o": str(ObjectId()), "$ne": 1}),
        forged(order, {"t": 10**30}, {"o": str(ObjectId())}),
        forged(order, 2**63, {"o": str(ObjectId())}),
        forged(order, "a\0", None),
        forged(order, "\ud800", None),
        forged(order, float("nan"), None),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ):
        with pytest.raises(Problem) as raised:
            page_filter(SORT, cursor)
        assert raised.value.kind.code == "invalid_cursor", cursor
    with pytest.raises(Problem):
        page_filter((("name", -1), ("_id", -1)), made_cursor())


def made_cursor() -> str:
    collection = storage.database()["pages"]
    collection.delete_many({})
    collection.insert_many([{"name": "a"}, {"name": "b"}])
    return read_page(collection, {}, sort=SORT, limit=1).next_cursor or ""


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_no_text_breaks_a_cursor(text):
    try:
        page_filter(SORT, text)
    except Problem as problem:
        assert problem.kind.status == 422


def test_over_http(editor):
    url = "/api/v1/things"
    for amount in (3, 1, 1, 2, 1):
        editor.post(url, json={"name": "a", "amount": amount})
    first = editor.get(f"{url}?limit=2&count=true").json
    assert first["total"] == 5 and len(first["items"]) == 2
    second = editor.get(url, query_string={"limit": 2, "cursor": first["next_cursor"]}).json
    last = editor.get(url, query_string={"limit": 2, "cursor": second["next_cursor"]}).json
    assert [row["amount"] for page in (first, second, last) for row in page["items"]] == [1, 1, 1, 2, 3]
    assert last["next_cursor"] is None and "total" not in last
    assert editor.get(f"{url}?cursor=forged").json["code"] == "invalid_cursor"

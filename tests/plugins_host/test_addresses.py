"""Two addresses conflict exactly when one request could be meant for both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from backend.plugins_host.addresses import Address

part = st.sampled_from(["a", "b", "<x>", "<int:y>", "v<z>"])
rules = (
    st.lists(part, min_size=1, max_size=3)
    .flatmap(lambda parts: st.sampled_from(["/".join(parts), "/".join([*parts, "<path:rest>"])]))
    .map(lambda text: "/api/v1/" + text)
)
paths = st.lists(st.sampled_from(["a", "b", "7", "va", "c"]), min_size=1, max_size=4).map(
    lambda p: "/api/v1/" + "/".join(p)
)


def distinct(rule: str) -> str:
    for index in range(rule.count("<")):
        rule = (
            rule.replace("<x>", f"<x{index}>", 1)
            .replace("<int:y>", f"<int:y{index}>", 1)
            .replace("<z>", f"<z{index}>", 1)
        )
    return rule


def address(rule: str, *methods: str) -> Address:
    bound = Rule(rule, methods=methods or ("GET",), endpoint="x")
    Map([bound])
    return Address.of(bound)


def fits(rule: str, path: str) -> bool:
    try:
        Map([Rule(rule, endpoint="x")]).bind("localhost").match(path)
    except HTTPException:
        return False
    return True


@given(rules.map(distinct), rules.map(distinct), paths)
def test_whatever_fits_both_is_a_conflict(one: str, two: str, path: str) -> None:
    if fits(one, path) and fits(two, path):
        assert address(one).meets(address(two)) and address(two).meets(address(one))


@pytest.mark.parametrize(
    ("one", "two", "conflict"),
    [
        ("/api/v1/a", "/api/v1/a", True),
        ("/api/v1/a", "/api/v1/a/", True),
        ("/api/v1/a", "/api/v1/b", False),
        ("/api/v1/a/<x>", "/api/v1/a/nearest", True),
        ("/api/v1/a/<x>", "/api/v1/a/<x>/noise", False),
        ("/api/v1/<path:x>", "/api/v1/a/b/c", True),
    ],
)
def test_examples(one: str, two: str, conflict: bool) -> None:
    assert address(one).meets(address(two)) is conflict


def test_other_methods_are_other_addresses() -> None:
    assert not address("/api/v1/a", "GET").meets(address("/api/v1/a", "POST"))

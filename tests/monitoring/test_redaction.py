"""Private data leaves no trace in what is logged, wherever it stands."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.monitoring import redact, redact_text

DIGITS = "0123456789"
PRIVATE_NAMES = [
    "password",
    "newPassword",
    "token",
    "refresh_token",
    "Authorization",
    "X-Api-Key",
    "master_key",
    "apiKey",
    "client_secret",
    "Cookie",
    "phone",
    "reporter_phone",
    "idNumber",
    "密码",
    "手机号",
]


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


@st.composite
def phones(draw: st.DrawFn) -> str:
    first, middle, last = "1" + draw(st.sampled_from("3456789")) + draw(digits(1)), draw(digits(4)), draw(digits(4))
    between = draw(st.sampled_from(["", "-", " "]))
    return draw(st.sampled_from(["", "+86", "86 "])) + between.join((first, middle, last))


identity_cards = st.builds(str.__add__, digits(17), st.sampled_from([*DIGITS, "X", "x"]))
full_width = st.builds(lambda phone: phone.translate(str.maketrans(DIGITS, "０１２３４５６７８９")), phones())
private_by_look = st.one_of(phones(), identity_cards, full_width)
# Text that neither continues a number nor joins two.
around = st.text(st.characters(exclude_categories=("Nd", "Cs"), exclude_characters="Xx+- "), max_size=20)
plain = st.one_of(st.none(), st.booleans(), st.integers(-1000, 1000), around)


@given(around, private_by_look, around)
def test_phones_and_identity_cards_are_removed_from_any_text(before: str, private: str, after: str) -> None:
    assert private not in redact_text(f"{before}\n{private}\n{after}")
    assert private not in redact_text(f"{before}，{private}。{after}")


@given(
    private_by_look, st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(around, inner), max_leaves=8)
)
def test_private_values_are_removed_however_deep_they_lie(private: str, rest: Any) -> None:
    cleaned = redact({"rest": rest, "rows": [{"deep": ({"note": private},)}, {private: 1}]})
    assert private not in repr(cleaned)


@given(
    st.sampled_from(PRIVATE_NAMES),
    st.one_of(st.text(min_size=12), st.binary(min_size=12), st.lists(st.text(min_size=12), min_size=1)),
)
def test_values_with_a_private_name_are_removed_whatever_they_are(name: str, value: Any) -> None:
    assert redact({name: value}) == {name: "[removed]"}


@given(st.sampled_from(["password", "access_token", "密码", "api-key", "secret"]), st.text("abcXYZ019._", min_size=6))
def test_named_values_inside_a_text_are_removed(name: str, value: str) -> None:
    value = f"~{value}~"
    for text in (
        f"/login?{name}={value}&x=1",
        f'{{"{name}": "{value} and more"}}',
        f"{name}：{value}",
        f"{name}='{value}'",
    ):
        assert value not in redact_text(text)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("Authorization: Bearer abcdefgh12345", "abcdefgh12345"),
        ("mongodb://root:hunter22@db:27017", "hunter22"),
        ("got eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\nabc\n-----END PRIVATE KEY-----", "MIIEvQ"),
        ("call 0571-88888888", "88888888"),
    ],
)
def test_secrets_are_known_by_their_look(text: str, private: str) -> None:
    assert private not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "664f1c2ab3d4e5f6a7b8c9d0",
        "330110/330110001/330110001005/C00042",
        "2026-03-01T08:00:00.123456Z",
        "took 1732271234567 ms for 20000 rows",
        "/api/v1/compounds?limit=50&cursor=abc",
        "keyset paging by 50, key_version 3",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert redact_text(text) == text
    assert redact({"key_version": 3, "rows": [1, 2.5, None, True], "area": text})["area"] == text


def test_private_numbers_and_bytes_are_removed_and_others_kept() -> None:
    assert redact([13812345678, 42, b"12345678901"]) == ["[removed]", 42, "[11 bytes]"]


@pytest.mark.parametrize("piece", ["token", "a", "token-", "1", "13812345678 ", "-----BEGIN PRIVATE KEY-----", "eyJ."])
def test_no_text_makes_it_slow(piece: str) -> None:
    started = time.perf_counter()
    redact_text(piece * (100_000 // len(piece)))
    assert time.perf_counter() - started < 2


def test_endless_nesting_ends() -> None:
    rows: list[Any] = []
    rows.append(rows)
    assert "[too deep]" in repr(redact(rows))

"""What a mask lets through, and what it never does."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.protection import mask
from backend.protection.masking import KINDS


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("phone", "13812345678", "138****5678"),
        ("phone", "138-1234-5678", "138****5678"),
        ("phone", "88886666", "****66"),
        ("phone", "110", "****"),
        ("id_number", "33010619900101123X", "330****123X"),
        ("id_number", "E1234567", "****"),
        ("name", "张三", "张*"),
        ("name", "欧阳娜娜", "欧*"),
        ("name", "张", "*"),
        ("address", "浙江省杭州市上城区望江街道婺江路12号3幢201室", "浙江省杭州市上城区望江街道****"),
        ("address", "望江街道幸福小区3幢", "望江街道****"),
        ("address", "幸福小区3幢201", "****"),
        ("address", "3幢201", "****"),
        ("plate", "浙A12345", "浙A****45"),
        ("plate", "浙A·D12345", "浙A****45"),
        ("text", "anything", "****"),
        ("text", "", ""),
        ("phone", None, ""),
        ("phone", "   ", ""),
    ],
)
def test_each_kind_shows_what_it_says(kind, value, shown):
    assert mask(kind, value) == shown


def test_an_unknown_kind_is_an_error():
    with pytest.raises(KeyError):
        mask("colour", "red")


TEXTS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40) | st.from_regex(r"[0-9X]{0,20}")
#: Characters shown at most, at either end, by kind.
LIMITS = {"phone": (3, 4), "id_number": (3, 4), "name": (1, 0), "plate": (2, 2), "text": (0, 0)}


@pytest.mark.parametrize("kind", sorted(LIMITS))
@given(value=TEXTS)
def test_no_value_shows_more_than_its_kind_allows(kind, value):
    assume("*" not in value)  # it could not be told from what is hidden
    shown = mask(kind, value)
    first, last = LIMITS[kind]
    before, _, after = shown.partition("*")
    after = after.lstrip("*")
    assert len(before) <= first and len(after) <= last
    telling = re.sub(r"[\s\-()（）·]", "", value)
    hidden = len(telling) - len(before) - len(after)
    assert hidden >= min(1 if kind == "name" else 3, len(telling))


@given(value=TEXTS | st.from_regex(r"[\u4e00-\u9fff市区街道镇0-9]{0,30}"))
def test_an_address_never_shows_a_number(value):
    shown = mask("address", value)
    assert value.strip().startswith(shown.removesuffix("****"))
    assert not any(each.isdigit() for each in shown)
    assert len(shown) < 50


@given(st.sampled_from(sorted(KINDS)), TEXTS)
def test_the_stars_do_not_tell_a_length(kind, value):
    assert mask(kind, value).count("*") <= 4 + value.count("*")

"""The fast writer writes what the rule says, whatever stands in an entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.evidence.custody.canonical import canonical, link, moment, sm3
from plugins.evidence.custody.ledger import check_detail

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@given(st.dictionaries(TEXT, PLAIN, max_size=6))
def test_canonical_bytes_are_sorted_compact_json_in_utf_8(content: dict[str, Any]) -> None:
    ruled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical(content) == ruled
    assert json.loads(ruled) == content


@given(st.dictionaries(TEXT, st.floats() | st.binary() | st.datetimes(), min_size=1))
def test_a_detail_takes_nothing_that_has_two_ways_to_be_written(content: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        check_detail(content)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-12, 14))
def test_a_moment_is_utc_with_six_digits_and_z(at: datetime, hours: int) -> None:
    there = at.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert moment(there) == at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_sm3_gives_the_value_of_its_standard() -> None:
    # GB/T 32905-2016, A.1
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert link("SM3", "", b"abc") == sm3(b"abc").hex()

"""Periods: what an address says, what they are compared with, and what midnight does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.plugin_api import LOCAL_ZONE, Period, periods
from backend.plugin_api.periods import PERIODS, read_period, this_period

NAMED = tuple(name for name in PERIODS if name != "range")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(LOCAL_ZONE))


@pytest.fixture
def at(monkeypatch):
    """Return what sets the clock, by the time in Shanghai."""

    def set_clock(*parts: int) -> datetime:
        now = datetime(*parts, tzinfo=LOCAL_ZONE)
        monkeypatch.setattr(periods, "utcnow", lambda: now.astimezone(UTC))
        return now

    return set_clock


def days(period: Period) -> tuple[str, str]:
    return tuple(f"{each.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}" for each in (period.since, period.until))


def test_named_periods_are_those_of_the_calendar_here(at):
    at(2026, 11, 22, 17, 20)
    assert {name: days(this_period(name)) for name in NAMED} == {
        "today": ("2026-11-22 00:00", "2026-11-23 00:00"),
        "week": ("2026-11-16 00:00", "2026-11-23 00:00"),
        "month": ("2026-11-01 00:00", "2026-12-01 00:00"),
        "year": ("2026-01-01 00:00", "2027-01-01 00:00"),
    }


def test_what_still_runs_is_compared_with_as_much_of_what_was_before(at):
    at(2026, 11, 22, 17, 20)
    before = {name: days(this_period(name).before()) for name in NAMED}
    assert before == {
        "today": ("2026-11-21 00:00", "2026-11-21 17:00"),
        "week": ("2026-11-09 00:00", "2026-11-15 17:00"),
        "month": ("2026-10-01 00:00", "2026-10-22 17:00"),
        "year": ("2025-01-01 00:00", "2025-11-22 17:00"),
    }
    year_before = {name: days(this_period(name).year_before()) for name in NAMED}
    assert year_before == {
        "today": ("2025-11-22 00:00", "2025-11-22 17:00"),
        "week": ("2025-11-17 00:00", "2025-11-23 17:00"),
        "month": ("2025-11-01 00:00", "2025-11-22 17:00"),
        "year": ("2025-01-01 00:00", "2025-11-22 17:00"),
    }


def test_a_short_month_has_passed_as_a_whole(at):
    at(2026, 3, 31, 10, 0)
    assert days(this_period("month").before()) == ("2026-02-01 00:00", "2026-03-01 00:00")
    at(2028, 2, 29, 10, 0)
    assert days(this_period("month").year_before()) == ("2027-02-01 00:00", "2027-03-01 00:00")


def test_what_is_over_is_compared_as_a_whole(at):
    at(2026, 11, 22, 17, 20)
    october = read_period("range", "2026-10-01", "2026-10-31")
    assert days(october.before()) == ("2026-08-31 00:00", "2026-10-01 00:00")
    assert days(october.year_before()) == ("2025-10-01 00:00", "2025-11-01 00:00")
    assert (october.title, october.step) == ("2026年10月1日至31日", "day")


def test_just_after_midnight_nothing_has_passed_yet(at):
    at(2026, 11, 22, 0, 10)
    before = this_period("today").before()
    assert before.since == before.until


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("decade", "", ""),
        ("", "2026-10-01", "2026-10-31"),
        ("range", "", ""),
        ("range", "2026-10-31", "2026-10-01"),
        ("range", "2026-13-01", "2026-13-05"),
        ("range", "1900-01-01", "2026-10-01"),
        ("range", "2020-01-01", "2026-10-01"),
        ("range", "2027-01-01", "2027-02-01"),
        ("range", "<script>", "2026-10-01"),
    ],
)
def test_an_address_that_makes_no_sense_is_this_month(at, name, since, until):
    at(2026, 11, 22, 17, 20)
    assert read_period(name, since, until) == this_period("month")


def test_a_range_ends_today_at_the_latest(at):
    at(2026, 11, 22, 17, 20)
    assert days(read_period("range", "2026-11-20", "2026-12-24")) == ("2026-11-20 00:00", "2026-11-23 00:00")


@given(now=MOMENTS, name=st.sampled_from(NAMED))
def test_earlier_periods_lie_before_and_are_no_longer_than_what_has_passed(now, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periods, "utcnow", lambda: now.astimezone(UTC))
        period = this_period(name)
        before, year_before = period.before(), period.year_before()
        assert period.since <= now < period.until
        assert before.since < period.since and before.until <= period.since
        assert timedelta(364) <= period.since - year_before.since <= timedelta(366)
        for earlier in (before, year_before):
            assert earlier.since <= earlier.until
            assert earlier.until - earlier.since <= now - period.since + timedelta(days=1, minutes=30)


@given(now=MOMENTS, start=st.integers(0, 1000), length=st.integers(0, 1000))
def test_any_range_is_whole_days_and_its_comparison_as_long(now, start, length):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periods, "utcnow", lambda: now.astimezone(UTC))
        last = now.date() - timedelta(days=start + 1)
        period = read_period("range", (last - timedelta(days=length)).isoformat(), last.isoformat())
        if last - timedelta(days=length) < date(2000, 1, 1):
            return
        assert period.until - period.since == timedelta(days=length + 1)
        before = period.before()
        assert (before.until, before.until - before.since) == (period.since, timedelta(days=length + 1))

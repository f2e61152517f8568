"""Working time is counted right: it adds up, never runs backwards, and stands still when nobody is on duty."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.dispatch.calendar.hours import (
    CLOCK,
    OFFICE_WEEK,
    DutyCalendar,
    DutyYear,
    NoDuty,
    due,
    elapsed,
    texts_of,
    windows_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: The week of 1 October 2026: seven days off, and the Saturday after is worked.
YEAR = DutyYear(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 8)),
    moved=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
)
KNOWN = DutyCalendar({2026: YEAR})

windows = (
    st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True)
    .map(sorted)
    .map(lambda cuts: tuple(zip(cuts[::2], cuts[1::2], strict=False)))
)
weeks = st.lists(st.one_of(st.just(()), windows), min_size=7, max_size=7).map(tuple).filter(any)
days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
years = st.builds(DutyYear, weeks, st.frozensets(days, max_size=40), st.frozensets(days, max_size=40))
calendars = st.builds(DutyCalendar, st.dictionaries(st.integers(2025, 2028), years, max_size=4), weeks)
moments = st.datetimes(datetime(2025, 6, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(microsecond=0, tzinfo=SHANGHAI)
)
minutes = st.integers(0, 20_000)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@given(moments, minutes, minutes, calendars)
@settings(max_examples=40, deadline=None)
def test_limits_add_up(start: datetime, one: int, two: int, calendar: DutyCalendar) -> None:
    assert due(due(start, one, calendar), two, calendar) == due(start, one + two, calendar)


@given(moments, minutes, calendars)
@settings(max_examples=40, deadline=None)
def test_what_a_limit_takes_is_what_has_passed(start: datetime, limit: int, calendar: DutyCalendar) -> None:
    end = due(start, limit, calendar)
    assert end >= start
    assert elapsed(start, end, calendar) == pytest.approx(limit)


@given(moments, moments, moments, calendars)
@settings(max_examples=40, deadline=None)
def test_passed_time_adds_up_and_never_runs_backwards(
    a: datetime, b: datetime, c: datetime, calendar: DutyCalendar
) -> None:
    a, b, c = sorted((a, b, c))
    assert elapsed(a, c, calendar) == pytest.approx(elapsed(a, b, calendar) + elapsed(b, c, calendar))
    assert 0 <= elapsed(a, b, calendar) <= (b - a) / timedelta(minutes=1) + 1e-6
    assert elapsed(b, a, calendar) == -elapsed(a, b, calendar)


@given(moments, moments, minutes, minutes, calendars)
@settings(max_examples=40, deadline=None)
def test_later_and_longer_end_later(a: datetime, b: datetime, one: int, two: int, calendar: DutyCalendar) -> None:
    a, b = sorted((a, b))
    one, two = sorted((one, two))
    assert due(a, one, calendar) <= due(a, two, calendar)
    if one:
        assert due(a, one, calendar) <= due(b, one, calendar)


@given(moments, minutes)
@settings(deadline=None)
def test_clock_time_is_plain_time(start: datetime, limit: int) -> None:
    assert due(start, limit, CLOCK) == start + timedelta(minutes=limit)
    assert CLOCK.unknown_years(start, start + timedelta(days=4000)) == []


@given(st.integers(2025, 2028), st.integers(1, 365), minutes)
@settings(deadline=None)
def test_there_is_no_summer_time(year: int, day: int, limit: int) -> None:
    """The same local hour is the same time everywhere in the year: eight hours ahead of UTC."""
    start = datetime(year, 1, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)  # nine o'clock in Shanghai
    end = due(start, limit, DutyCalendar())
    assert end.utcoffset() == timedelta()
    if limit:
        here = end.astimezone(SHANGHAI)
        assert any(a < here.hour * 60 + here.minute <= b for a, b in OFFICE_WEEK[0])


@pytest.mark.parametrize(
    ("start", "limit", "end"),
    [
        ("2026-11-20T16:30", 120, "2026-11-23T10:00"),  # over a weekend
        ("2026-11-20T11:00", 120, "2026-11-20T14:30"),  # over noon
        ("2026-11-20T17:00", 30, "2026-11-20T17:30"),  # to the very end of a day
        ("2026-09-30T17:00", 60, "2026-10-08T09:30"),  # over the whole national holiday
        ("2026-10-09T17:00", 60, "2026-10-10T09:30"),  # a Saturday that is worked
        ("2026-11-21T12:00", 0, "2026-11-21T12:00"),  # nothing takes no time
        ("2026-11-21T12:00", 1, "2026-11-23T09:01"),  # a Saturday that is not
    ],
)
def test_known_days(start: str, limit: int, end: str) -> None:
    assert due(local(start), limit, KNOWN) == local(end)


def test_a_year_that_nobody_entered_goes_by_weekdays_and_is_said_to_be_unknown() -> None:
    assert due(local("2027-09-30T17:00"), 60, KNOWN) == local("2027-10-01T09:30")
    assert KNOWN.unknown_years(local("2026-12-30T12:00"), local("2027-01-04T12:00")) == [2027]
    assert KNOWN.unknown_years(local("2026-12-30T12:00"), local("2026-12-31T23:59")) == []


def test_a_holiday_that_is_also_a_moved_day_is_off() -> None:
    both = DutyYear(holidays=frozenset({date(2026, 10, 10)}), moved=frozenset({date(2026, 10, 10)}))
    assert both.windows(date(2026, 10, 10)) == ()


def test_a_calendar_without_duty_is_refused_and_not_waited_for() -> None:
    with pytest.raises(NoDuty):
        due(local("2026-11-20T12:00"), 1, DutyCalendar(week=((),) * 7))
    assert elapsed(local("2026-11-20T12:00"), local("2030-11-20T12:00"), DutyCalendar(week=((),) * 7)) == 0
    with pytest.raises(ValueError, match="backwards"):
        due(local("2026-11-20T12:00"), -1, CLOCK)


@given(windows)
def test_windows_are_read_as_they_are_written(these: tuple[tuple[int, int], ...]) -> None:
    assert windows_of(texts_of(these)) == these


@pytest.mark.parametrize(
    "text", ["9:00-12:00", "12:00-09:00", "09:00", "09:60-12:00", "24:01-24:30", "09:00-09:00", "a"]
)
def test_windows_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        windows_of([text])


def test_windows_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError):
        windows_of(["09:00-12:00", "11:59-13:00"])
    assert windows_of(["12:00-13:00", "09:00-12:00"]) == ((540, 720), (720, 780))

"""Working time, counted: pure functions of a calendar, in the time of Shanghai, which knows no summer time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise

#: Eight hours ahead of UTC. The named zone has summer time in its history; a duty calendar has none.
SHANGHAI = timezone(timedelta(hours=8))
#: From and to, in minutes after midnight; 1440 is the end of the day.
Windows = tuple[tuple[int, int], ...]

DAY = 1440
OFFICE_HOURS: Windows = ((9 * 60, 12 * 60), (13 * 60 + 30, 17 * 60 + 30))
OFFICE_WEEK: tuple[Windows, ...] = (*(OFFICE_HOURS,) * 5, (), ())
#: A search for working time gives up after so many days without any.
MOST_EMPTY_DAYS = 3700


class NoDuty(ValueError):
    """Ten years without a minute of duty: the calendar cannot be meant so."""


@dataclass(frozen=True)
class DutyYear:
    """One year as entered: windows by weekday (Monday first), days off, and days off that are worked instead (调休)."""

    week: tuple[Windows, ...] = OFFICE_WEEK
    holidays: frozenset[date] = frozenset()
    moved: frozenset[date] = frozenset()

    def windows(self, day: date) -> Windows:
        """Return when people are on duty on a day; a moved working day has the hours of the week's first one."""
        if day in self.holidays:
            return ()
        own = self.week[day.weekday()]
        return own if own or day not in self.moved else next((each for each in self.week if each), ())


@dataclass(frozen=True)
class DutyCalendar:
    """The years that are known; all others go by `week` alone, without any holiday."""

    years: Mapping[int, DutyYear] = field(default_factory=dict)
    week: tuple[Windows, ...] = OFFICE_WEEK

    def windows(self, day: date) -> Windows:
        """Return when people are on duty on a day."""
        known = self.years.get(day.year)
        return known.windows(day) if known else self.week[day.weekday()]

    def unknown_years(self, start: datetime, end: datetime) -> list[int]:
        """Return the years between two moments that nobody entered; what is counted in them is provisional."""
        first, last = sorted((start.astimezone(SHANGHAI).year, end.astimezone(SHANGHAI).year))
        return [year for year in range(first, last + 1) if year not in self.years]


class _Clock(DutyCalendar):
    """Always on duty, and nothing about it is unknown."""

    def unknown_years(self, start: datetime, end: datetime) -> list[int]:
        return []


#: The calendar of clock time (自然时).
CLOCK = _Clock(week=(((0, DAY),),) * 7)


def due(start: datetime, minutes: float, calendar: DutyCalendar) -> datetime:
    """Return the first moment at which so many working minutes have passed since `start`, in UTC.

    None at all have passed at `start` itself. Raises ValueError for negative minutes, NoDuty for an empty calendar.
    """
    if minutes < 0:
        raise ValueError("Time does not run backwards.")
    left = timedelta(minutes=minutes)
    if not left:
        return start.astimezone(UTC)
    for begin, end in _spans(start, calendar):
        if left <= end - begin:
            return (begin + left).astimezone(UTC)
        left -= end - begin
    raise NoDuty("There is no working time in this calendar.")


def elapsed(start: datetime, end: datetime, calendar: DutyCalendar) -> float:
    """Return the working minutes between two moments; negative when the second is the earlier one."""
    if end < start:
        return -elapsed(end, start, calendar)
    passed = timedelta()
    for begin, until in _spans(start, calendar, last=end):
        if begin >= end:
            break
        passed += min(until, end) - begin
    return passed / timedelta(minutes=1)


def _spans(
    start: datetime, calendar: DutyCalendar, last: datetime | None = None
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans of duty after `start`, the first one cut at it; without `last` until there are none for long."""
    local = start.astimezone(SHANGHAI)
    day, empty = local.date(), 0
    final = last.astimezone(SHANGHAI).date() if last else None
    while empty < MOST_EMPTY_DAYS and (final is None or day <= final):
        midnight = datetime.combine(day, time(), SHANGHAI)
        windows = calendar.windows(day)
        for since, until in windows:
            begin, end = midnight + timedelta(minutes=since), midnight + timedelta(minutes=until)
            if end > local:
                yield max(begin, local), end
        empty = 0 if windows else empty + 1
        day += timedelta(days=1)


def windows_of(texts: Sequence[str]) -> Windows:
    """Return windows written `09:00-12:00`, in order; raises ValueError for one that is none, or an overlap."""
    windows = []
    for text in texts:
        parts = [part.split(":") for part in text.split("-")]
        if len(parts) != 2 or any(len(part) != 2 for part in parts):
            raise ValueError(text)
        (since, until) = (_minutes(*part) for part in parts)
        if not 0 <= since < until <= DAY:
            raise ValueError(text)
        windows.append((since, until))
    windows.sort()
    if any(before[1] > after[0] for before, after in pairwise(windows)):
        raise ValueError("、".join(texts))
    return tuple(windows)


def texts_of(windows: Windows) -> list[str]:
    """Return windows as people write them."""
    return [f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in windows]


def _minutes(hours: str, minutes: str) -> int:
    if not (hours.isdecimal() and minutes.isdecimal() and len(hours) == len(minutes) == 2 and int(minutes) < 60):
        raise ValueError(f"{hours}:{minutes}")
    return int(hours) * 60 + int(minutes)

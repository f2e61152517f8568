"""The time that a viewer of the cockpit looks at (时段), and the times that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from backend.storage import LOCAL_ZONE, utcnow

PeriodName = Literal["today", "week", "month", "year", "range"]
Step = Literal["hour", "day", "month"]

#: Periods that a viewer may choose, in the order of the picker.
PERIODS: Mapping[PeriodName, str] = {
    "today": "今日",
    "week": "本周",
    "month": "本月",
    "year": "本年",
    "range": "自选时段",
}
DEFAULT: PeriodName = "month"

#: No range begins before this day, and none is longer: what the address of a page says costs what it says.
FIRST_DAY = date(2000, 1, 1)
MOST_DAYS = 1100
#: A week is compared with the one 52 weeks earlier, whose days are the same weekdays.
WEEKS_OF_A_YEAR = timedelta(weeks=52)


@dataclass(frozen=True)
class Period:
    """The time from `since` up to `until`, which is not in it and may lie ahead; both are aware.

    What viewers choose are whole days of Shanghai.
    """

    name: PeriodName
    since: datetime
    until: datetime

    @property
    def end(self) -> datetime:
        """Where the period ends, or now while it still runs."""
        return max(self.since, min(self.until, utcnow()))

    @property
    def title(self) -> str:
        """The period as people say it: 本月, or 10月1日至10月31日."""
        return PERIODS[self.name] if self.name != "range" else self.days

    @property
    def days(self) -> str:
        """The first and the last day so far, such as 2026年11月1日至22日, with years where they differ."""
        first, last = self.since.astimezone(LOCAL_ZONE), (self.end - timedelta(milliseconds=1)).astimezone(LOCAL_ZONE)
        last = max(first, last)
        begin = f"{first.year}年{first.month}月{first.day}日"
        if first.date() == last.date():
            return begin
        year = f"{last.year}年" if last.year != first.year else ""
        month = f"{last.month}月" if year or last.month != first.month else ""
        return f"{begin}至{year}{month}{last.day}日"

    @property
    def step(self) -> Step:
        """How finely a trend over the period is drawn."""
        length = self.until - self.since
        return "hour" if length <= timedelta(days=2) else "day" if length <= timedelta(days=100) else "month"

    def filter(self, field: str) -> dict[str, Any]:
        """Return the Mongo filter of the records whose `field` lies in the period."""
        return {field: {"$gte": self.since, "$lt": self.until}}

    def before(self) -> Period:
        """Return the period right before (环比), cut to the part of this one that has passed."""
        if self.name in ("month", "year"):
            months = 1 if self.name == "month" else 12
            return self._cut(shifted(self.since, -months), self.since, shifted(self._passed(), -months))
        length = self.until - self.since
        return self._cut(self.since - length, self.since, self._passed() - length)

    def year_before(self) -> Period:
        """Return the same period one year before (同比), cut likewise."""
        if self.name == "week":
            since, until, passed = (each - WEEKS_OF_A_YEAR for each in (self.since, self.until, self._passed()))
        else:
            since, until, passed = (shifted(each, -12) for each in (self.since, self.until, self._passed()))
        return self._cut(since, until, passed)

    def _passed(self) -> datetime:
        """Return how far the period has come, to the nearest hour: sums are kept by the hour."""
        rounded = (self.end + timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0)
        return max(self.since, min(rounded, self.until))

    def _cut(self, since: datetime, until: datetime, passed: datetime) -> Period:
        # The 31st has no like in a shorter month: all of that month has passed then.
        finished = self._passed() == self.until
        return Period("range", since, until if finished else max(since, min(passed, until)))


def this_period(name: PeriodName = DEFAULT) -> Period:
    """Return the period of that name that holds now; ValueError for `range`, which is no time of its own."""
    today = utcnow().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    match name:
        case "today":
            return Period(name, today, today + timedelta(days=1))
        case "week":
            monday = today - timedelta(days=today.weekday())
            return Period(name, monday, monday + timedelta(days=7))
        case "month":
            first = today.replace(day=1)
            return Period(name, first, shifted(first, 1))
        case "year":
            first = today.replace(month=1, day=1)
            return Period(name, first, shifted(first, 12))
    raise ValueError(f"There is no period {name} of now.")


def read_period(name: str, since: str = "", until: str = "") -> Period:
    """Return what an address asks for, `since` and `until` being its first and last day; this month where it is wrong.

    A range ends today at the latest, so that it is not compared with more than has happened.
    """
    if name != "range":
        return this_period(name if name in PERIODS else DEFAULT)  # type: ignore[arg-type] # `in` has told
    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError:
        return this_period()
    last = min(last, utcnow().astimezone(LOCAL_ZONE).date())
    if not FIRST_DAY <= first <= last or last - first >= timedelta(days=MOST_DAYS):
        return this_period()
    return Period("range", midnight(first), midnight(last + timedelta(days=1)))


def midnight(day: date) -> datetime:
    """Return when a day begins in Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)


def shifted(at: datetime, months: int) -> datetime:
    """Return the same day and time in another month; where it has no such day, the beginning of the next month."""
    local = at.astimezone(LOCAL_ZONE)
    number = local.year * 12 + local.month - 1 + months
    first = local.replace(year=number // 12, month=number % 12 + 1, day=1)
    moved = first + timedelta(days=local.day - 1)
    if moved.month == first.month:
        return moved
    return moved.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

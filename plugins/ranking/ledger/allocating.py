"""How much of each charge counts, where caps limit what a day and a period may cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a charge would have; caps are hundredths of points like `points`, and 0 is none."""

    id: Any
    at: datetime
    day: str
    points: int
    cap_day: int
    cap_period: int


def allocate(claims: Iterable[Claim]) -> dict[Any, int]:
    """Return the points of each of the charges that share a window, the earliest first while there is room.

    The result follows from the charges alone, not from the order in which they became known. Points for and against a
    compound have caps of their own.
    """
    of_day: dict[tuple[str, bool], int] = defaultdict(int)
    of_period: dict[bool, int] = defaultdict(int)
    found = {}
    for claim in sorted(claims, key=lambda each: (each.at, str(each.id))):
        good = claim.points > 0
        wanted = abs(claim.points)
        if claim.cap_day:
            wanted = min(wanted, max(0, claim.cap_day - of_day[claim.day, good]))
        if claim.cap_period:
            wanted = min(wanted, max(0, claim.cap_period - of_period[good]))
        of_day[claim.day, good] += wanted
        of_period[good] += wanted
        found[claim.id] = wanted if good else -wanted
    return found


def window_of(compound: str, rule: str, period: str, day: str) -> str:
    """Return the name of what shares a cap: a compound, a rule, and the month, quarter or year of a day."""
    year, month = day[:4], int(day[5:7])
    name = {"month": day[:7], "quarter": f"{year}-Q{(month + 2) // 3}", "year": year}[period]
    return f"{compound}/{rule}/{name}"

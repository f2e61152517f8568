"""What a benchmark gives: one promise, and what was measured of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A measured ratio and its bound; without a bound it is told for information. Texts are with their units."""

    name: str
    ours: str
    peer: str
    ratio: float
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        if self.at_most is not None and self.ratio > self.at_most:
            return False
        return self.at_least is None or self.ratio >= self.at_least

    @property
    def line(self) -> str:
        """The result in one line."""
        bounds = [f"<= {self.at_most:g}"] if self.at_most is not None else []
        bounds += [f">= {self.at_least:g}"] if self.at_least is not None else []
        promise = f"required {' and '.join(bounds)}" if bounds else "for information"
        missed = "" if self.holds else "  MISSED"
        return f"{self.name}: ours {self.ours}, peer {self.peer}, ratio {self.ratio:.2f} ({promise}){missed}"


def medians(ours: Sequence[float], peer: Sequence[float]) -> tuple[float, float, float]:
    """Return the median of both, taken in turns, and of their ratios in each round, which is no ratio of the two."""
    ratio = statistics.median(a / b for a, b in zip(ours, peer, strict=True))
    return statistics.median(ours), statistics.median(peer), ratio


def report(ratios: Iterable[Ratio]) -> int:
    """Print each result as it comes; returns 1 when a promise is missed, else 0."""
    kept = True
    for ratio in ratios:
        print(ratio.line, flush=True)
        kept = kept and ratio.holds
    return 0 if kept else 1

"""Numbers and widths as a Chinese reader takes them."""

from __future__ import annotations

import math
from unicodedata import east_asian_width


def compact(value: float) -> tuple[str, str]:
    """Return a number and the 万 or 亿 that belongs to it: 12,345 stays, 123456 is 12.35 and 万."""
    if not math.isfinite(value):
        return "—", ""
    for size, word in ((1e8, "亿"), (1e5, "万")):
        if abs(value) >= size:
            return trimmed(value / (1e8 if word == "亿" else 1e4)), word
    return trimmed(value), ""


def number(value: float) -> str:
    """Return a number and its 万 or 亿 as one text."""
    return "".join(compact(value))


def trimmed(value: float) -> str:
    """Return a number with thousands separators and at most two decimals, without trailing zeros."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def width(text: str) -> float:
    """Return how wide a text is, in widths of a Chinese character."""
    return sum(1.0 if east_asian_width(letter) in "WF" else 0.56 for letter in text)

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


def change(value: float, before: float, unit: str = "") -> tuple[int, str]:
    """Return which way a figure went (1, 0, -1) and by how much: 12.3%, 4.2倍, 持平; shares differ in 百分点.

    Nothing can be said of a growth from nothing: 0 and a dash.
    """
    if not (math.isfinite(value) and math.isfinite(before)):
        return 0, "—"
    if value == before:
        return 0, "持平"
    way = 1 if value > before else -1
    if unit == "%":
        text = f"{abs(value - before):.1f}"
        return (way, f"{text}百分点") if float(text) else (0, "持平")
    if before == 0:
        return 0, "—"
    share = abs((value - before) / before)
    if share >= 10:
        return way, f"{trimmed(round(share, 1))}倍"
    text = f"{share:.1%}"
    return (way, text) if float(text[:-1]) else (0, "持平")

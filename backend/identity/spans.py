"""Sets of area paths as sorted, disjoint, half-open ranges of strings.

A subtree of the area tree is one range, because codes are letters and digits: nothing but `P` and what lies below
`P/` sorts from `P` up to `P0` ("0" is the character after "/"). So whatever grants and switches say, the result is a
handful of ranges, which an index can serve and a single path can be tested against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

Span = tuple[str, str]
Spans = tuple[Span, ...]

#: Above every path.
END = "\U0010ffff"
EVERYWHERE: Spans = (("", END),)


def subtree(path: str) -> Spans:
    """Return `path` and all below it; the empty path is the root of everything."""
    return ((path, path + "0"),) if path else EVERYWHERE


def union(*parts: Spans) -> Spans:
    """Return what lies in any part, with touching ranges joined."""
    joined: list[Span] = []
    for low, high in sorted(span for part in parts for span in part):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def intersection(one: Spans, other: Spans) -> Spans:
    """Return what lies in both."""
    overlaps = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return union(tuple((low, high) for low, high in overlaps if low < high))


def difference(one: Spans, other: Spans) -> Spans:
    """Return what lies in `one` and not in `other`."""
    return intersection(one, tuple(_gaps(union(other))))


def contains(spans: Spans, path: str) -> bool:
    """Tell whether the one area `path` lies in `spans`."""
    return any(low <= path < high for low, high in spans)


def includes(spans: Spans, part: Spans) -> bool:
    """Tell whether all of `part` lies in `spans`."""
    return not difference(part, spans)


def _gaps(spans: Iterable[Span]) -> Iterator[Span]:
    edges = ["", *(edge for span in spans for edge in span), END]
    for low, high in list(pairwise(edges))[::2]:
        if low < high:
            yield low, high

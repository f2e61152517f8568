"""The order in which plugins are loaded: after what they need, then by name."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from backend.plugins_host.refusal import Refusal, refused


def in_order_of_need(needs: Mapping[str, Collection[str]]) -> tuple[list[str], dict[str, Refusal]]:
    """Return the names in the order to load them in, and why the others cannot be loaded at all.

    `needs` maps each name to the names it needs. A name that nobody has is no matter of order and is passed over.
    """
    waiting = {name: {each for each in wanted if each in needs} for name, wanted in needs.items()}
    ready = [name for name, wanted in waiting.items() if not wanted]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for other, wanted in waiting.items():
            if name in wanted:
                wanted.discard(name)
                if not wanted:
                    heapq.heappush(ready, other)
    return order, {name: circular(name, wanted) for name, wanted in sorted(waiting.items()) if wanted}


def circular(name: str, wanted: Collection[str]) -> Refusal:
    """Say that a plugin waits for others that wait in a circle."""
    listed = sorted(wanted)
    return refused(
        f"依赖成环：{name} 需要 {'、'.join(listed)}",
        f"The needs run in a circle: {name} needs {', '.join(listed)}",
    )

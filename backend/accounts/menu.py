"""The menu: what everybody could open, installed once at the start, and what one person may."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backend.identity import Principal, permitted

if TYPE_CHECKING:
    from backend.plugin_api.records import MenuEntry

_entries: tuple[MenuEntry, ...] = ()


def install(entries: Iterable[MenuEntry]) -> None:
    """Set the entries of this process, in the order in which they are shown."""
    global _entries
    _entries = tuple(sorted(entries, key=lambda entry: (entry.order, entry.name)))


def menu_of(principal: Principal) -> list[MenuEntry]:
    """Return the entries whose permission the person holds somewhere where their module is on."""
    return [entry for entry in _entries if permitted(principal, entry.permission)]

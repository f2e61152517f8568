"""The templates and channels of this process."""

from __future__ import annotations

from collections.abc import Iterable

from backend.messages.records import ALL, Channel, MessageTemplate

_templates: dict[str, MessageTemplate] = {}
_channels: dict[str, Channel] = {}


def install(templates: Iterable[MessageTemplate], channels: Iterable[Channel]) -> None:
    """Make these the templates and channels of this process."""
    _templates.clear()
    _templates.update({each.name: each for each in templates})
    _channels.clear()
    _channels.update({each.name: each for each in channels})


def templates() -> list[MessageTemplate]:
    """Return all templates, by name."""
    return sorted(_templates.values(), key=lambda each: each.name)


def template_of(name: str) -> MessageTemplate:
    """Return a template; raises LookupError."""
    if name not in _templates:
        raise LookupError(f"There is no message template called {name}.")
    return _templates[name]


def channels() -> list[Channel]:
    """Return all channels, by name."""
    return sorted(_channels.values(), key=lambda each: each.name)


def channel_of(name: str) -> Channel | None:
    """Return a channel, or None when none of this name is installed."""
    return _channels.get(name)


def named_channels(wanted: Iterable[str]) -> list[str]:
    """Return the names of the installed channels that a template's `channels` mean."""
    names = set(wanted)
    return [each.name for each in channels() if each.name in names or (ALL in names and each.by_default)]

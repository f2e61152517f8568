"""Why a plugin is not loaded."""

from __future__ import annotations

from backend.plugin_api.registry import PluginState


class Refusal(Exception):
    """A plugin cannot be loaded: `broken` when it is at fault itself, `refused` when it does not fit in here."""

    def __init__(self, state: PluginState, zh: str, en: str) -> None:
        super().__init__(en)
        self.state = state
        self.zh = zh
        self.en = en


def broken(zh: str, en: str) -> Refusal:
    """Say that the plugin itself is at fault."""
    return Refusal("broken", zh, en)


def refused(zh: str, en: str) -> Refusal:
    """Say that the plugin does not fit in here, though it may elsewhere."""
    return Refusal("refused", zh, en)


def disabled(zh: str, en: str) -> Refusal:
    """Say that the operator does not want the plugin."""
    return Refusal("disabled", zh, en)

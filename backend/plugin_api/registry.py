"""All that the platform and its plugins add up to: made once when the platform starts, never changed after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import backend
from backend.monitoring import guard
from backend.storage import UNREACHABLE

if TYPE_CHECKING:
    from click import Command

    from backend.blobs import BlobUser
    from backend.events import EventHandler, EventKind
    from backend.http import Blueprint, Pages, ProblemCode
    from backend.identity import Permission
    from backend.jobs import Job
    from backend.messages import Channel, MessageTemplate
    from backend.monitoring import HealthCheck
    from backend.plugin_api.maps import CardPart, MapLayer, MapRecord
    from backend.plugin_api.panels import Panel, Theme
    from backend.plugin_api.records import MenuEntry
    from backend.rollups import Metric
    from backend.storage import Record

PluginState = Literal["loaded", "broken", "refused", "disabled"]

#: The owner of the records that are no plugin's.
PLATFORM = "platform"


@dataclass(frozen=True, kw_only=True)
class PluginStatus:
    """What became of one plugin: `reason` (Chinese) and `reason_en` say why it is not loaded, `notes` what is odd."""

    name: str
    title: str = ""
    version: str = ""
    state: PluginState
    reason: str = ""
    reason_en: str = ""
    external: bool = False
    source: str = ""
    folder: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """A plugin's own code behind a hook that is called at run time."""

    plugin: str
    call: Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """All records by kind, each kind sorted by name, and who owns them; of broken plugins there is nothing here."""

    permissions: tuple[Permission, ...] = ()
    documents: tuple[type[Record], ...] = ()
    blueprints: tuple[Blueprint, ...] = ()
    pages: tuple[Pages, ...] = ()
    menu_entries: tuple[MenuEntry, ...] = ()
    themes: tuple[Theme, ...] = ()
    panels: tuple[Panel, ...] = ()
    map_layers: tuple[MapLayer, ...] = ()
    map_records: tuple[MapRecord, ...] = ()
    card_parts: tuple[CardPart, ...] = ()
    metrics: tuple[Metric, ...] = ()
    events: tuple[EventKind, ...] = ()
    event_handlers: tuple[EventHandler, ...] = ()
    jobs: tuple[Job, ...] = ()
    problem_codes: tuple[ProblemCode, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    blob_users: tuple[BlobUser, ...] = ()
    message_templates: tuple[MessageTemplate, ...] = ()
    channels: tuple[Channel, ...] = ()
    commands: tuple[Command, ...] = ()
    plugins: tuple[PluginStatus, ...] = ()
    implementations: Mapping[str, tuple[Implementation, ...]] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict, repr=False)

    def owner_of(self, record: object) -> str:
        """Return the plugin that a record of this registry came from, or `platform`."""
        return self.owners.get(id(record), PLATFORM)

    def module_of(self, record: object) -> str:
        """Return the module whose switch rules a record: an area without the module does without the record.

        What is shown or called by permission goes with that permission's module; the rest goes with its owner.
        """
        permission = getattr(record, "permission", "")
        return permission.partition(":")[0] if isinstance(permission, str) and permission else self.owner_of(record)

    def migration_folders(self) -> list[Path]:
        """Return where migrations may lie: the platform's folder, then those of the loaded plugins."""
        plugins = [status.folder / "migrations" for status in self.plugins if status.folder]
        return [Path(backend.__file__).with_name("migrations"), *plugins]

    def ask(self, hook: str, **arguments: Any) -> Any:
        """Return the first answer that is not None; a plugin that raises is passed over and its fault counted.

        Raises what the store raises when it is away: None would mean that there is no such thing.
        """
        for each in self.implementations.get(hook, ()):
            with guard(each.plugin, f"hook {hook}", passing=UNREACHABLE):
                answer = each.call(**arguments)
                if answer is not None:
                    return answer
        return None

    def tell(self, hook: str, **arguments: Any) -> list[str]:
        """Call every plugin in order of need; returns the names of those that raised."""
        failed = []
        for each in self.implementations.get(hook, ()):
            with guard(each.plugin, f"hook {hook}") as outcome:
                each.call(**arguments)
            if outcome.failed:
                failed.append(each.plugin)
        return failed


_installed = Registry()


def install(registry: Registry) -> Registry:
    """Make `registry` that of this process."""
    global _installed
    _installed = registry
    return registry


def installed() -> Registry:
    """Return this process's registry; it is empty before `install`."""
    return _installed

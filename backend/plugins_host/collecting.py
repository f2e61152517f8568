"""What the plugins loaded so far add up to, and whether the next one fits in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mongoengine.base.common import _document_registry
from werkzeug.routing import Map

from backend.plugin_api.registry import PLATFORM, Implementation, PluginStatus, Registry
from backend.plugins_host import addresses
from backend.plugins_host.addresses import Address
from backend.plugins_host.kinds import BY_PERMISSION, KINDS, ON_A_THEME, Kind
from backend.plugins_host.refusal import broken

Records = Mapping[str, list[Any]]


class Collection:
    """Grows plugin by plugin, the platform's own records first; whoever comes later yields."""

    def __init__(self, core: Registry, url_map: Map | None) -> None:
        self.url_map = url_map
        self.records: dict[str, dict[str, tuple[Any, str]]] = {
            kind.field: {kind.name_of(record): (record, PLATFORM) for record in getattr(core, kind.field)}
            for kind in KINDS
        }
        self.addresses: list[tuple[Address, str]] = [(each, PLATFORM) for each in addresses.of_app(url_map)]
        self.implementations: dict[str, list[Implementation]] = {
            hook: list(calls) for hook, calls in core.implementations.items()
        }

    def modules_of_platform(self) -> set[str]:
        """Return the names that no plugin may have: those that the platform's own permissions begin with."""
        owned = [name for name, (_record, owner) in self.records["permissions"].items() if owner == PLATFORM]
        return {PLATFORM, *(name.partition(":")[0] for name in owned)}

    def add(self, plugin: str, records: Records, calls: Mapping[str, Implementation], *, external: bool) -> None:
        """Take in all that a plugin adds, or nothing of it; raises Refusal when it does not fit in."""
        for kind in KINDS:
            for record in records[kind.field]:
                self.check_name(kind, plugin, record)
        self.check_documents(plugin, records, external)
        self.check_permissions(records)
        prefixes = {"blueprints": addresses.API, "pages": addresses.PAGES.format(plugin=plugin)}
        wanted = [
            (address, plugin)
            for field, prefix in prefixes.items()
            for blueprint in records[field]
            for address in addresses.of_blueprint(blueprint, prefix, self.url_map)
        ]
        if found := addresses.first_taken([address for address, _plugin in wanted], self.addresses):
            mine, other, owner = found
            raise broken(
                f"地址 {mine.rule} 与{told(owner)}的地址 {other.rule} 冲突",
                f"The address {mine.rule} of {plugin} is taken by {other.rule} of {owner}",
            )
        self.addresses += wanted
        for kind in KINDS:
            self.records[kind.field].update({kind.name_of(record): (record, plugin) for record in records[kind.field]})
        for hook, call in calls.items():
            self.implementations.setdefault(hook, []).append(call)

    def check_name(self, kind: Kind, plugin: str, record: Any) -> None:
        """Refuse a name that somebody has already."""
        name = kind.name_of(record)
        if name in self.records[kind.field]:
            owner = self.records[kind.field][name][1]
            raise broken(
                f"{kind.hook}：名称 {name} 已被{told(owner)}使用，{told(plugin)}不能再用",
                f"{kind.hook}: {owner} and {plugin} both use the name {name}",
            )

    def check_documents(self, plugin: str, records: Records, external: bool) -> None:
        """Refuse a document that would be stored among another's records."""
        taken = {document._get_collection_name(): owner for document, owner in self.records["documents"].values()}
        for document in records["documents"]:
            collection = document._get_collection_name()
            if collection in taken:
                owner = taken[collection]
                raise broken(
                    f"数据集合 {collection} 已被{told(owner)}使用",
                    f"{owner} and {plugin} both store records in the collection {collection}",
                )
            # The platform also has collections without documents, so names from outside need a space of their own.
            if external and not collection.startswith(f"{plugin}_"):
                raise broken(
                    f"外部插件的数据集合须以 {plugin}_ 开头：{collection}",
                    f"The collections of an external plugin must begin with {plugin}_: {collection}",
                )

    def check_permissions(self, records: Records) -> None:
        """Refuse what could never be shown to anybody, because nobody can hold its permission."""
        known = self.records["permissions"].keys() | {permission.name for permission in records["permissions"]}
        for field in BY_PERMISSION:
            for record in records[field]:
                if record.permission not in known:
                    raise broken(
                        f"{record.name} 所用权限 {record.permission} 不存在",
                        f"{record.name} asks for the permission {record.permission}, which does not exist",
                    )

    def restore_documents(self) -> None:
        """Undo what importing a plugin may have done: a class of the same name hides the one that others mean."""
        for name, (document, _owner) in self.records["documents"].items():
            _document_registry[name] = document

    def finish(self, statuses: list[PluginStatus]) -> Registry:
        """Return the registry; what stands on a theme that nobody opens is left out, with a note for its plugin."""
        notes: dict[str, list[str]] = {}
        for field in ON_A_THEME:
            for name, (record, owner) in list(self.records[field].items()):
                unknown = [theme for theme in record.themes if theme not in self.records["themes"]]
                if len(unknown) == len(record.themes):
                    del self.records[field][name]
                    notes.setdefault(owner, []).append(f"{name} 未显示：没有主题舱 {'、'.join(unknown)}")
        ordered = {field: sorted(named.items()) for field, named in self.records.items()}
        return Registry(
            **{field: tuple(record for _name, (record, _owner) in items) for field, items in ordered.items()},
            plugins=tuple(with_notes(status, notes.get(status.name, [])) for status in statuses),
            implementations={hook: tuple(calls) for hook, calls in self.implementations.items()},
            owners={id(record): owner for items in ordered.values() for _name, (record, owner) in items},
        )


def with_notes(status: PluginStatus, notes: list[str]) -> PluginStatus:
    """Return the status with more notes, when the plugin is loaded."""
    return replace(status, notes=(*status.notes, *notes)) if status.state == "loaded" else status


def told(owner: str) -> str:
    """Name an owner in a Chinese sentence."""
    return "平台" if owner == PLATFORM else f"插件 {owner} "

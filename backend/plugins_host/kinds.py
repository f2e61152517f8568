"""The kinds of records that plugins register, and the rules for their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
from backend.plugins_host.refusal import broken
from backend.rollups import Metric
from backend.storage import Record

WORD = re.compile(r"[a-z][a-z0-9_]*")
WORDS = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
COMMAND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
Naming = Callable[[str, str], bool]


def of_plugin(plugin: str, name: str) -> bool:
    """Names such as `noise` or `noise.level`."""
    return name == plugin or (name.startswith(f"{plugin}.") and WORDS.fullmatch(name) is not None)


def of_module(plugin: str, name: str) -> bool:
    """Names such as `noise:view`."""
    module, _, action = name.partition(":")
    return module == plugin and WORD.fullmatch(action) is not None


def word(_plugin: str, name: str) -> bool:
    """Names such as `noise_too_loud`, which belong to the whole platform."""
    return WORD.fullmatch(name) is not None


def words(_plugin: str, name: str) -> bool:
    """Names such as `alert.raised`, which belong to the whole platform."""
    return WORDS.fullmatch(name) is not None


def command_word(_plugin: str, name: str) -> bool:
    """Names such as `noise-report`, which belong to the whole platform."""
    return COMMAND.fullmatch(name) is not None


def anything(_plugin: str, name: str) -> bool:
    """Any name at all."""
    return bool(name)


def own_name(record: Any) -> str:
    """Return the name of a record that has one."""
    return str(record.name)


@dataclass(frozen=True)
class Kind:
    """One kind of record: the field of the registry and hook `register_<field>`, its type, its names."""

    field: str
    type: type
    naming: Naming
    shape: str = ""
    name_of: Callable[[Any], str] = own_name

    @property
    def hook(self) -> str:
        """Return the hook that collects these records."""
        return f"register_{self.field}"


KINDS = (
    Kind("permissions", Permission, of_module, "<plugin>:<action>"),
    Kind("documents", Record, anything, name_of=lambda document: str(document._class_name)),
    Kind("blueprints", Blueprint, anything),
    Kind("pages", Pages, anything),
    Kind("menu_entries", MenuEntry, of_plugin, "<plugin>.<name>"),
    Kind("themes", Theme, word, "lower_case_words"),
    Kind("panels", Panel, of_plugin, "<plugin>.<name>"),
    Kind("map_layers", MapLayer, of_plugin, "<plugin>.<name>"),
    Kind("map_records", MapRecord, of_plugin, "<plugin>.<name>"),
    Kind("card_parts", CardPart, of_plugin, "<plugin>.<name>"),
    Kind("metrics", Metric, of_plugin, "<plugin>.<name>"),
    Kind("events", EventKind, words, "<noun>.<verb>"),
    Kind("event_handlers", EventHandler, of_plugin, "<plugin>.<name>"),
    Kind("jobs", Job, of_plugin, "<plugin>.<name>"),
    Kind("problem_codes", ProblemCode, word, "lower_case_words", name_of=lambda problem: str(problem.code)),
    Kind("health_checks", HealthCheck, of_plugin, "<plugin>.<name>"),
    Kind("blob_users", BlobUser, of_plugin, "<plugin>.<name>"),
    Kind("message_templates", MessageTemplate, of_plugin, "<plugin>.<name>"),
    Kind("channels", Channel, of_plugin, "<plugin>.<name>"),
    Kind("commands", Command, command_word, "<verb>-<noun>"),
)

#: The records that are shown or called by permission.
BY_PERMISSION = ("menu_entries", "panels", "map_layers", "map_records", "card_parts")
#: The records that stand on a theme of the cockpit.
ON_A_THEME = ("panels", "map_layers")


def check_records(kind: Kind, plugin: str, answer: Any) -> list[Any]:
    """Return what a hook answered as a list sorted by name; raises Refusal for a wrong type, name or repetition."""
    if isinstance(answer, str | bytes) or not hasattr(answer, "__iter__"):
        what = type(answer).__name__
        raise broken(f"{kind.hook} 须返回列表，返回的是 {what}", f"{kind.hook} must return a list, not {what}")
    records = list(answer)
    for record in records:
        if not is_record(kind, record):
            what = record.__name__ if isinstance(record, type) else type(record).__name__
            raise broken(
                f"{kind.hook} 只能返回 {kind.type.__name__}，返回了 {what}",
                f"{kind.hook} must return {kind.type.__name__} only, not {what}",
            )
        name = kind.name_of(record)
        if not kind.naming(plugin, name):
            raise broken(
                f"{kind.hook}：名称 {name} 不合规则，应为 {kind.shape}",
                f"{kind.hook}: the name {name} does not follow the rule {kind.shape}",
            )
    records.sort(key=kind.name_of)
    for one, two in pairwise(records):
        if kind.name_of(one) == kind.name_of(two):
            name = kind.name_of(one)
            raise broken(f"{kind.hook}：名称 {name} 用了两次", f"{kind.hook}: the name {name} is used twice")
    return records


def is_record(kind: Kind, record: Any) -> bool:
    """Say whether a record is of its kind; documents are classes, all others are objects."""
    if kind.type is Record:
        return isinstance(record, type) and issubclass(record, Record) and not record._meta.get("abstract")
    return isinstance(record, kind.type)

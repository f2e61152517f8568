"""The parts of the documentation that are written from the code.

A page says `<!-- from the code: settings host port -->`, the part and `<!-- end -->`: the first word names a function
below, the rest are its arguments. `python -m tests.docs.write` writes all parts anew; a test finds what is out of date.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from backend import plugin_api
from backend.identity import USER_TYPES
from backend.monitoring import metrics as monitoring
from backend.settings import Settings, variable
from plugins.alerts.kinds.defaults import KINDS, ROLES, SEVERITIES, UNITS, VENDOR_CODES
from tests.docs.facts import example, registry

MARKED = re.compile(r"<!-- from the code: (?P<words>[^>]*?) -->\n.*?<!-- end -->", re.DOTALL)


def renewed(text: str) -> str:
    """Return a page with all its parts written anew."""
    return MARKED.sub(_part, text)


def _part(found: re.Match[str]) -> str:
    name, *arguments = found["words"].split()
    return f"<!-- from the code: {found['words']} -->\n{PARTS[name](*arguments)}\n<!-- end -->"


def settings(*names: str) -> str:
    """Return these settings with their variables, defaults and meanings."""
    fields = {each.name: each for each in dataclasses.fields(Settings)}
    rows = [(f"`{variable(name)}`", shown(fields[name].default), fields[name].metadata["help"]) for name in names]
    return table(("Variable", "Default", "Meaning"), rows)


def hook_example(name: str) -> str:
    """Return the example of a hook."""
    return f"```python\n{example(name)}\n```"


def record(name: str) -> str:
    """Return how a record of the plugin API is made."""
    kind = getattr(plugin_api, name)
    fields = [f"{each.name}: {each.type}{default_of(each)}" for each in dataclasses.fields(kind) if each.init]
    line = f"{name}({', '.join(fields)})"
    if len(line) > 100:
        line = "\n".join([f"{name}(", *(f"    {field}," for field in fields), ")"])
    line = line.replace("'", '"')
    return f"```python\n{line}\n```"


def face() -> str:
    """Return every name that a plugin may import, with the first sentence of what it says of itself."""
    rows = []
    for name in sorted(plugin_api.__all__, key=str.lower):
        thing = getattr(plugin_api, name)
        rows.append((f"`{name}`", OTHER_NAMES.get(name) or escaped((inspect.getdoc(thing) or "").split("\n")[0])))
    return table(("Name", "What it is"), rows)


#: Names whose docstring is somebody else's.
OTHER_NAMES = {
    "Command": "A click command.",
    "Content": "What a panel returns: one of the kinds of content.",
    "DUE_INDEX": "The index behind `Workflow.overdue`, for a document's `meta`.",
    "LOCAL_ZONE": "The time zone that people here live in, Asia/Shanghai.",
    "Tone": "How content is coloured.",
    "Written": "What a write to a register wrote: pairs of the record before, None for a new one, and after.",
    "hookimpl": "Marks a function as the implementation of a hook.",
}


def problems(owner: str) -> str:
    """Return the problem codes of the platform or of one plugin."""
    codes = [each for each in registry().problem_codes if registry().owner_of(each) == owner]
    codes.sort(key=lambda each: (each.status, each.code))
    rows = [(f"`{each.code}`", str(each.status), each.title, each.detail) for each in codes]
    return table(("Code", "Status", "Title", "Sentence, when none fits better"), rows)


def permissions() -> str:
    """Return all permissions and who holds them at first."""
    rows = [
        (f"`{each.name}`", each.title, "、".join(USER_TYPES[role] for role in each.roles) or "–")
        for each in registry().permissions
    ]
    return table(("Permission", "Title", "User types that hold it at first, besides 系统管理员"), rows)


def user_types() -> str:
    """Return the types of people; each has a built-in role of its name."""
    return table(("User type", "On screen"), [(f"`{name}`", title) for name, title in USER_TYPES.items()])


def events() -> str:
    """Return all kinds of events."""
    rows = [(f"`{each.name}`", each.title, each.payload) for each in registry().events]
    return table(("Event", "Title", "Payload"), rows)


def jobs() -> str:
    """Return all jobs and when they run."""
    rows = []
    for each in registry().jobs:
        when = (
            f"every {each.every_seconds} s" if each.every_seconds else f"`{each.cron}`" if each.cron else "when asked"
        )
        rows.append((f"`{each.name}`", each.title, when, each.queue))
    return table(("Job", "Title", "When", "Queue"), rows)


def checks() -> str:
    """Return all health checks."""
    return table(("Check", "Title"), [(f"`{each.name}`", each.title) for each in registry().health_checks])


def metrics() -> str:
    """Return the counters and histograms that /metrics shows; the levels are looked up when it is asked."""
    found = []
    for each in vars(monitoring).values():
        if hasattr(each, "_labelnames") and hasattr(each, "_documentation"):
            name = each._name + ("_total" if each._type == "counter" else "")
            found.append((f"`{name}`", each._type, "、".join(each._labelnames), each._documentation))
    return table(("Metric", "Kind", "Labels", "Meaning"), sorted(found))


def alert_kinds() -> str:
    """Return the kinds of alerts that a district begins with."""
    rows = [
        (
            f"`{each['code']}`",
            each["name"],
            SEVERITIES[each["severity"]],
            str(each["debounce_minutes"]),
            f"{each['respond_minutes']} / {each['close_minutes']}",
            UNITS[each["limit_unit"]],
            ROLES[each["role"]],
        )
        for each in KINDS
    ]
    return table(("Code", "Kind", "Severity", "Window", "Limits", "Clock", "Who handles it"), rows)


def vendor_codes() -> str:
    """Return the vendors' codes that are known beforehand."""
    return table(("`vendor`", "`code`", "Kind"), [tuple(f"`{each}`" for each in row) for row in VENDOR_CODES])


PARTS: dict[str, Callable[..., str]] = {
    each.__name__: each
    for each in (
        settings, hook_example, record, face, problems, permissions, user_types, events, jobs, checks, metrics,
        alert_kinds, vendor_codes,
    )
}  # fmt: skip


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(escaped(cell) for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """Return a text that may stand in a cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def shown(default: Any) -> str:
    """Return the default of a setting as an operator would write it."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        default = ",".join(default)
    return f"`{default}`" if str(default) else "empty"


def default_of(field: dataclasses.Field[Any]) -> str:
    """Return ` = ...` for a field that may be left out."""
    if field.default is not dataclasses.MISSING:
        return f" = {field.default!r}"
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        return f" = {made!r}"
    return ""

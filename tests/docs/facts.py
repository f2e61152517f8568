"""The facts that the documentation tells of, taken from the code; nothing here asks a store."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
from flask import Flask

from backend import accounts, health, http, inbox
from backend import settings as settings_module
from backend.app import core_records
from backend.cli import cli, platform_commands
from backend.plugin_api import hooks
from backend.plugin_api.registry import Registry
from backend.plugins_host import load_plugins
from backend.plugins_host.commands import new_plugin
from backend.settings import Settings
from plugins.alerts.alerts.models import ALERT_FLOW
from plugins.alerts.kinds.register import ALERT_KINDS
from plugins.alerts.patrol.items import ITEMS
from plugins.alerts.patrol.plans import PLANS
from plugins.base_info.service import RESOURCES
from plugins.dispatch.routing.register import RULES
from plugins.dispatch.standards.register import STANDARDS

ROOT = Path(__file__).parent.parent.parent
CODE = ("backend", "plugins", "dash_cockpit")

HOOKS = {
    name: function
    for name, function in vars(hooks).items()
    if inspect.isfunction(function) and hasattr(function, f"{hooks.PROJECT}_spec")
}


@cache
def _platform() -> tuple[Registry, Mapping[str, Any]]:
    """Return what the platform and its built-in plugins register, and the OpenAPI document."""
    before = settings_module._current
    chosen = settings_module.configure(Settings())
    try:
        app = Flask("docs")
        api = http.install(app, chosen)
        accounts.install(app, api)
        inbox.install(app, api)
        api.register_blueprint(health.routes)
        found = load_plugins(chosen, core=core_records(chosen), url_map=app.url_map, with_installed=False)
        broken = [f"{each.name}: {each.reason_en}" for each in found.plugins if each.state != "loaded"]
        assert not broken, broken
        http.register(found.problem_codes)
        for blueprint in found.blueprints:
            api.register_blueprint(blueprint)
        return found, api.document()
    finally:
        settings_module._current = before


def registry() -> Registry:
    """Return all records of the platform and its built-in plugins."""
    return _platform()[0]


def openapi() -> Mapping[str, Any]:
    """Return the OpenAPI document."""
    return _platform()[1]


def addresses() -> set[tuple[str, str]]:
    """Return every (method, address) of the API, with `{}` where something varies."""
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, operations in openapi()["paths"].items()
        for method in operations
        if method in ("get", "post", "patch", "put", "delete")
    }


def commands() -> dict[str, click.Command]:
    """Return every command that an operator may call, with the words of the groups before it."""
    with patch("backend.cli.load_platform", registry):
        found = {**cli.commands, "new-plugin": new_plugin, **platform_commands()}
    flat = {}
    for name, command in found.items():
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        flat.update({f"{name} {verb}".strip(): each for verb, each in inner.items()})
    return flat


def signature(name: str) -> str:
    """Return a hook with its exact arguments and its answer, such as `find_place(code: str) -> PlaceFacts | None`."""
    return name + str(inspect.signature(HOOKS[name])).replace("'", "")


def example(name: str) -> str:
    """Return the example of a hook, as its docstring has it; another test runs it."""
    _, marker, code = (inspect.getdoc(HOOKS[name]) or "").partition("For example::\n")
    assert marker, f"{name} has no example"
    return inspect.cleandoc(code)


def audit_actions() -> set[str]:
    """Return every action that the code writes into the audit trail."""
    found = set()
    for template in sorted(_actions_in_source()):
        if template.startswith("{resource.subject}."):
            verbs = _record_verbs() if template.endswith("{verb}") else {template.rpartition(".")[2]}
            found |= {
                f"{resource.subject}.{verb}"
                for resource in (*RESOURCES, ALERT_KINDS, PLANS, ITEMS, RULES, STANDARDS)
                for verb in verbs
            }
        elif template == "alerts.alert.{verb}":
            found |= {f"alerts.alert.{verb}" for verb in _alert_verbs()}
        elif template == "platform.user.{verb}":
            found |= {f"platform.user.{verb}" for verb in _user_verbs()}
        else:
            assert "{" not in template, f"Say here what {template} may become."
            found.add(template)
    return found


@cache
def _all_calls() -> tuple[tuple[str, ast.Call], ...]:
    """Return every call of a function by name, anywhere in the code, as `name(...)` or `module.name(...)`."""
    files = [file for folder in CODE for file in (ROOT / folder).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    called = [(node.func, node) for node in nodes if isinstance(node, ast.Call)]
    plain = [(func.id, node) for func, node in called if isinstance(func, ast.Name)]
    dotted = [
        (f"{func.value.id}.{func.attr}", node)
        for func, node in called
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
    ]
    return (*plain, *dotted)


def _calls(*names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions of these names."""
    return (node for name, node in _all_calls() if name in names)


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression may be; an f-string keeps its braces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield ast.unparse(node)[2:-1]
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _actions_in_source() -> set[str]:
    direct = ("audit.record", "audit.record_many", "changes.add", "changes.change", "changes.remove")
    places = [each for call in _calls(*direct, "record_by_community") for each in call.args]
    # `end_session` hands its action on; its own default is in its signature.
    places += [word.value for call in _calls("end_session") for word in call.keywords if word.arg == "action"]
    from backend.identity.sessions import end_session

    default = inspect.signature(end_session).parameters["action"].default
    texts = {text for place in places for text in _texts(place)} | {default}
    return {text for text in texts if text.count(".") >= 2 or text.startswith("{resource.subject}.")}


def _user_verbs() -> set[str]:
    return {text for call in _calls("_administer") for text in _texts(call.args[2])}


def _alert_verbs() -> set[str]:
    noted = {text for call in _calls("note") if len(call.args) == 3 for text in _texts(call.args[1])}
    return noted | {way.verb for way in ALERT_FLOW.transitions}


def _record_verbs() -> set[str]:
    return {text for call in _calls("log") for text in _texts(call.args[1])}

"""What a plugin says of itself, read from its `__init__.py` as text: none of its code runs for this."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from backend.plugin_api.records import PluginInfo
from backend.plugins_host.refusal import broken, refused

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
FIELDS = {each.name: each for each in dataclasses.fields(PluginInfo)}


def read_info(file: Path) -> PluginInfo:
    """Return the `PLUGIN = PluginInfo(...)` of a package's `__init__.py`; raises Refusal if there is none."""
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        raise broken("无法读取 __init__.py", f"__init__.py cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise broken(f"__init__.py 不是有效的 Python：{error}", f"__init__.py is not valid Python: {error}") from error
    calls = [value for statement in tree.body if (value := assigned_to_plugin(statement)) is not None]
    if len(calls) != 1:
        raise broken(
            f"__init__.py 应有一处 PLUGIN = PluginInfo(...)，实有 {len(calls)} 处",
            f"__init__.py must hold PLUGIN = PluginInfo(...) once, not {len(calls)} times",
        )
    return checked(literal_values(calls[0]))


def assigned_to_plugin(statement: ast.stmt) -> ast.expr | None:
    """Return what a statement assigns to PLUGIN."""
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return None
    named = any(isinstance(target, ast.Name) and target.id == "PLUGIN" for target in targets)
    return statement.value if named else None


def literal_values(call: ast.expr) -> dict[str, Any]:
    """Return the keyword arguments of a PluginInfo call that is made of literals only."""
    name = call.func if isinstance(call, ast.Call) else None
    called = name.id if isinstance(name, ast.Name) else name.attr if isinstance(name, ast.Attribute) else ""
    if not isinstance(call, ast.Call) or called != "PluginInfo" or call.args:
        raise broken(
            "PLUGIN 应为 PluginInfo(...)，且只用关键字参数", "PLUGIN must be PluginInfo(...) with keywords only"
        )
    values = {}
    for keyword in call.keywords:
        try:
            values[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise broken(
                f"PluginInfo 的 {keyword.arg} 须为字面值", f"{keyword.arg} of PluginInfo must be a literal"
            ) from error
    return values


def checked(values: dict[str, Any]) -> PluginInfo:
    """Return the PluginInfo of these values; raises Refusal for what is missing, unknown or of a wrong shape."""
    if unknown := sorted(values.keys() - FIELDS.keys()):
        raise broken(f"PluginInfo 没有字段 {'、'.join(unknown)}", f"PluginInfo has no field {', '.join(unknown)}")
    if missing := [name for name, each in FIELDS.items() if each.default is dataclasses.MISSING and name not in values]:
        raise broken(f"PluginInfo 缺少 {'、'.join(missing)}", f"PluginInfo lacks {', '.join(missing)}")
    needs = values.get("needs", ())
    if not isinstance(needs, tuple | list) or not all(isinstance(each, str) for each in needs):
        raise broken("needs 须为插件名的元组", "needs must be a tuple of plugin names")
    texts = {name: value for name, value in values.items() if name != "needs"}
    if wrong := [name for name, value in texts.items() if not isinstance(value, str) or not value.strip()]:
        raise broken(f"{'、'.join(wrong)} 须为非空文字", f"{', '.join(wrong)} must be text that is not empty")
    if not NAME.fullmatch(texts["name"]):
        raise broken("name 只能用小写字母、数字和下划线", "name must be lower-case letters, digits and underscores")
    try:
        Version(texts["version"])
        SpecifierSet(texts["platform"])
    except (InvalidVersion, InvalidSpecifier) as error:
        raise broken(f"版本写法有误：{error}", f"A version is not written rightly: {error}") from error
    return PluginInfo(**texts, needs=tuple(needs))


def check_window(info: PluginInfo, platform: str) -> None:
    """Raise Refusal unless the plugin says that it fits the version `platform`."""
    if not SpecifierSet(info.platform).contains(platform, prereleases=True):
        raise refused(
            f"适用平台版本 {info.platform}，当前平台为 {platform}",
            f"It fits platform {info.platform}, and this is {platform}",
        )

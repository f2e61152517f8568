"""Which addresses a blueprint takes, found out without touching the real app."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Flask
from werkzeug.routing import Map, Rule

from backend.plugins_host.refusal import broken

API = "/api/v1/"
PAGES = "/{plugin}/"
# Flask answers these by itself wherever a GET or any method is.
IMPLIED = frozenset({"HEAD", "OPTIONS"})
VARIABLE = re.compile(r"<(?:(?P<converter>\w+)(?:\([^>]*\))?:)?\w+>")


@dataclass(frozen=True)
class Address:
    """One address of the API: the rule as written, its methods, its parts with `*` for one and `**` for any rest."""

    rule: str
    methods: frozenset[str]
    parts: tuple[str, ...]

    @classmethod
    def of(cls, rule: Rule) -> Address:
        """Return the address of a routing rule."""
        pattern = VARIABLE.sub(lambda found: "**" if found["converter"] == "path" else "*", rule.rule)
        parts = ("**" if "**" in part else "*" if "*" in part else part for part in pattern.strip("/").split("/"))
        return cls(rule.rule, frozenset(rule.methods or ()) - IMPLIED, tuple(parts))

    def meets(self, other: Address) -> bool:
        """Say whether some request could be meant for either."""
        return bool(self.methods & other.methods) and may_match(self.parts, other.parts)


def may_match(one: tuple[str, ...], two: tuple[str, ...]) -> bool:
    """Say whether some path fits both patterns; it errs on the side of yes."""
    for first, second in zip(one, two, strict=False):
        if "**" in (first, second):
            return True
        if first != second and "*" not in (first, second):
            return False
    return len(one) == len(two)


def of_app(url_map: Map | None) -> list[Address]:
    """Return the addresses of the platform, but for a page that answers whatever nobody else does."""
    addresses = [Address.of(rule) for rule in url_map.iter_rules()] if url_map is not None else []
    return [address for address in addresses if address.parts[0] != "**"]


def of_blueprint(blueprint: Blueprint, prefix: str, url_map: Map | None = None) -> list[Address]:
    """Return the addresses that a blueprint takes; raises Refusal when it reaches beyond its own routes.

    Each must begin with `prefix`; `url_map` knows the kinds of variables that the app's addresses may have.
    """
    probe = Flask("probe", static_folder=None)
    if url_map is not None:
        probe.url_map.converters.update(url_map.converters)
    probe.register_blueprint(blueprint)
    reach = (probe.before_request_funcs, probe.after_request_funcs, probe.teardown_request_funcs)
    handlers = [each for each in probe.error_handler_spec.get(None, {}).values() if each]
    if any(functions.get(None) for functions in reach) or handlers:
        raise broken(
            f"蓝图 {blueprint.name} 改动了全平台的请求处理",
            f"Blueprint {blueprint.name} changes how requests of the whole platform are handled",
        )
    addresses = [Address.of(rule) for rule in probe.url_map.iter_rules()]
    if outside := [address.rule for address in addresses if not address.rule.startswith(prefix)]:
        raise broken(
            f"地址须以 {prefix} 开头：{'、'.join(outside)}", f"Addresses must begin with {prefix}: {', '.join(outside)}"
        )
    return addresses


def first_taken(wanted: Iterable[Address], taken: Iterable[tuple[Address, str]]) -> tuple[Address, Address, str] | None:
    """Return the first wanted address that is taken, what takes it and whose that is."""
    taken = list(taken)
    for address in wanted:
        for other, owner in taken:
            if address.meets(other):
                return address, other, owner
    return None

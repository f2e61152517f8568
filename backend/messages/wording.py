"""Texts with named fields, such as `编号 {number}`: nothing but a plain name may stand in the braces.

Administrators write such texts, so they are not Python format strings: those reach into the values they are given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

FIELD = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
LONGEST_TITLE = 40
LONGEST_TEXT = 500
#: A value longer than this is cut: what is told is a sentence.
LONGEST_VALUE = 300


class WordingError(ValueError):
    """A wording cannot be used; `field` is `title` or `text`, the message one Chinese sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def fields_of(text: str) -> list[str]:
    """Return the names of the fields in a text, each once, in their order."""
    return list(dict.fromkeys(FIELD.findall(text)))


def check_wording(title: str, text: str, known: Collection[str]) -> None:
    """Raise WordingError unless title and text can be used with the known fields."""
    if not 1 <= len(title.strip()) <= LONGEST_TITLE:
        raise WordingError("title", f"标题应为 1 至 {LONGEST_TITLE} 字。")
    if "{" in title or "}" in title:
        raise WordingError("title", "标题中不能有花括号和字段。")
    if not 1 <= len(text.strip()) <= LONGEST_TEXT:
        raise WordingError("text", f"正文应为 1 至 {LONGEST_TEXT} 字。")
    if unknown := [name for name in fields_of(text) if name not in known]:
        allowed = "、".join(f"{{{name}}}" for name in sorted(known)) or "无"
        raise WordingError("text", f"没有字段 {'、'.join(unknown)}；可用的字段：{allowed}。")
    rest = FIELD.sub("", text)
    if "{" in rest or "}" in rest:
        raise WordingError("text", "花括号只能用来写字段，如 {number}。")


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its fields replaced; raises KeyError for a value that is missing."""
    return FIELD.sub(lambda found: shortened(values[found[1]], LONGEST_VALUE), text)


def filled_address(pattern: str, values: Mapping[str, str]) -> str:
    """Return the address with its fields replaced, each of which stays one part of it."""
    return FIELD.sub(lambda found: quote(values[found[1]], safe=""), pattern)


def is_own_address(address: str) -> bool:
    """Tell whether an address lies on this platform: a path, never another host."""
    return address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()


def shortened(text: str, longest: int) -> str:
    """Return the text cut to `longest` characters, an ellipsis included; 0 is no limit."""
    return text if not longest or len(text) <= longest else f"{text[: longest - 1]}…"

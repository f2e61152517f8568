"""The pages of the documentation, as far as tests have to read them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.facts import ROOT

DOCS = ROOT / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


def pages() -> dict[str, Path]:
    """Return README.md and all pages below docs/ by their path from the root."""
    return {str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))}


def read(name: str) -> str:
    """Return a page of docs/."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def fenced(text: str, language: str) -> list[str]:
    """Return the code blocks of a language."""
    return [body for kind, body in FENCE.findall(text) if kind == language]


def files(text: str) -> dict[str, str]:
    """Return the code blocks that are files: a line that is nothing but the file's name in backticks stands before."""
    found = re.findall(r"^`([\w./]+)`\n\n```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def without_code(text: str) -> str:
    """Return a page without its code blocks."""
    return FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above; fails when there is none."""
    masked = FENCE.sub(lambda block: re.sub(r"[^\n]", "x", block[0]), text)
    for found in HEADING.finditer(masked):
        if found[2] == heading:
            end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(masked, found.end())
            return text[found.end() : end.start() if end else len(text)]
    raise AssertionError(f"There is no heading {heading!r}.")


def headings(text: str) -> list[str]:
    """Return all headings of a page."""
    return [words for _, words in HEADING.findall(without_code(text))]


def anchors(text: str) -> set[str]:
    """Return the anchors that a forge gives to the headings of a page."""
    return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for words in headings(text)}


def links(text: str) -> list[str]:
    """Return the addresses of all links and pictures of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text))


def first_cells(text: str) -> list[str]:
    """Return what stands in backticks in the first column of the tables of a text."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def listed(text: str) -> list[str]:
    """Return what stands in backticks at the beginning of the items of a text's lists."""
    return re.findall(r"^- `([^`]+)`", text, re.MULTILINE)

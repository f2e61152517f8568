"""What an operator reads about figures and demo accounts."""

from __future__ import annotations

import pytest

from backend.health.figures import levels
from backend.identity import USER_TYPES
from backend.identity.demo import _PLACES, DEMO_PASSWORD
from tests.docs import facts, pages


@pytest.mark.usefixtures("clean")
def test_figures_that_are_looked_up_have_their_line() -> None:
    table = pages.section(pages.read("deployment"), "Metrics").partition("Looked up")[2]
    assert sorted(pages.first_cells(table)) == sorted({level.name for level in levels()})
    for level in levels():
        assert f"| `{level.name}` | {level.label} |" in table


def test_the_demo_accounts_are_those_that_are_made() -> None:
    text = pages.section((facts.ROOT / "README.md").read_text(encoding="utf-8"), "What you see")
    assert f"`{DEMO_PASSWORD}`" in text
    for user_type, (account, _level, _kind) in _PLACES.items():
        assert f"`{account}`" in text, account
        assert f"| `{account}` | {USER_TYPES[user_type]} |" in text or f"| `{account}`" not in text


def test_every_probe_answers() -> None:
    table = pages.section(pages.read("deployment"), "Health")
    assert [cell for cell in pages.first_cells(table) if cell.startswith("/")] == [
        "/healthz",
        "/readyz",
        "/health",
        "/api/v1/health",
    ]

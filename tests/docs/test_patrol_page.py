"""The page on patrols says what the code does."""

from __future__ import annotations

import re

from plugins.alerts.patrol.offers import PROBLEMS
from plugins.alerts.patrol.schemas import PatrolEntrySchema
from plugins.alerts.patrol.vocabulary import FLAGS, STATES
from tests.docs import facts, pages

PAGE = pages.read("patrol")


def test_every_field_flag_state_and_address_has_its_line() -> None:
    assert set(pages.first_cells(pages.section(PAGE, "What a phone sends"))) == set(PatrolEntrySchema().fields)
    judged = pages.section(PAGE, "What is made of a check-in")
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", judged, re.MULTILINE)) == FLAGS
    ends = pages.section(PAGE, "How a round ends")
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", ends, re.MULTILINE)) == STATES
    rows = pages.first_cells(pages.section(PAGE, "Addresses"))
    told = {(row.split()[0], "/api/v1" + re.sub(r"\{\w+\}", "{}", row.split()[1])) for row in rows}
    registers = ("/api/v1/patrol-plans", "/api/v1/patrol-items")
    assert told == {
        each for each in facts.addresses() if each[1].startswith("/api/v1/patrol") and not each[1].startswith(registers)
    }
    named = set(re.findall(r"`(patrol_\w+)`", PAGE))
    ending = {"patrol_already_finished", "patrol_nothing_done"}
    assert {each.code for each in PROBLEMS} == named | ending

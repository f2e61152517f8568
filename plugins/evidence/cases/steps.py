"""The steps of a case: what its new state means for how long it is kept is written with each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.plugin_api import Problem, current_actor
from plugins.evidence.cases.models import CASE_FLOW, Case
from plugins.evidence.retention.rules import classified


def move(case: Case, verb: str, *, at: datetime, note: str = "", changes: Mapping[str, Any] | None = None) -> Case:
    """Move a case on and return it as it is then; raises what `fire` does, and Problem `evidence_deleted`."""
    if case.shredding_at is not None:
        raise Problem("evidence_deleted")
    target = next((way.target for way in CASE_FLOW.verbs(case) if way.verb == verb), case.state)
    penalty = (changes or {}).get("penalty", case.penalty)
    kept = classified(target, penalty=penalty, at=at)
    return CASE_FLOW.fire(case, verb, actor=current_actor(), note=note, changes={**(changes or {}), **kept}, at=at)

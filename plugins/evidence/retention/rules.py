"""How long a case is kept: by what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from backend.plugin_api import current_settings

#: The setting that holds the days of each class; a case that nobody has judged is kept until somebody has.
DAYS_OF: Mapping[str, str] = {
    "lead": "retention_lead_days",
    "rejected": "retention_rejected_days",
    "penalty": "retention_penalty_days",
}

CLASS_OF_STATE: Mapping[str, str] = {
    "waiting": "open",
    "countersigning": "open",
    "rejected": "rejected",
}


def class_of(state: str, *, penalty: bool) -> str:
    """Return the retention class of a case in a state; what was decided on goes by whether it led to a penalty."""
    return CLASS_OF_STATE.get(state, "penalty" if penalty else "lead")


def classified(state: str, *, penalty: bool, at: datetime) -> dict[str, Any]:
    """Return what a case that enters a state now has to be changed by: its class, and when its time ends."""
    kept_as = class_of(state, penalty=penalty)
    setting = DAYS_OF.get(kept_as)
    until = at + timedelta(days=getattr(current_settings(), setting)) if setting else None
    return {"retention": kept_as, "delete_after": until}

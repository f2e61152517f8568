"""End appeals that have nothing left to decide."""

from __future__ import annotations

from bson import ObjectId

from backend.plugin_api import current_actor
from plugins.ranking.appeals.models import APPEAL_FLOW, Appeal


def lapse(charge: ObjectId, why: str) -> None:
    """End the appeal against a charge that stands no longer, in the current transaction."""
    appeal = Appeal.objects(id=charge, state="filed").first()
    if appeal is not None:
        APPEAL_FLOW.fire(appeal, "lapse", actor=current_actor(), note=why)

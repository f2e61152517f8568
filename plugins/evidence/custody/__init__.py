"""Custody: what happened to evidence, who did it and why, in a ledger that nobody can change unseen."""

from plugins.evidence.custody.ledger import note
from plugins.evidence.custody.models import KINDS

__all__ = ["KINDS", "note"]

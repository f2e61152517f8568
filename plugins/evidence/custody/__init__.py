"""Custody: what happened to evidence, who did it and why, in a ledger that nobody can change unseen."""

from plugins.evidence.custody.extraction import LedgerExtract, extract
from plugins.evidence.custody.ledger import LedgerBroken, note
from plugins.evidence.custody.models import KINDS
from plugins.evidence.custody.signing import Signature, certificate, sign
from plugins.evidence.custody.verifying import Verification, verify

__all__ = [
    "KINDS",
    "LedgerBroken",
    "LedgerExtract",
    "Signature",
    "Verification",
    "certificate",
    "extract",
    "note",
    "sign",
    "verify",
]

"""PEM: DER as text between two lines (RFC 7468)."""

from __future__ import annotations

import base64
from textwrap import wrap


def pem(label: str, der: bytes) -> str:
    """Return DER as PEM."""
    return "\n".join(
        [f"-----BEGIN {label}-----", *wrap(base64.b64encode(der).decode(), 64), f"-----END {label}-----", ""]
    )


def unpem(text: str) -> bytes:
    """Return the DER of the one block in `text`; raises ValueError."""
    return base64.b64decode("".join(line for line in text.split("\n") if not line.startswith("-----")), validate=True)

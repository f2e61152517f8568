"""How a device proves that it is itself: a signature over the moment and the body, under its own key."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from backend.plugin_api import DeviceFacts, Problem

#: How far the moment in the header may lie from the platform's clock. A copy of a request that is sent again within it
#: changes nothing, for its events are known; after it, it is refused.
FRESH_SECONDS = 300


def signature(key: str, moment: str, body: bytes) -> str:
    """Return what a device must send as `X-Signature`: hex HMAC-SHA256, under its key (hex), of a text of three lines.

    They are `qingxu-alerts-v1`, the moment as `X-Timestamp` has it, and the SHA-256 of the body in hex.
    """
    signed = f"qingxu-alerts-v1\n{moment}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(bytes.fromhex(key), signed.encode(), "sha256").hexdigest()


def recognise(device: DeviceFacts | None, given: str, moment: str, body: bytes, now: datetime) -> DeviceFacts:
    """Return the device if it is registered, in use and signed this just now.

    All else but a wrong clock gets one answer that betrays nothing; of its clock only who signs rightly learns.
    """
    # The work is the same for a device that does not exist.
    expected = signature(device.secret if device and device.secret else "00" * 32, moment, body)
    signed = hmac.compare_digest(expected.encode(), given.lower().encode())
    if device is None or not device.secret or not device.active or not signed:
        raise Problem("sender_not_recognised")
    if not re.fullmatch(r"[0-9]{1,12}", moment) or abs(int(moment) - now.timestamp()) > FRESH_SECONDS:
        raise Problem("signature_too_old")
    return device

"""SHA-256 and SM3 of a stream while it goes by."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.hashes import SM3, Hash

#: So many parts wait for SM3 at most.
AHEAD = 8


class Digests:
    """What `measured` has found once it is through: both hashes in hex, and the size in bytes."""

    sha256 = ""
    sm3 = ""
    size = 0


def measured(source: BinaryIO, part_bytes: int, found: Digests) -> Iterator[bytes]:
    """Yield the stream in parts and fill in `found` at its end.

    SM3 is the slowest of all steps of a write (no processor instruction helps it as those for SHA and AES do), so it
    runs in a thread beside them.
    """
    digest, chinese = hashlib.sha256(), _sm3()
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "sm3") as beside:
        while part := source.read(part_bytes):
            waiting.append(beside.submit(chinese.update, part))
            digest.update(part)
            found.size += len(part)
            yield part
            if len(waiting) > AHEAD:
                waiting.popleft().result()
    for each in waiting:
        each.result()
    found.sha256 = digest.hexdigest()
    found.sm3 = chinese.hexdigest() if hasattr(chinese, "hexdigest") else chinese.finalize().hex()


def _sm3() -> Any:
    """Return the standard library's SM3, which lets other threads run; some builds of OpenSSL keep it from there."""
    return hashlib.new("sm3") if "sm3" in hashlib.algorithms_available else Hash(SM3())

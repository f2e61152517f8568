"""The web of the small platform: it says where it found the store."""

from __future__ import annotations

import os

WARM = []


def warm() -> None:
    """Note that the worker was warmed."""
    WARM.append(True)


def app(environ, start_response):
    """Answer every request."""
    start_response("200 OK" if WARM else "500 Cold", [("Content-Type", "text/plain")])
    return [os.environ["QINGXU_MONGODB_URL"].encode()]

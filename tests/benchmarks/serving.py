"""A WSGI app served by gunicorn as `run` serves the platform, with one worker, whose CPU is counted."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.embedded.process import free_port


@dataclass
class Served:
    """A running server; requests go over one kept connection on loopback."""

    connection: http.client.HTTPConnection
    worker: int

    def ask(self, method: str, address: str, headers: Mapping[str, str] = {}, content: Any = None) -> tuple[int, bytes]:
        """Return status and body; content that is not bytes is sent as JSON."""
        body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        self.connection.request(method, address, body, {**kind, **headers})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def cpu(self) -> float:
        """Return the seconds of CPU that the worker's threads have used, as the kernel's scheduler counts them."""
        tasks = Path(f"/proc/{self.worker}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def serve(app: str, environment: Mapping[str, str], *, config: str = "") -> Iterator[Served]:
    """Start gunicorn with one gthread worker for `module:name` and wait until it answers."""
    port = free_port()
    options = ["--config", config] if config else ["--worker-class", "gthread", "--threads", "8", "--keep-alive", "30"]
    command = [sys.executable, "-m", "gunicorn", *options, "--workers", "1", "--bind", f"127.0.0.1:{port}", app]
    master = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield Served(_answering(master, port), int(_children(master.pid)[0]))
    finally:
        master.terminate()
        master.wait(20)


def _answering(master: subprocess.Popen[bytes], port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and master.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return connection
    raise RuntimeError("The server did not start; its reason is above.")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

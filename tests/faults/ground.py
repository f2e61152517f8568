"""Real servers and real processes that a test may kill: each on its own, with SIGKILL, and start again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from backend.embedded import Server, start_redis, start_store
from backend.embedded.process import free_port, spawn
from backend.storage import utcnow
from tests.faults.camera import Camera
from tests.faults.killing import Killable
from tests.vision import weights

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
PROCESSES = {
    "web": ("-m", "gunicorn", "--config", "python:backend.run.web", "wsgi:app"),
    "vision": ("-m", "backend", "worker", "vision"),
    "default": ("-m", "backend", "worker", "default", "outbound", "reports"),
    "scheduler": ("-m", "backend", "scheduler"),
}
SERVERS = {"store": start_store, "redis": start_redis}
#: Longest that anything here may take on a busy machine.
PATIENCE = 120


@dataclass
class Ground:
    """The servers, the processes that were started, and a camera in a small district."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    camera: Camera = field(default_factory=lambda: Camera(""))
    administrator: dict[str, str] = field(default_factory=dict)
    killable: Killable = field(init=False)

    def open(self) -> None:
        """Start the servers and furnish the district."""
        for name in SERVERS:
            self.start(name)
        port = free_port()
        self.web = f"http://127.0.0.1:{port}"
        chosen = {
            "mode": "production",
            "data_dir": self.folder,
            "port": port,
            "web_workers": 1,
            "mongodb_url": self.servers["store"].url,
            "redis_url": self.servers["redis"].url,
            "master_key": "c2l4dGVlbiBieXRlcyB4IHR3byBtYWtlIHRoaXJ0eTI=",
            "face_models": weights.face_models(self.folder),
            # Objects come from the regions that the camera names; a detector of them would only take time.
            "api_rate": "1000/second",  # each new process takes a share at once: a window must end soon
            "outbox_seconds": 1,
            "delivery_lease_seconds": 1,
            "extraction_seconds": 15,
            "model_wait_seconds": 1,
            "log_level": "WARNING",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("QINGXU_")}
        own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE / 'counting'}:{ROOT}"}
        self.settings = {**inherited, **own, **{f"QINGXU_{name.upper()}": str(each) for name, each in chosen.items()}}
        self.killable = Killable(self)
        self.killable.order("furnish")
        furnished = self.killable.result()["outcome"]
        self.camera.key = furnished.pop("key")
        self.administrator = furnished

    def close(self) -> None:
        """End everything."""
        if hasattr(self, "killable"):
            self.killable.end()
        self.kill(*self.processes, *self.servers)

    def start(self, *names: str) -> None:
        """Start servers and processes; a server has its old port and its old data."""
        for name in names:
            if name in SERVERS:
                port = int(self.servers[name].url.rpartition(":")[2].partition("/")[0]) if name in self.servers else 0
                self.servers[name] = SERVERS[name](self.folder / name, port)
            else:
                command = [sys.executable, *PROCESSES[name]]
                environment = {**self.settings, "PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics")}
                (self.folder / "metrics").mkdir(exist_ok=True)
                self.processes[name] = spawn(command, self.folder, name, environment=environment)

    def start_fallen(self) -> None:
        """Start every server and process that does not run."""
        servers = [name for name, server in self.servers.items() if server.process.poll() is not None]
        running = [name for name, process in self.processes.items() if process.poll() is None]
        self.start(*servers, *(name for name in PROCESSES if name not in running))

    def run_all(self) -> None:
        """Start what does not run and wait until the web answers."""
        self.start_fallen()
        self.wait_until(self._web_answers, "the web answers")

    def kill(self, *names: str) -> None:
        """Kill servers and processes with SIGKILL; gunicorn's worker notices by itself that its master is gone."""
        for name in names:
            process = self.servers[name].process if name in SERVERS else self.processes.pop(name)
            process.kill()
            process.wait()

    def kill_web_worker(self) -> None:
        """Kill the process that answers requests; gunicorn starts another one."""
        pid = self.processes["web"].pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def _web_answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.web}/healthz", timeout=5).close()
        except OSError:
            return False
        return True

    def wait_until(self, condition: Any, what: str, seconds: float = PATIENCE) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.last_words()}"
            time.sleep(0.1)

    def last_words(self) -> str:
        """Return the ends of the logs."""
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in self.folder.glob("*.log"))

    @cached_property
    def database(self) -> Database[dict[str, Any]]:
        """The database, seen from beside the platform."""
        return MongoClient(self.servers["store"].url, tz_aware=True)["qingxu"]

    def end_open_transactions(self) -> None:
        """Do what a minute does: the store gives up the transactions of the dead."""
        self.database.client.admin.command({"killAllSessions": []})

    def let_time_pass(self) -> None:
        """Do what minutes do: transactions of the dead end and so do their leases, and what was put off is due."""
        self.end_open_transactions()
        past = {"$set": {"deliveries.$[open].due_at": utcnow() - timedelta(seconds=1)}}
        of_open = [{"open.state": {"$in": ["waiting", "running"]}}]
        self.database.events.update_many({"open": True}, past, array_filters=of_open)

    def waiting(self) -> int:
        """Return how many captures and events are not done yet."""
        waits = self.database.evidence_captures.count_documents({"state": {"$ne": "extracted"}})
        return waits + self.database.events.count_documents({"open": True})

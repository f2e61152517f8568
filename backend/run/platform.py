"""The platform on one machine, from an empty folder to a page that answers, until it is asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from backend import __version__
from backend.embedded import Server, StartError, check_port, end_leftover, spawn, start_redis, start_store, stop_process
from backend.run.data_folder import DataFolder
from backend.run.demo_models import demo_models
from backend.run.supervisor import Child, Stopped, Supervisor
from backend.run.telling import LITTLE_ROOM, RoomWatch, show, tell
from backend.settings import Settings, variable

#: The processes beside the web: what `python -m backend` is asked for.
WORKERS = {
    "worker-default": ("worker", "default", "outbound", "reports"),
    "worker-vision": ("worker", "vision"),
    "scheduler": ("scheduler",),
}
WEB = ("-m", "gunicorn", "--config", "python:backend.run.web", "wsgi:app")
START_SECONDS = 120


def run(settings: Settings) -> None:
    """Run everything until Ctrl-C, SIGTERM or SIGHUP; raises StartError with one sentence when it cannot start."""
    supervisor = Supervisor(tell)
    with supervisor.stopping_on_signals():
        try:
            _run(settings, supervisor)
        except Stopped:
            tell("Stopped. 已停止")


def _run(settings: Settings, supervisor: Supervisor) -> None:
    with closing(DataFolder.open(settings.data_dir, settings.mode)) as folder:
        try:
            Platform(settings, folder, supervisor).start()
            supervisor.watch(each_second=RoomWatch(folder).look)
        except Stopped:
            tell("Stopping. 正在停止")
            raise
        finally:
            supervisor.stop()


@dataclass
class Platform:
    """The start, step by step; `environment` is what the children are started with."""

    settings: Settings
    folder: DataFolder
    supervisor: Supervisor
    begun: float = field(default_factory=time.monotonic)
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Bring everything up and print where it is."""
        tell(f"Qingxu 清序 {__version__}, {self.settings.mode} mode, data in {self.folder.path}")
        self._take_over()
        key = self._master_key()
        if self.settings.mode == "demo" and not self.settings.mongodb_url:
            self._forget_half_made()
        store, redis = self._store(), self._redis()
        self.environment = self._surroundings(key, store, redis)
        self._prepare()
        for name, words in WORKERS.items():
            # Background work gives way to the web where cores are few; cut off at any point, it loses nothing.
            self._add(name, ("-m", "backend", *words), before=("nice", "-n", "5"), orphan_signal=signal.SIGKILL)
        self._wait_for(self._add("web", WEB, rank=2))
        show(self.settings, self.folder.accounts(), time.monotonic() - self.begun)

    def _take_over(self) -> None:
        """End what a killed run has left, and make sure that the web's port is free."""
        logs = self.folder.path / "logs"
        logs.mkdir(exist_ok=True)
        left = {name: end_leftover(logs, name, 3) for name in ("prepare", "web", *WORKERS)}
        # Gunicorn's workers let go of the port a moment after their master.
        deadline = time.monotonic() + (5 if left["web"] else 0)
        while True:
            try:
                choose = f"choose another port with {variable('port')}"
                return check_port(self.settings.host, self.settings.port, "The web server", choose)
            except StartError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _forget_half_made(self) -> None:
        """Let a first start that was interrupted begin anew."""
        if not self.folder.prepared:
            # What a killed run's servers still write must not end up in the folders that are made anew.
            for name in ("store", "redis"):
                end_leftover(self.folder.path / name, "server")
        if self.folder.forget_half_made():
            tell("The first start was interrupted before the demo was complete; it begins anew. 上次未完成，重新创建")

    def _master_key(self) -> str:
        if self.settings.master_key:
            return self.settings.master_key
        if self.settings.mode == "demo":
            return self.folder.master_key()
        raise StartError("QINGXU_MASTER_KEY is not set: production needs 32 bytes in base64 (openssl rand -base64 32).")

    def _store(self) -> str:
        """Return the address of the store, started here unless the operator has one."""
        if not self.settings.mongodb_url:
            home = self.folder.path / "store"
            return self._serve("store", "Store", lambda port: start_store(home, port), self.settings.store_port)
        from backend.run.given import check_mongodb  # the drivers take memory that this process keeps

        tell(f"Store: MongoDB at {check_mongodb(self.settings.mongodb_url)} (from QINGXU_MONGODB_URL)")
        return self.settings.mongodb_url

    def _redis(self) -> str:
        """Return the address of Redis, started here unless the operator has one."""
        if not self.settings.redis_url:
            home = self.folder.path / "redis"
            return self._serve("redis", "Queues", lambda port: start_redis(home, port), self.settings.redis_port)
        from backend.run.given import check_redis

        tell(f"Queues: Redis at {check_redis(self.settings.redis_url)} (from QINGXU_REDIS_URL)")
        return self.settings.redis_url

    def _serve(self, name: str, what: str, begin: Callable[[int], Server], port: int) -> str:
        """Run an embedded server; started again it keeps its port, so that nobody has to be told."""
        server: Server | None = None

        def start() -> subprocess.Popen[bytes]:
            nonlocal server, port
            server = begin(port)
            port = int(server.url.partition("127.0.0.1:")[2].partition("/")[0])
            return server.process

        def fault() -> str:
            return server.fault() if server else ""

        self.supervisor.add(
            Child(name=name, start=start, log=self.folder.path / name / "server.log", rank=0, fault=fault)
        )
        assert server is not None  # noqa: S101 - `add` has started it, or raised
        tell(f"{what}: {server.name} on 127.0.0.1:{port}")
        return server.url

    def _surroundings(self, key: str, store: str, redis: str) -> dict[str, str]:
        """Return the environment of the children; without the key it is also noted for the other commands."""
        chosen = {
            variable("mode"): self.settings.mode,
            variable("data_dir"): str(self.folder.path),
            variable("mongodb_url"): store,
            variable("redis_url"): redis,
            variable("port"): str(self.settings.port),
        }
        if self.settings.mode == "demo":
            chosen |= demo_models(self.settings, self.folder.path)
        self.folder.note_running(chosen)
        # One thread in each numeric library: workers scale better than threads. Few arenas: less memory at rest.
        lean = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {"MALLOC_ARENA_MAX": "2"}
        own = {"PYTHONUNBUFFERED": "1", "PROMETHEUS_MULTIPROC_DIR": str(self.folder.path / "metrics")}
        return {**os.environ, **lean, **own, **chosen, variable("master_key"): key}

    def _prepare(self) -> None:
        """Bring the database up: migrations, indexes, and the demo once. Raises StartError."""
        first = "Making the database; this takes a while, once. 首次启动，正在创建数据"
        tell("Preparing the database. 正在准备数据库" if self.folder.prepared else first)
        log = self.folder.path / "logs" / "prepare.log"
        log.unlink(missing_ok=True)
        process = self._spawn("prepare", ("-m", "backend", "prepare"), shown=True)
        try:
            self.supervisor.watch(until=lambda: process.poll() is not None)
        finally:
            stop_process(process, 2)
            log.with_suffix(".pid").unlink(missing_ok=True)
        if process.returncode:
            last = log.read_text(errors="replace").strip().rpartition("\n")[2].removeprefix("qingxu: ")
            reason = last[:300] if self.folder.free_bytes() > LITTLE_ROOM else "the disk is full"
            raise StartError(f"The database could not be prepared: {reason or 'no reason given'} (log: {log}).")
        self.folder.note_prepared()

    def _spawn(
        self, name: str, words: Sequence[str], before: Sequence[str] = (), **options: Any
    ) -> subprocess.Popen[bytes]:
        command = [*before, sys.executable, *words]
        return spawn(command, self.folder.path / "logs", name, environment=self.environment, **options)

    def _add(self, name: str, words: Sequence[str], rank: int = 1, **options: Any) -> Child:
        start = partial(self._spawn, name, words, **options)
        child = Child(name=name, start=start, log=self.folder.path / "logs" / f"{name}.log", rank=rank)
        self.supervisor.add(child)
        return child

    def _wait_for(self, web: Child) -> None:
        """Return when the web answers; raises StartError when it falls first."""
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "::") else self.settings.host  # noqa: S104
        address = f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port}/healthz"
        deadline = time.monotonic() + START_SECONDS

        def answers() -> bool:
            if web.falls or time.monotonic() > deadline:
                raise StartError(f"The web server does not start; the end of its log:\n{_end_of(web)}")
            try:
                urllib.request.urlopen(address, timeout=5).close()
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False
            return True

        self.supervisor.watch(until=answers)


def _end_of(child: Child) -> str:
    lines = child.log.read_text(errors="replace").splitlines()
    return "\n".join(f"    {line[:300]}" for line in lines[-12:])

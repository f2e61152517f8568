"""Child processes that never outlive the process that started them."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartError(Exception):
    """Something cannot be started; the message is one sentence for the operator."""


def spawn(
    command: Sequence[str],
    home: Path,
    name: str,
    *,
    environment: Mapping[str, str] | None = None,
    orphan_signal: signal.Signals = signal.SIGTERM,
    shown: bool = False,
) -> subprocess.Popen[bytes]:
    """Run `command` in a session of its own, so that Ctrl-C goes to this process alone.

    Its output is appended to `home/name.log`; with `shown` only its errors are, and the rest goes where this process's
    output goes. Its pid is noted in `home/name.pid`. Should the starting thread end in any way, SIGKILL included, the
    kernel sends the child `orphan_signal`. Raises StartError.
    """
    try:
        with (home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=None if shown else log,
                stderr=log,
                env=environment,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid(), orphan_signal),
            )
    except OSError as error:
        raise StartError(f"{name} cannot be started in {home}: {error.strerror}.") from error
    if birth := _birth(process.pid):
        # Only a help for the run after a crash, which the kernel's signal nearly always makes needless.
        with contextlib.suppress(OSError):
            (home / f"{name}.pid").write_text(f"{process.pid} {birth[0]} {os.getpid()}")
    return process


def _end_with(parent: int, orphan_signal: signal.Signals) -> Callable[[], None] | None:
    if (libc := _libc) is None:
        return None

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the kernel knew
            os._exit(1)

    return bind


def stop_process(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Ask a process to end; end it and all that it started once `seconds` have passed."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(seconds, 0))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_leftover(home: Path, name: str, seconds: float = 10) -> bool:
    """End what an earlier `spawn` left behind when its starter was killed; says whether there was a note of one.

    A process whose starter still lives is left alone.
    """
    note = home / f"{name}.pid"
    try:
        pid, started, parent = note.read_text().split()
    except (OSError, ValueError):
        return False
    deadline = time.monotonic() + seconds
    while (birth := _birth(int(pid))) and birth[0] == started and birth[1] != parent:
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(pid), signal.SIGKILL)
        time.sleep(0.05)
    note.unlink(missing_ok=True)
    return True


def _birth(pid: int) -> tuple[str, str] | None:
    """Return when a process started (in ticks since boot) and who its parent is; None when it has ended."""
    try:
        state, parent, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else (rest[17], parent)


def free_port() -> int:
    """Return a TCP port that is free on loopback now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int, what: str, choose: str) -> None:
    """Raise StartError unless `what` can listen there; `choose` says how to take another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # Connections of an earlier run that the kernel still remembers do not make a port busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reasons = {
                errno.EADDRINUSE: "is in use by another program",
                errno.EACCES: "may not be opened by this user",
                errno.EADDRNOTAVAIL: "is not an address of this machine",
            }
            reason = reasons.get(error.errno or 0, f"cannot be opened: {error.strerror or error}")
            raise StartError(f"{what} cannot listen: {host}:{port} {reason}; {choose}.") from error


def listens(port: int) -> bool:
    """Say whether something on loopback accepts connections at `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""The store: mongod where there is one, otherwise SecantusDB, which speaks the same protocol."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.process import StartError
from backend.embedded.server import Server, prepare_home, start_server


@dataclass(frozen=True)
class Program:
    """A server program: `subfolder` tells whose files lie there, since one cannot read the other's."""

    binary: str
    title: str
    subfolder: str
    command: Callable[[str, int, Path], list[str]]


def start_store(folder: Path, port: int = 0, *, programs: Sequence[str] = ()) -> Server:
    """Start the store in `folder` on loopback, with each acknowledged write on disk.

    The first of mongod, secantusd-rs and secantusd-py that is installed (or of `programs`), but never one that cannot
    read the data that is there already. `port` 0 takes a free one. Raises StartError.
    """
    program, binary = _choose(folder, programs or tuple(PROGRAMS))
    port = prepare_home(folder, "The store", port, "QINGXU_STORE_PORT")
    data = folder / program.subfolder
    try:
        data.mkdir(exist_ok=True)
        command = program.command(binary, port, data)
    except OSError as error:
        raise StartError(f"The store cannot use {data}: {error.strerror}.") from error
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    server = start_server(program.title, url, command, folder, port)
    if program.binary == "mongod":
        # Loaded here alone: the driver takes as much memory as the whole supervisor.
        from backend.embedded.replica_set import make_primary

        try:
            make_primary(url, port)
        except BaseException:
            server.stop()
            raise
    return server


def _choose(folder: Path, programs: Sequence[str]) -> tuple[Program, str]:
    """Return the program to run and where it is."""
    used = {program.subfolder for program in PROGRAMS.values() if (folder / program.subfolder).exists()}
    beside_python = str(Path(sys.executable).parent)
    for name in programs:
        program = PROGRAMS[name]
        binary = shutil.which(name, path=beside_python) or shutil.which(name)
        if binary and (not used or program.subfolder in used):
            return program, binary
    if used:
        raise StartError(f"The data in {folder} is {' and '.join(sorted(used))}'s, which is not installed any more.")
    raise StartError("No store is at hand: set QINGXU_MONGODB_URL, or install mongod or the package secantusdb.")


def _mongod(binary: str, port: int, data: Path) -> list[str]:
    command = [binary, "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(data)]
    return [*command, "--replSet", "qingxu", "--wiredTigerCacheSizeGB", "0.5"]


def _secantusd(binary: str, port: int, data: Path) -> list[str]:
    # An empty file of its own: otherwise it takes settings from whatever secantusd.toml it finds on the machine.
    config = data.parent / "secantusd.toml"
    config.touch()
    command = [binary, "--config", str(config), "--port", str(port), "--storage-path", str(data)]
    return [*command, "--sync-on-commit", "--cache-size", "512M", "--log-level", "WARNING"]


def _secantusd_rs(binary: str, port: int, data: Path) -> list[str]:
    # The records are logged before each commit as ever. The oplog, which is for change streams alone, is not: nobody
    # reads it here, and it would double what every write has to bring to the disk.
    return [*_secantusd(binary, port, data), "--log-file-max", "128MB", "--oplog-nonlogged"]


PROGRAMS = {
    "mongod": Program("mongod", "MongoDB (mongod)", "mongod", _mongod),
    "secantusd-rs": Program("secantusd-rs", "SecantusDB (secantusd-rs)", "secantusdb", _secantusd_rs),
    "secantusd-py": Program("secantusd-py", "SecantusDB (secantusd-py)", "secantusdb", _secantusd),
}

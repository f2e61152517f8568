"""The data folder: whose it is, whether it can be written, and what state it was left in."""

from __future__ import annotations

import base64
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import __version__
from backend.embedded import StartError

#: Grows when an older platform could no longer read what a newer one writes here.
FORMAT = 1
ABOUT, LOCK, SECRETS, RUNNING, ACCOUNTS = "about.json", "lock", "secrets", "running.env", "accounts.json"
#: Room that a start needs: for a new folder, and for one whose files are there already.
ENOUGH_BYTES, ENOUGH_MORE_BYTES = 300_000_000, 50_000_000
CHOOSE = "choose another folder with QINGXU_DATA_DIR"


@dataclass
class DataFolder:
    """The folder of one platform on one machine, locked for as long as this process lives.

    `prepared` tells whether its database was ever brought up to the end.
    """

    path: Path
    mode: str
    prepared: bool
    lock: int

    @classmethod
    def open(cls, path: Path, mode: str) -> DataFolder:
        """Make the folder or take over an existing one; raises StartError with one sentence."""
        path = path.absolute()
        try:
            _make(path)
            lock = _lock(path)
            _try_writing(path, ENOUGH_MORE_BYTES if (path / ABOUT).exists() else ENOUGH_BYTES)
            about = _about(path, mode)
        except OSError as error:
            raise StartError(_sentence(path, error)) from error
        return cls(path, mode, bool(about["prepared"]), lock)

    def note_prepared(self) -> None:
        """Note that the database is complete."""
        self.prepared = True
        _write(self.path / ABOUT, json.dumps(_facts(self.mode, prepared=True)))

    def forget_half_made(self) -> bool:
        """Remove what a first start left that was interrupted, so that it begins anew; says whether there was any."""
        if self.prepared or not (self.path / "store").exists():
            return False
        for name in ("store", "redis", "blobs"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        return True

    def master_key(self) -> str:
        """Return the demo's key-encryption key, made once; raises StartError when it was lost."""
        file = self.path / SECRETS
        if not file.exists():
            if self.prepared:
                raise StartError(
                    f"{file} is missing, and without it the private data in {self.path} cannot be read: "
                    "put it back, or remove the folder to begin anew."
                )
            _write(file, f"QINGXU_MASTER_KEY={base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        try:
            return _variables(file)["QINGXU_MASTER_KEY"]
        except (OSError, KeyError) as error:
            raise StartError(f"{file} cannot be read: {error}.") from error

    def note_running(self, environment: Mapping[str, str]) -> None:
        """Write down how the running platform is reached, for the other commands."""
        _write(self.path / RUNNING, "".join(f"{name}={value}\n" for name, value in sorted(environment.items())))

    def accounts(self) -> list[tuple[str, str, str]]:
        """Return who may log in to the demo: what the person is, account, password."""
        try:
            return [
                (who, account, password) for who, account, password in json.loads((self.path / ACCOUNTS).read_text())
            ]
        except (OSError, ValueError):
            return []

    def free_bytes(self) -> int:
        """Return how much room the disk has left."""
        return shutil.disk_usage(self.path).free

    def close(self) -> None:
        """Give the folder up."""
        (self.path / RUNNING).unlink(missing_ok=True)
        os.close(self.lock)


def adopt_running(path: Path) -> None:
    """Let this command work on the platform that runs in the folder `path`, where the environment says nothing else."""
    if not _is_locked(path):
        return
    for file in (path / RUNNING, path / SECRETS):
        if file.exists():
            for name, value in _variables(file).items():
                os.environ.setdefault(name, value)


def note_accounts(path: Path, accounts: list[tuple[str, str, str]]) -> None:
    """Keep the demo accounts for `run` to print: what the person is, account, password."""
    _write(path / ACCOUNTS, json.dumps(accounts, ensure_ascii=False))


def _make(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise StartError(f"{path} is not a folder; {CHOOSE}.")
    path.mkdir(parents=True, exist_ok=True)
    if not (path / ABOUT).exists() and any(each.name != LOCK for each in path.iterdir()):
        raise StartError(f"{path} is not empty and not a data folder of Qingxu; {CHOOSE}.")


def _lock(path: Path) -> int:
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock, 20).decode() or "unknown"
        os.close(lock)
        raise StartError(f"{path} is in use by a platform that is running (process {owner}); {CHOOSE}.") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _about(path: Path, mode: str) -> dict[str, Any]:
    file = path / ABOUT
    if not file.exists():
        path.chmod(0o700)
        about = _facts(mode, prepared=False)
        _write(file, json.dumps(about))
        return about
    try:
        about = json.loads(file.read_text())
        found, made_for = int(about["format"]), str(about["mode"])
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(f"{file} is damaged; put it back from a copy, or {CHOOSE}.") from error
    if found > FORMAT:
        raise StartError(
            f"{path} was written by Qingxu {about.get('version')}, which is newer than this one ({__version__}): "
            f"update Qingxu, or {CHOOSE}."
        )
    if made_for != mode:
        raise StartError(f"{path} was made in {made_for} mode and is not used in {mode} mode; {CHOOSE}.")
    return about


def _facts(mode: str, *, prepared: bool) -> dict[str, Any]:
    return {"format": FORMAT, "version": __version__, "mode": mode, "prepared": prepared}


def _try_writing(path: Path, enough: int) -> None:
    """Find out now, and not in the middle of the work, that the disk is full or read-only."""
    free = shutil.disk_usage(path).free
    if free < enough:
        megabytes = f"{free // 1_000_000} MB left, {enough // 1_000_000} needed"
        raise StartError(f"The disk of {path} is full ({megabytes}): make room, or {CHOOSE}.")
    probe = path / "probe"
    with probe.open("wb") as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())
    probe.unlink()


def _write(file: Path, text: str) -> None:
    """Replace a file whole, readable by its owner alone."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StartError(_sentence(file, error)) from error


def _variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk of {path} is full: make room, or {CHOOSE}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        place = error.filename or path
        return f"{place} may not be written by this user ({error.strerror}): change its owner or rights, or {CHOOSE}."
    return f"{path} cannot be used as the data folder ({error.strerror or error}); {CHOOSE}."

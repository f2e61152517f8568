"""Objects as files of a local folder: a name either holds all of its bytes, safe on the disk, or does not exist."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.blobs.errors import BlobMissing, BlobStoreFull, BlobStoreUnavailable

READ_BYTES = 1 << 20
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FolderStore:
    """Keeps each object at `<root>/<first two letters>/<name>`, readable by the platform's account alone."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Store an object; raises BlobStoreFull or BlobStoreUnavailable and then leaves nothing behind."""
        path = self._path(name)
        unfinished = path.with_suffix(".part")
        with _named_errors(name):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.writelines(content)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.rename(path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
            _sync(path.parent)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the object's bytes in parts; raises BlobMissing."""
        with _named_errors(name), self._path(name).open("rb", buffering=0) as file:
            while part := file.read(READ_BYTES):
                yield part

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""
        with _named_errors(name):
            self._path(name).unlink(missing_ok=True)

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Yield the names of the objects written so long ago; removes unfinished ones of that age on the way."""
        before = time.time() - older_than_seconds
        for path in self.root.glob("??/*"):
            try:
                if path.stat().st_mtime > before:
                    continue
            except FileNotFoundError:  # removed meanwhile
                continue
            if path.suffix == ".part":
                path.unlink(missing_ok=True)
            else:
                yield path.name

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / name


@contextmanager
def _named_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissing(name) from error
    except OSError as error:
        raise (BlobStoreFull() if error.errno in NO_ROOM else BlobStoreUnavailable()) from error


def _sync(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A data folder of its own for each test, and ways to spoil what lies there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backend import blobs, protection, settings, storage
from backend.settings import Settings

#: The district of the tests.
SPACE = "33"


@pytest.fixture
def folder(clean: Settings, tmp_path: Path) -> Iterator[Path]:
    """Give the test a data folder of its own."""
    protection.forget_keys()  # those of the database that `clean` has just emptied
    settings.configure(replace(clean, data_dir=tmp_path))
    blobs.ensure_indexes()
    yield tmp_path / "blobs"
    blobs.install_users([])
    settings.configure(clean)


def objects(folder: Path) -> list[Path]:
    """Return the files of all objects, unfinished ones too."""
    return [path for path in folder.glob("??/*") if path.is_file()]


def path_of(folder: Path, sha256: str) -> Path:
    """Return the file of a blob's object."""
    record = storage.database()["blobs"].find_one({"sha256": sha256})
    assert record is not None
    return folder / record["object"][:2] / record["object"]


@dataclass
class Kept:
    """A blob and its content."""

    content: bytes
    sha256: str


def keep(content: bytes, **options: str) -> Kept:
    """Put a blob."""
    return Kept(content, blobs.put(content, media_type="image/png", space=SPACE, **options).sha256)


def flip(path: Path, place: int, bit: int = 0) -> None:
    """Flip one bit of a file."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))

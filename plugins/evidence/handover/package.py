"""Write a package: a zip of one possible form (docs/package.md), signed, streamed, never whole in memory."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.hashes import SM3, Hash

from plugins.evidence.handover import verify_evidence as form

FORMAT, VERSION = "qingxu-evidence-package", 1
CHUNK_BYTES = 1 << 20
#: A zip without zip64 says sizes in 32 bits and counts entries in 16; the highest values mean something else.
MOST_BYTES, MOST_FILES = (1 << 32) - 2, 65_534
VERIFIER = Path(form.__file__)


class PackageRefused(Exception):
    """A package cannot be made; the text says why, in Chinese."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file of a package. `read` gives its content from the beginning, as often as it is called.

    `more` are further members for the manifest, such as `derived_from` and `made_by`.
    """

    path: str
    role: str
    title: str
    media_type: str
    sha256: str
    sm3: str
    read: Callable[[], Iterable[bytes]]
    more: Mapping[str, Any] = field(default_factory=dict)


class Measure(NamedTuple):
    """Size in bytes and CRC-32 of a file's content."""

    size: int
    crc: int


@dataclass(frozen=True)
class Signer:
    """A key that signs: its algorithm, its fingerprint, and what it makes of bytes (algorithm, key_id, value)."""

    algorithm: str
    fingerprint: str
    sign: Callable[[bytes], Mapping[str, str]]


@dataclass(frozen=True)
class Package:
    """A package ready to be written: the same bytes each time."""

    manifest: bytes
    signature: bytes
    items: Sequence[Item]
    measures: Mapping[str, Measure]

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return 22 + sum(len(name.encode()) * 2 + 76 + size for name, _, _, size in self._entries())

    def chunks(self) -> Iterator[bytes]:
        """Yield the file from its first byte to its last."""
        offset, directory = 0, b""
        for name, content, crc, size in self._entries():
            encoded = name.encode()
            directory += form.central_record(encoded, crc, size, offset)
            header = form.local_header(encoded, crc, size)
            yield header
            yield from content()
            offset += len(header) + size
        yield directory + form.end_record(len(self.items) + 2, len(directory), offset)

    def _entries(self) -> Iterator[tuple[str, Callable[[], Iterable[bytes]], int, int]]:
        for name, content in ((form.MANIFEST, self.manifest), (form.SIGNATURE, self.signature)):
            yield name, lambda content=content: [content], zlib.crc32(content), len(content)  # type: ignore[misc]
        for item in self.items:
            yield item.path, item.read, self.measures[item.path].crc, self.measures[item.path].size


def seal(facts: Mapping[str, Any], items: Sequence[Item], measures: Mapping[str, Measure], signer: Signer) -> Package:
    """Return a package with a signed manifest: `facts` (case, made, captures) and all files, each `measured` by path.

    The first two items are `certificate.pem` and `ledger.json`. Raises PackageRefused for too much.
    """
    described = [
        {
            **{name: getattr(item, name) for name in ("path", "role", "title", "media_type", "sha256", "sm3")},
            **item.more,
            "size": measures[item.path].size,
            "crc32": measures[item.path].crc,
        }
        for item in items
    ]
    head = {"format": FORMAT, "version": VERSION, "algorithm": signer.algorithm, "key": signer.fingerprint}
    manifest = canonical({**head, **facts, "files": described})
    package = Package(manifest, canonical(signer.sign(form.SIGNED + manifest)), items, measures)
    if package.size > MOST_BYTES or len(items) > MOST_FILES:
        raise PackageRefused("移送包超过 4 GB，无法制作。请先拆分案件。")
    return package


def measured(item: Item) -> Measure:
    """Read a file once for its size and CRC-32; raises PackageRefused when its hashes are not those of the record."""
    crc, size, digest, chinese = 0, 0, hashlib.sha256(), Hash(SM3())
    for chunk in item.read():
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        digest.update(chunk)
        chinese.update(chunk)
    if (digest.hexdigest(), chinese.finalize().hex()) != (item.sha256, item.sm3):
        raise PackageRefused(f"{item.title}的内容与收取时登记的哈希值不符，已停止制作。")
    return Measure(size, crc)


def small_item(path: str, role: str, title: str, media_type: str, content: bytes, **more: Any) -> Item:
    """Return a file whose content is at hand."""
    chinese = Hash(SM3())
    chinese.update(content)
    return Item(
        path=path,
        role=role,
        title=title,
        media_type=media_type,
        sha256=hashlib.sha256(content).hexdigest(),
        sm3=chinese.finalize().hex(),
        read=lambda: [content],
        more=more,
    )


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return JSON in the one form that a package holds: sorted members, no spaces, UTF-8."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Stream(io.RawIOBase):
    """Chunks as a file that can be read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the present chunk goes; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

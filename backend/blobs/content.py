"""Blobs by content, within a space: the record in Mongo is the blob, the object in the store is only its bytes.

A space is a district. The same content is kept once in each, and what is destroyed in one lives on in another.

A put first writes a fresh object under a random name, then the record that points to it. So a process killed
anywhere leaves either a whole blob or an object that nothing points to, which `remove_orphans` clears away; and of
two puts of the same content one record wins and the other's object goes. The names of objects say nothing about
their content, and without the record, which holds the wrapped key, the bytes are noise. So a blob is shredded by
taking the key out of its record.
"""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from cryptography.hazmat.primitives.hashes import SM3, Hash
from pymongo.errors import DuplicateKeyError

from backend import protection, settings, storage
from backend.blobs import cipher
from backend.blobs.errors import BlobDamaged, BlobMissing, BlobShredded
from backend.blobs.folder import FolderStore

if TYPE_CHECKING:
    from backend.blobs.s3 import BucketStore

COLLECTION = "blobs"
CHUNK_BYTES = 256 * 1024
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class BlobRef:
    """What to keep of a stored blob: SHA-256 and SM3 of the plain content in hex, its size in bytes, its media type."""

    sha256: str
    sm3: str
    size: int
    media_type: str


class ObjectStore(Protocol):
    """What a place for objects can do."""

    def write(self, name: str, content: Iterable[bytes]) -> None: ...  # noqa: D102
    def read(self, name: str) -> Iterator[bytes]: ...  # noqa: D102
    def delete(self, name: str) -> None: ...  # noqa: D102
    def names(self, *, older_than_seconds: float) -> Iterator[str]: ...  # noqa: D102


def put(data: bytes | BinaryIO, *, media_type: str, space: str) -> BlobRef:
    """Store content and return its name; content that is there already is read back first and renewed if damaged.

    A stream is read once from where it stands, in small parts. `space` is the district. Call it before the transaction
    that will refer to the blob, not inside. Raises BlobStoreFull or BlobStoreUnavailable, and then nothing is stored.
    """
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    fresh = _write(source, media_type, space)
    kept = _keep(fresh)
    if kept["object"] != fresh["object"]:
        _objects().delete(fresh["object"])
    return BlobRef(kept["sha256"], kept["sm3"], kept["size"], kept["media_type"])


def get(sha256: str, *, space: str) -> bytes:
    """Return the whole plain content; raises BlobMissing, BlobShredded or BlobDamaged."""
    return b"".join(open_blob(sha256, space=space))


def open_blob(sha256: str, *, space: str) -> Iterator[bytes]:
    """Yield the plain content in chunks, each proved genuine before it is given out.

    Raises BlobMissing or BlobShredded at once; BlobDamaged on the way, so treat what came as incomplete until the end
    is reached.
    """
    record = _records().find_one({"_id": _name(space, sha256)})
    if record is None:
        raise BlobMissing(sha256)
    if record["object"] is None:
        raise BlobShredded(sha256)
    return _read(record)


def exists(sha256: str, *, space: str) -> bool:
    """Say whether a blob of this name was stored, and not shredded since."""
    return _records().find_one({"_id": _name(space, sha256), "object": {"$ne": None}}, {"_id": 1}) is not None


def shred(sha256: str, *, space: str, put_before: datetime | None = None) -> bool:
    """Destroy the key of a blob, then its object; returns whether there was one to destroy.

    The record stays, with hash, size and the time. Look first that nothing in the district refers to the blob. Content
    that is put again meanwhile is not refused by that look: `put_before` leaves alone what was put at that time or
    later. Killed in between, the object is noise that `remove_orphans` clears away.
    """
    condition: dict[str, Any] = {"_id": _name(space, sha256), "object": {"$ne": None}}
    if put_before is not None:
        condition["put_at"] = {"$lt": put_before}
    gone = {"object": None, "key": None, "shredded_at": storage.utcnow()}
    record = _records().find_one_and_update(condition, {"$set": gone})
    if record is None:
        return False
    _objects().delete(record["object"])
    return True


def remove_orphans(*, older_than_seconds: float = DAY_SECONDS) -> int:
    """Delete objects that no record points to and return how many: what killed processes left behind.

    The age must exceed the longest upload, or a blob being put would lose its object.
    """
    _records().create_index("object")  # only asked for here; making it again costs nothing
    removed = 0
    names = _objects().names(older_than_seconds=older_than_seconds)
    while batch := list(islice(names, 500)):
        kept = {record["object"] for record in _records().find({"object": {"$in": batch}}, {"object": 1})}
        for name in set(batch) - kept:
            _objects().delete(name)
            removed += 1
    return removed


def _write(source: BinaryIO, media_type: str, space: str) -> dict[str, Any]:
    """Encrypt the stream into a new object; returns the record that would make it a blob."""
    digest, chinese, size = hashlib.sha256(), Hash(SM3()), 0

    def measured() -> Iterator[bytes]:
        nonlocal size
        while part := source.read(CHUNK_BYTES):
            digest.update(part)
            chinese.update(part)
            size += len(part)
            yield part

    key, name = os.urandom(cipher.KEY_BYTES), uuid.uuid4().hex
    _objects().write(name, cipher.encrypt(measured(), key, CHUNK_BYTES))
    sha256 = digest.hexdigest()
    now = storage.utcnow()
    return {
        "_id": _name(space, sha256),
        "space": space,
        "sha256": sha256,
        "sm3": chinese.finalize().hex(),
        "size": size,
        "media_type": media_type,
        "object": name,
        "key": protection.seal(key, _purpose(space, sha256)),
        "chunk": CHUNK_BYTES,
        "created_at": now,
        "put_at": now,
    }


def _keep(fresh: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record that stands for this content from now on: an older sound one, else the fresh one."""
    kept = _records().find_one({"_id": fresh["_id"]})
    if kept is None:
        try:
            _records().insert_one(dict(fresh))
            return fresh
        except DuplicateKeyError:  # another process was faster
            return _keep(fresh)
    taken = {"put_at": fresh["put_at"]}
    if kept["object"] is None:
        taken = {name: value for name, value in fresh.items() if name != "_id"}
    elif not _intact(kept):
        taken |= {name: fresh[name] for name in ("object", "key", "chunk")}
    found = {"_id": kept["_id"], "object": kept["object"]}
    if not _records().update_one(found, {"$set": taken}).matched_count:  # healed, shredded or put anew meanwhile
        return _keep(fresh)
    if kept["object"] is not None and "object" in taken:
        _objects().delete(kept["object"])
    return {**kept, **taken}


def _intact(record: Mapping[str, Any]) -> bool:
    try:
        for _ in _read(record):
            pass
    except (BlobMissing, BlobDamaged):
        return False
    return True


def _read(record: Mapping[str, Any]) -> Iterator[bytes]:
    sha256 = record["sha256"]
    try:
        key = protection.open_sealed(record["key"], _purpose(record["space"], sha256))
    except (protection.TamperedError, protection.UnknownKeyVersion) as error:
        raise BlobDamaged(sha256) from error
    try:
        yield from cipher.decrypt(_objects().read(record["object"]), key, record["chunk"])
    except cipher.StreamDamaged as error:
        raise BlobDamaged(sha256) from error
    except BlobMissing as error:  # name the blob, not its object
        raise BlobMissing(sha256) from error


def _name(space: str, sha256: str) -> str:
    if not space:
        raise ValueError("A blob belongs to a district.")
    return f"{space}/{sha256}"


def _purpose(space: str, sha256: str) -> bytes:
    """Bind a wrapped key to its blob, so that the records of two blobs cannot be exchanged."""
    return f"blob:{_name(space, sha256)}".encode()


def _records() -> Any:
    return storage.database()[COLLECTION]


def _objects() -> ObjectStore:
    chosen = settings.current()
    if not chosen.blob_store:
        return FolderStore(chosen.data_dir / "blobs")
    return _bucket(chosen.blob_store, chosen.s3_endpoint, chosen.s3_region, chosen.s3_access_key, chosen.s3_secret_key)


@lru_cache(maxsize=1)
def _bucket(url: str, endpoint: str, region: str, access_key: str, secret_key: str) -> BucketStore:
    from backend.blobs.s3 import BucketStore  # 6 MB in every process, for those who use it

    return BucketStore(url, endpoint=endpoint, region=region, access_key=access_key, secret_key=secret_key)

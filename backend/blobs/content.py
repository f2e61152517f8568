"""Blobs by content, within a space: the record in Mongo is the blob, the object in the store is only its bytes.

A space is a district. The same content is kept once in each, and what is destroyed in one lives on in another.

A put first writes a fresh object under a random name, then the record that points to it. So a process killed
anywhere leaves either a whole blob or an object that nothing points to, which `remove_orphans` clears away; and of
two puts of the same content one record wins and the other's object goes. The names of objects say nothing about
their content, and without the record, which holds the wrapped key, the bytes are noise. So a blob is shredded by
taking the key out of its record.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from pymongo.errors import DuplicateKeyError

from backend import storage
from backend.blobs.errors import BlobDamaged, BlobMissing, BlobShredded
from backend.blobs.hashing import Digests, measured
from backend.blobs.objects import CHUNK_BYTES, POINTING, ObjectDamaged, objects, read_encrypted, write_encrypted
from backend.blobs.records import binding, key_name, records


@dataclass(frozen=True)
class BlobRef:
    """What to keep of a stored blob: SHA-256 and SM3 of the plain content in hex, its size in bytes, its media type."""

    sha256: str
    sm3: str
    size: int
    media_type: str


def put(data: bytes | BinaryIO, *, media_type: str, space: str, user: str = "") -> BlobRef:
    """Store content and return its name; content that is there already is read back first and renewed if damaged.

    A stream is read once from where it stands, in small parts. `space` is the district. `user` is the name of the
    BlobUser that knows what refers to the blob; without one nobody ever takes it away when nothing does. Call it before
    the transaction that will refer to the blob, not inside. Raises BlobStoreFull or BlobStoreUnavailable, and then
    nothing is stored.
    """
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    fresh = _write(source, media_type, space, user)
    kept = _keep(fresh)
    if kept["object"] != fresh["object"]:
        objects().delete(fresh["object"])
    return BlobRef(kept["sha256"], kept["sm3"], kept["size"], kept["media_type"])


def get(sha256: str, *, space: str) -> bytes:
    """Return the whole plain content; raises BlobMissing, BlobShredded or BlobDamaged."""
    return b"".join(open_blob(sha256, space=space))


def open_blob(sha256: str, *, space: str) -> Iterator[bytes]:
    """Yield the plain content in chunks, each proved genuine before it is given out.

    Raises BlobMissing or BlobShredded at once; BlobDamaged on the way, so treat what came as incomplete until the end
    is reached.
    """
    record = records().find_one({"_id": key_name(space, sha256)})
    if record is None:
        raise BlobMissing(sha256)
    if record["object"] is None:
        raise BlobShredded(sha256)
    return read_record(record)


def exists(sha256: str, *, space: str) -> bool:
    """Say whether a blob of this name was stored, and not shredded since."""
    return records().find_one({"_id": key_name(space, sha256), "object": {"$ne": None}}, {"_id": 1}) is not None


def shred(sha256: str, *, space: str, put_before: datetime | None = None) -> bool:
    """Destroy the key of a blob, then its object; returns whether there was one to destroy.

    The record stays, with hash, size and the time. Look first that nothing in the district refers to the blob. Content
    that is put again meanwhile is not refused by that look: `put_before` leaves alone what was put at that time or
    later. Killed in between, the object is noise that `remove_orphans` clears away.
    """
    condition: dict[str, Any] = {"_id": key_name(space, sha256), "object": {"$ne": None}}
    if put_before is not None:
        condition["put_at"] = {"$lt": put_before}
    gone = {"object": None, "key": None, "unsettled": False, "shredded_at": storage.utcnow()}
    record = records().find_one_and_update(condition, {"$set": gone})
    if record is None:
        return False
    objects().delete(record["object"])
    return True


def read_record(record: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the plain content of a blob whose record was read; raises BlobDamaged or BlobMissing on the way."""
    sha256 = record["sha256"]
    try:
        yield from read_encrypted(record, binding(record["space"], sha256))
    except ObjectDamaged as error:
        raise BlobDamaged(sha256, chunk=error.chunk) from error
    except BlobMissing as error:  # name the blob, not its object
        raise BlobMissing(sha256) from error


def _write(source: BinaryIO, media_type: str, space: str, user: str) -> dict[str, Any]:
    """Encrypt the stream into a new object; returns the record that would make it a blob."""
    found = Digests()
    pointing = write_encrypted(measured(source, CHUNK_BYTES, found), lambda: binding(space, found.sha256))
    now = storage.utcnow()
    return {
        "_id": key_name(space, found.sha256),
        "space": space,
        "sha256": found.sha256,
        "sm3": found.sm3,
        "size": found.size,
        "media_type": media_type,
        **pointing,
        "created_at": now,
        "put_at": now,
        "users": [user],
        "unsettled": True,
    }


def _keep(fresh: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record that stands for this content from now on: an older sound one, else the fresh one."""
    kept = records().find_one({"_id": fresh["_id"]})
    if kept is None:
        try:
            records().insert_one(dict(fresh))
            return fresh
        except DuplicateKeyError:  # another process was faster
            return _keep(fresh)
    taken = {"put_at": fresh["put_at"], "unsettled": True}
    if kept["object"] is None:
        taken = {name: value for name, value in fresh.items() if name not in ("_id", "users")}
    elif not _intact(kept):
        taken |= {name: fresh[name] for name in POINTING}
    found = {"_id": kept["_id"], "object": kept["object"]}
    change = {"$set": taken, "$addToSet": {"users": fresh["users"][0]}}
    if not records().update_one(found, change).matched_count:  # healed, shredded or put anew meanwhile
        return _keep(fresh)
    if kept["object"] is not None and "object" in taken:
        objects().delete(kept["object"])
    return {**kept, **taken}


def _intact(record: Mapping[str, Any]) -> bool:
    try:
        for _ in read_record(record):
            pass
    except (BlobMissing, BlobDamaged):
        return False
    return True

"""Encrypted objects: written and read as streams, in a folder or in S3, and pointed to by a record.

The pointing fields of a record are `object` (a random name that tells nothing), `cipher`, `chunk` (plain bytes) and
`key` (the object's own key, wrapped). Without the record the bytes are noise.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from backend import protection, settings
from backend.blobs import cipher
from backend.blobs.folder import FolderStore

if TYPE_CHECKING:
    from backend.blobs.s3 import BucketStore

CHUNK_BYTES = 256 * 1024
POINTING = ("object", "key", "cipher", "chunk")


class ObjectDamaged(Exception):
    """The bytes are not those that were written; `chunk` is the first that does not open, None for the key itself."""

    def __init__(self, chunk: int | None) -> None:
        super().__init__(f"Chunk {chunk} does not open." if chunk is not None else "The key does not open.")
        self.chunk = chunk


class ObjectStore(Protocol):
    """What a place for objects can do."""

    def write(self, name: str, content: Iterable[bytes]) -> None: ...  # noqa: D102
    def read(self, name: str) -> Iterator[bytes]: ...  # noqa: D102
    def delete(self, name: str) -> None: ...  # noqa: D102
    def names(self, *, older_than_seconds: float) -> Iterator[str]: ...  # noqa: D102


def write_encrypted(content: Iterable[bytes], binding: Callable[[], bytes]) -> dict[str, Any]:
    """Encrypt a stream into a new object and return the pointing fields.

    The wrapped key opens only for the `binding` that is asked for when the stream is through: it names the record.
    """
    chosen = settings.current().cipher
    key, name = os.urandom(cipher.KEY_BYTES[chosen]), uuid.uuid4().hex
    objects().write(name, cipher.encrypt(content, key, CHUNK_BYTES, chosen))
    return {"object": name, "cipher": chosen, "chunk": CHUNK_BYTES, "key": protection.seal(key, binding())}


def read_encrypted(record: Mapping[str, Any], binding: bytes) -> Iterator[bytes]:
    """Yield the plain chunks of the object that a record points to; raises ObjectDamaged, or BlobMissing."""
    try:
        key = protection.open_sealed(record["key"], binding)
    except (protection.TamperedError, protection.UnknownKeyVersion) as error:
        raise ObjectDamaged(None) from error
    try:
        yield from cipher.decrypt(objects().read(record["object"]), key, record["chunk"], record["cipher"])
    except cipher.StreamDamaged as error:
        raise ObjectDamaged(error.chunk) from error


def objects() -> ObjectStore:
    """Return the place that the settings name."""
    chosen = settings.current()
    if not chosen.blob_store:
        return FolderStore(chosen.data_dir / "blobs")
    return _bucket(chosen.blob_store, chosen.s3_endpoint, chosen.s3_region, chosen.s3_access_key, chosen.s3_secret_key)


@lru_cache(maxsize=1)
def _bucket(url: str, endpoint: str, region: str, access_key: str, secret_key: str) -> BucketStore:
    from backend.blobs.s3 import BucketStore  # 6 MB in every process, for those who use it

    return BucketStore(url, endpoint=endpoint, region=region, access_key=access_key, secret_key=secret_key)

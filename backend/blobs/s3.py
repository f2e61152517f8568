"""Objects in an S3-compatible service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, cast

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from backend.blobs.cipher import pieces
from backend.blobs.errors import BlobMissing, BlobStoreUnavailable

if TYPE_CHECKING:
    from obstore.store import S3Config

READ_BYTES = 1 << 20
# A photo goes up in one request; a video in parts, of which at most this many wait in memory.
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2


class BucketStore:
    """Keeps each object under the prefix of one bucket; a name shows only when its upload is complete."""

    def __init__(self, url: str, *, endpoint: str, region: str, access_key: str, secret_key: str) -> None:
        options = {
            "endpoint": endpoint,
            "region": region,
            "access_key_id": access_key,
            "secret_access_key": secret_key,
        }
        # What is not set is taken from the usual AWS variables or the machine's role.
        self._store = S3Store.from_url(
            url,
            config=cast("S3Config", {name: value for name, value in options.items() if value}),
            client_options={"allow_http": True, "timeout": timedelta(seconds=60)},
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=30)},
        )

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Store an object; raises BlobStoreUnavailable and then leaves nothing visible."""
        with _named_errors():
            parts = pieces(content, PART_BYTES)
            first, complete = next(parts)
            if complete:
                obstore.put(self._store, name, first, use_multipart=False)
            else:
                whole = chain([first], (part for part, _ in parts))
                obstore.put(self._store, name, whole, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the object's bytes in parts, from one request; raises BlobMissing."""
        with _named_errors():
            try:
                for part in obstore.get(self._store, name).stream(min_chunk_size=READ_BYTES):
                    yield bytes(part)
            except (NotFoundError, FileNotFoundError) as error:
                raise BlobMissing(name) from error

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""
        with _named_errors():
            obstore.delete(self._store, name)

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Yield the names of the objects written so long ago; unfinished uploads are the bucket's lifecycle rule's."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        with _named_errors():
            for page in obstore.list(self._store):
                yield from (each["path"] for each in page if each["last_modified"] <= before)


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise BlobStoreUnavailable from error

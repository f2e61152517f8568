"""Uploads that continue after an interruption: a file comes in parts, each an encrypted object, in order.

The record says how far the upload is, and moves only when the bytes of a part are safe: whoever is killed before that
leaves an object that nothing points to. Of two that write at the same place, one moves the record and the other is
told so.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from bson import ObjectId

from backend import settings, storage
from backend.blobs.errors import BlobDamaged
from backend.blobs.objects import ObjectDamaged, objects, read_encrypted, write_encrypted
from backend.blobs.records import uploads

#: A part is at most so long: what is lost when the process is killed, in bytes.
PART_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file on its way: `offset` of its `size` bytes are safe; `metadata` is what the client said of it."""

    id: str
    owner: str
    size: int
    offset: int
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether all bytes are there."""
        return self.offset == self.size


class UploadMissing(Exception):
    """There is no such upload, or it is another person's, or it has expired."""


class UploadMoved(Exception):
    """Another request has written at this place, or the client is wrong about it."""


class UploadOverrun(Exception):
    """More bytes came than the upload has room for."""


class TooManyUploads(Exception):
    """The person has as many uploads under way as the settings allow."""


def begin(owner: str, size: int, metadata: Mapping[str, str]) -> Upload:
    """Make room for a file of `size` bytes; raises TooManyUploads (requests at once may slip one past)."""
    chosen, now = settings.current(), storage.utcnow()
    if uploads().count_documents({"owner": owner, "expires_at": {"$gt": now}}) >= chosen.max_open_uploads:
        raise TooManyUploads
    row = {
        "_id": str(ObjectId()),
        "owner": owner,
        "size": size,
        "offset": 0,
        "metadata": dict(metadata),
        "parts": [],
        "created_at": now,
        "expires_at": now + timedelta(hours=chosen.upload_hours),
    }
    uploads().insert_one(row)
    return _upload(row)


def find(upload_id: str, owner: str) -> Upload:
    """Return a person's own upload; raises UploadMissing."""
    return _upload(_row(upload_id, owner))


def append(upload: Upload, content: Iterable[bytes]) -> Upload:
    """Add one part at the upload's offset, at most to its end; returns the upload as it then stands.

    Raises UploadMoved when it has moved on, or has gone; UploadOverrun, and what reading the content raises: nothing is
    then added.
    """
    left, taken = upload.size - upload.offset, 0

    def within() -> Iterator[bytes]:
        nonlocal taken
        for piece in content:
            taken += len(piece)
            if taken > left:
                raise UploadOverrun
            yield piece

    binding = _binding(upload.id, upload.offset)
    part = {"start": upload.offset, **write_encrypted(within(), lambda: binding)}
    standing = {"_id": upload.id, "owner": upload.owner, "offset": upload.offset}
    moved = {"$set": {"offset": upload.offset + taken}, "$push": {"parts": {**part, "size": taken}}}
    if taken == 0 or not uploads().update_one(standing, moved).matched_count:
        objects().delete(part["object"])
        if taken:
            raise UploadMoved
    return Upload(**{**vars(upload), "offset": upload.offset + taken})


def read_upload(upload: Upload) -> BinaryIO:
    """Return the plain content of a finished upload as a file that can be read and searched; raises UploadMissing."""
    if not upload.finished:
        raise UploadMissing
    return cast(BinaryIO, io.BufferedReader(_Content(_row(upload.id, upload.owner)), 1 << 20))


def drop_upload(upload_id: str) -> None:
    """Remove an upload and its bytes; one that has gone is no error."""
    row = uploads().find_one_and_delete({"_id": upload_id})
    for part in row["parts"] if row else ():
        objects().delete(part["object"])


def drop_expired() -> int:
    """Remove the uploads whose time is over and return how many: the platform's job `blobs.expire_uploads`."""
    expired = [row["_id"] for row in uploads().find({"expires_at": {"$lte": storage.utcnow()}}, {"_id": 1})]
    for upload_id in expired:
        drop_upload(upload_id)
    return len(expired)


class _Content(io.RawIOBase):
    """The parts of an upload as one file; going back begins with the part that holds the place."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.place = 0
        self.rest = b""
        self.chunks: Iterator[bytes] = iter(())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            following = next(self.chunks, None)
            if following is None:
                if self.place >= self.row["size"]:
                    return 0
                self.chunks = self._from(self.place)
                continue
            self.rest = following
        count = min(len(buffer), len(self.rest))
        buffer[:count] = self.rest[:count]
        self.rest = self.rest[count:]
        self.place += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.row["size"]}[whence]
        self.place = max(0, start + offset)
        self.rest, self.chunks = b"", iter(())
        return self.place

    def tell(self) -> int:
        return self.place

    def _from(self, place: int) -> Iterator[bytes]:
        """Yield the chunks of the part that holds `place`, from there on."""
        part = next(each for each in self.row["parts"] if each["start"] <= place < each["start"] + each["size"])
        skip = place - part["start"]
        try:
            for chunk in read_encrypted(part, _binding(self.row["_id"], part["start"])):
                if skip < len(chunk):
                    yield chunk[skip:]
                skip = max(0, skip - len(chunk))
        except ObjectDamaged as error:
            raise BlobDamaged(self.row["_id"], chunk=error.chunk) from error


def _row(upload_id: str, owner: str) -> dict[str, Any]:
    row = uploads().find_one({"_id": upload_id, "owner": owner, "expires_at": {"$gt": storage.utcnow()}})
    if row is None:
        raise UploadMissing
    return row


def _upload(row: Mapping[str, Any]) -> Upload:
    names = ("owner", "size", "offset", "expires_at", "metadata")
    return Upload(id=row["_id"], **{name: row[name] for name in names})


def _binding(upload_id: str, start: int) -> bytes:
    """Name the one part that a wrapped key is for."""
    return f"upload:{upload_id}:{start}".encode()

"""What can go wrong with a blob; each message is one sentence that a user may read."""

from __future__ import annotations


class BlobError(Exception):
    """Any failure of the blob store."""


class BlobMissing(BlobError):
    """No such blob, or its object has gone from the store."""

    def __init__(self, name: str) -> None:
        super().__init__(f"文件 {name[:12]} 不存在。")


class BlobShredded(BlobMissing):
    """The blob was destroyed on purpose; hash, size and time of that are all that is left."""

    def __init__(self, name: str) -> None:
        BlobError.__init__(self, f"文件 {name[:12]} 已按规定销毁。")


class BlobDamaged(BlobError):
    """The stored bytes are not those that were written: altered, cut short, reordered or exchanged.

    `chunk` is the first one that does not open, counted from 0; None when the blob's key does not.
    """

    def __init__(self, name: str, chunk: int | None = None) -> None:
        super().__init__(f"文件 {name[:12]} 已损坏或被改动，无法读取。")
        self.chunk = chunk


class BlobStoreFull(BlobError):
    """No room is left; nothing of the blob was kept."""

    def __init__(self) -> None:
        super().__init__("文件存储空间已满，请清理或扩容后重试。")


class BlobStoreUnavailable(BlobError):
    """The folder or the S3 service cannot be used; the cause is chained."""

    def __init__(self) -> None:
        super().__init__("文件存储暂时无法使用，请稍后重试。")

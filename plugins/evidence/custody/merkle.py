"""The Merkle tree of RFC 6962 (section 2.1): one hash for many entries, and short proofs that an entry is among them.

Pure functions over bytes. A leaf is hashed behind 0x00, two nodes behind 0x01, so that no node can pass for a leaf.
"""

from __future__ import annotations

from collections.abc import Sequence

from plugins.evidence.custody.canonical import Digest


def leaf(digest: Digest, entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return digest(b"\0" + entry)


def node(digest: Digest, left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes."""
    return digest(b"\1" + left + right)


class Tree:
    """A tree that grows to the right, in memory for its right edge only."""

    def __init__(self, digest: Digest) -> None:
        self.digest = digest
        self.size = 0
        # Roots of the complete trees that the leaves so far make up, the largest first.
        self._complete: list[bytes] = []

    def add(self, entry: bytes) -> None:
        """Add one leaf."""
        digest, size = self.digest, self.size
        fresh = digest(b"\0" + entry)
        while size & 1:
            fresh = digest(b"\1" + self._complete.pop() + fresh)
            size >>= 1
        self._complete.append(fresh)
        self.size += 1

    def root(self) -> bytes:
        """Return the hash of the whole tree; that of an empty one is the hash of nothing."""
        if not self._complete:
            return self.digest(b"")
        *larger, joined = self._complete
        for each in reversed(larger):
            joined = node(self.digest, each, joined)
        return joined


def levels(digest: Digest, entries: Sequence[bytes]) -> list[list[bytes]]:
    """Return every hash of the tree over `entries`, the leaves first; a last node without a partner rises as it is."""
    rows = [[leaf(digest, entry) for entry in entries]]
    while len(row := rows[-1]) > 1:
        pairs = [node(digest, row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        rows.append(pairs + row[len(pairs) * 2 :])
    return rows


def proof(rows: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root, from the bottom up; `rows` come from `levels`."""
    path = []
    for row in rows[:-1]:
        beside = index ^ 1
        if beside < len(row):
            path.append(row[beside])
        index >>= 1
    return path


def proves(digest: Digest, entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves that `entry` is leaf `index` of the tree of `size` leaves with this root.

    Source: RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    found = leaf(digest, entry)
    for beside in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(digest, beside, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node(digest, found, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root

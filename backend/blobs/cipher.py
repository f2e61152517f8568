"""Encryption of a stream in chunks: AES-256-GCM under a key of its own per stream.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption, 2015) with the
nonce of the age file format: 11 bytes chunk number, 1 byte "this is the last chunk". So a chunk that is altered,
moved, repeated, left out or taken from another stream does not open, nor does a stream that was cut short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
TAG_BYTES = 16


class StreamDamaged(Exception):
    """A chunk does not open."""


def pieces(source: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into pieces of `size` bytes, each with whether it is the last; the last may be shorter or empty."""
    waiting = bytearray()
    for part in source:
        waiting += part
        while len(waiting) > size:  # not >=: only what follows tells that a full piece is not the last
            yield bytes(waiting[:size]), False
            del waiting[:size]
    yield bytes(waiting), True


def encrypt(source: Iterable[bytes], key: bytes, chunk: int) -> Iterator[bytes]:
    """Encrypt a stream of any length in chunks of `chunk` plain bytes; `key` must never be used for another stream."""
    aead = AESGCM(key)
    for number, (piece, last) in enumerate(pieces(source, chunk)):
        yield aead.encrypt(_nonce(number, last), piece, None)


def decrypt(source: Iterable[bytes], key: bytes, chunk: int) -> Iterator[bytes]:
    """Reverse `encrypt`, chunk by chunk; raises StreamDamaged, at the latest where the stream should have ended."""
    aead = AESGCM(key)
    for number, (piece, last) in enumerate(pieces(source, chunk + TAG_BYTES)):
        try:
            yield aead.decrypt(_nonce(number, last), piece, None)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
            raise StreamDamaged from error


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])

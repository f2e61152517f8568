"""Encryption of a stream in chunks, by AES-256-GCM or SM4-GCM, under a key of its own per stream.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption, 2015) with the
nonce of the age file format: 11 bytes chunk number, 1 byte "this is the last chunk". So a chunk that is altered,
moved, repeated, left out or taken from another stream does not open, nor does a stream that was cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

#: Length of a key in bytes, by cipher.
KEY_BYTES = {"AES-256-GCM": 32, "SM4-GCM": 16}
TAG_BYTES = 16

#: What encrypts or decrypts one chunk: from nonce and bytes.
Step = Callable[[bytes, bytes], bytes]


class StreamDamaged(Exception):
    """A chunk does not open; `chunk` counts from 0."""

    def __init__(self, chunk: int) -> None:
        super().__init__(f"Chunk {chunk} does not open.")
        self.chunk = chunk


def pieces(source: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into pieces of `size` bytes, each with whether it is the last; the last may be shorter or empty."""
    waiting = b""
    for part in source:
        if len(waiting) == size and part:  # only what follows tells that a full piece is not the last
            yield waiting, False
            waiting = b""
        waiting = waiting + part if waiting else bytes(part)
        whole = (len(waiting) - 1) // size * size
        for start in range(0, whole, size):
            yield waiting[start : start + size], False
        if whole > 0:
            waiting = waiting[whole:]
    yield waiting, True


def encrypt(source: Iterable[bytes], key: bytes, chunk: int, cipher: str) -> Iterator[bytes]:
    """Encrypt a stream of any length in chunks of `chunk` plain bytes; `key` must never be used for another stream."""
    step = _encryption(key, cipher)
    for number, (piece, last) in enumerate(pieces(source, chunk)):
        yield step(_nonce(number, last), piece)


def decrypt(source: Iterable[bytes], key: bytes, chunk: int, cipher: str) -> Iterator[bytes]:
    """Reverse `encrypt`, chunk by chunk; raises StreamDamaged, at the latest where the stream should have ended."""
    step = _decryption(key, cipher)
    for number, (piece, last) in enumerate(pieces(source, chunk + TAG_BYTES)):
        try:
            yield step(_nonce(number, last), piece)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
            raise StreamDamaged(number) from error


def _encryption(key: bytes, cipher: str) -> Step:
    if cipher == "AES-256-GCM":
        aead = AESGCM(key)
        return lambda nonce, piece: aead.encrypt(nonce, piece, None)
    block = SM4(key)

    def step(nonce: bytes, piece: bytes) -> bytes:
        encryptor = Cipher(block, GCM(nonce)).encryptor()
        return encryptor.update(piece) + encryptor.finalize() + encryptor.tag

    return step


def _decryption(key: bytes, cipher: str) -> Step:
    if cipher == "AES-256-GCM":
        aead = AESGCM(key)
        return lambda nonce, piece: aead.decrypt(nonce, piece, None)
    block = SM4(key)

    def step(nonce: bytes, piece: bytes) -> bytes:
        decryptor = Cipher(block, GCM(nonce, piece[-TAG_BYTES:])).decryptor()
        return decryptor.update(piece[:-TAG_BYTES]) + decryptor.finalize()

    return step


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])

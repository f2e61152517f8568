"""Putting a blob of 64 MB into the folder store against writing the same bytes encrypted to a file, plainly.

The peer of the promise is what one would write by hand for the same result, in one thread: read the stream, SHA-256 and
SM3 of it, AES-256-GCM (or SM4-GCM) over the same chunks, write, fsync. Ours does besides: a key of its own that is
wrapped, the record in the store, the name that appears only when all is safe. It has SM3 run in a thread.

For information it is also held against a peer without the two hashes. No promise can be made there: SM3 alone takes
longer (about 240 MB/s with OpenSSL, and evidence must carry it) than to encrypt and to write.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from backend import blobs, settings, storage
from backend.blobs.objects import CHUNK_BYTES
from backend.embedded import start_store
from tests.benchmarks.ratio import Ratio, medians

SIZE = 64 << 20
ROUNDS = 7


def measure() -> Iterator[Ratio]:
    """Measure with each cipher."""
    content = os.urandom(SIZE)
    with tempfile.TemporaryDirectory() as name, start_store(Path(name) / "store") as server:
        folder = Path(name)
        storage.connect(server.url, "benchmark")
        blobs.ensure_indexes()
        master = base64.b64encode(os.urandom(32)).decode()
        for cipher in ("AES-256-GCM", "SM4-GCM"):
            settings.configure(settings.Settings(master_key=master, cipher=cipher, data_dir=folder))
            works = [put, partial(write_plainly, folder, cipher, True), partial(write_plainly, folder, cipher, False)]
            ours, same, bare = in_turns(works, content)
            for peer, what, at_most in ((same, "with both hashes", 1.3), (bare, "without hashes", None)):
                mine, other, ratio = medians(ours, peer)
                yield Ratio(
                    name=f"blob of 64 MB, {cipher}, against an encrypted write {what}",
                    ours=f"{mine:.3f} s",
                    peer=f"{other:.3f} s",
                    ratio=ratio,
                    at_most=at_most,
                )
        storage.disconnect()


def put(content: bytes) -> Callable[[], object]:
    """Put the blob; returns what takes it away again."""
    kept = blobs.put(io.BytesIO(content), media_type="video/mp4", space="33")
    return lambda: blobs.shred(kept.sha256, space="33")


def write_plainly(folder: Path, cipher: str, hashed: bool, content: bytes) -> Callable[[], object]:
    """Encrypt the stream into a file; returns what takes it away again."""
    source, encrypt = io.BytesIO(content), encryption(cipher)
    digests = [hashlib.sha256(), hashlib.new("sm3")] if hashed else []
    path = folder / os.urandom(8).hex()
    with path.open("wb") as file:
        number = 0
        while part := source.read(CHUNK_BYTES):
            for digest in digests:
                digest.update(part)
            file.write(encrypt(number.to_bytes(12, "big"), part))
            number += 1
        file.flush()
        os.fsync(file.fileno())
    return path.unlink


def encryption(cipher: str) -> Callable[[bytes, bytes], bytes]:
    """Return what encrypts a chunk under a fresh key."""
    if cipher == "AES-256-GCM":
        aead = AESGCM(os.urandom(32))
        return lambda nonce, part: aead.encrypt(nonce, part, None)
    block = SM4(os.urandom(16))

    def encrypt(nonce: bytes, part: bytes) -> bytes:
        encryptor = Cipher(block, GCM(nonce)).encryptor()
        return encryptor.update(part) + encryptor.finalize() + encryptor.tag

    return encrypt


def in_turns(works: list[Callable[[bytes], Callable[[], object]]], content: bytes) -> list[list[float]]:
    """Return the seconds of each work in each round; the first round is not counted."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(ROUNDS + 1):
        for work, measured in zip(works, seconds, strict=True):
            started = time.perf_counter()
            clear_away = work(content)
            if number:
                measured.append(time.perf_counter() - started)
            clear_away()
    return seconds

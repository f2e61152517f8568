"""Either cipher by setting, both readable at any time; wrapped keys follow the rotation of keys."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import blobs, settings, storage
from backend.blobs import cipher as streams
from backend.blobs.objects import CHUNK_BYTES
from backend.protection import keys
from backend.protection.cipher import _HEADER
from backend.protection.rotation import rotate_keys
from tests.blobs.conftest import SPACE, Kept, flip, keep, objects, path_of

pytestmark = pytest.mark.usefixtures("folder")
CIPHERS = ("AES-256-GCM", "SM4-GCM")
sizes = st.lists(st.integers(0, 40), max_size=12)


def choose(cipher: str) -> None:
    settings.configure(replace(settings.current(), cipher=cipher))


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("size", [0, CHUNK_BYTES, 2 * CHUNK_BYTES + 9])
def test_each_cipher_is_noted_and_read_under_either_setting(folder: Path, cipher: str, size: int) -> None:
    choose(cipher)
    kept = keep(os.urandom(size))
    assert storage.database()["blobs"].find_one()["cipher"] == cipher
    for setting in CIPHERS:
        choose(setting)
        assert blobs.get(kept.sha256, space=SPACE) == kept.content
    flip(path_of(folder, kept.sha256), size // 2)
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(kept.sha256, space=SPACE)


def test_the_ciphers_really_differ() -> None:
    key = bytes(range(32))
    aes = b"".join(streams.encrypt([b"x" * 100], key, 64, "AES-256-GCM"))
    sm4 = b"".join(streams.encrypt([b"x" * 100], key[:16], 64, "SM4-GCM"))
    assert aes != sm4 and len(aes) == len(sm4) == 100 + 2 * streams.TAG_BYTES
    with pytest.raises(streams.StreamDamaged):
        b"".join(streams.decrypt([aes], key[:16], 64, "SM4-GCM"))


@given(parts=sizes, size=st.integers(1, 16), cipher=st.sampled_from(CIPHERS), cut=sizes)
def test_however_a_stream_is_cut_it_comes_back(parts: list[int], size: int, cipher: str, cut: list[int]) -> None:
    content = os.urandom(sum(parts))
    key = os.urandom(streams.KEY_BYTES[cipher])
    sealed = b"".join(streams.encrypt(portions(content, parts), key, size, cipher))
    assert len(sealed) == len(content) + streams.TAG_BYTES * max(1, -(-len(content) // size))
    assert b"".join(streams.decrypt(portions(sealed, cut), key, size, cipher)) == content


def portions(content: bytes, lengths: list[int]) -> list[bytes]:
    found, start = [], 0
    for length in [*lengths, len(content)]:
        found.append(content[start : start + length])
        start += length
    return found


def versions() -> set[int]:
    return {_HEADER.unpack_from(row["key"])[1] for row in storage.database()["blobs"].find({"key": {"$ne": None}})}


def all_read(kept: list[Kept]) -> bool:
    return all(blobs.get(each.sha256, space=SPACE) == each.content for each in kept)


def test_wrapped_keys_are_sealed_again_and_the_objects_stay(folder: Path) -> None:
    kept = [keep(os.urandom(500)) for _ in range(7)]
    blobs.shred(kept.pop().sha256, space=SPACE)
    before = {path: path.read_bytes() for path in objects(folder)}
    result = rotate_keys([], sealed=[blobs.WRAPPED_KEYS], batch_size=2, settle_seconds=0)
    assert (result.changed, result.unreadable, versions()) == (6, (), {2})
    assert {path: path.read_bytes() for path in objects(folder)} == before
    assert [row["retired_at"] is not None for row in keys.versions("blob")] == [True, False]
    assert all_read(kept)
    choose("SM4-GCM")
    rotate_keys([], sealed=[blobs.WRAPPED_KEYS], settle_seconds=0)
    assert versions() == {3} and all_read(kept)


def test_a_rewrap_of_the_master_key_leaves_them_readable() -> None:
    kept = [keep(os.urandom(500))]
    old = settings.current()
    settings.configure(replace(old, master_key=keys.base64.b64encode(bytes(32)).decode()))
    settings.configure(replace(settings.current(), previous_master_key=old.master_key))
    assert keys.rewrap() >= 1
    settings.configure(replace(settings.current(), previous_master_key=""))
    keys.forget_keys()
    assert all_read(kept)


CHILD = """
import sys
from backend import blobs, settings, storage
from backend.protection.rotation import rotate_keys
settings.configure(settings.Settings(mongodb_url=sys.argv[1], master_key=sys.argv[3]))
storage.connect(sys.argv[1], sys.argv[2])
rotate_keys([], sealed=[blobs.WRAPPED_KEYS], tell=lambda line: print(line, flush=True), batch_size=2, settle_seconds=0)
"""


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_killed_while_rotating_it_goes_on_where_it_stopped(lines: int) -> None:
    kept = [keep(os.urandom(500)) for _ in range(8)]
    chosen = settings.current()
    given = [chosen.mongodb_url, chosen.mongodb_database, chosen.master_key]
    with subprocess.Popen([sys.executable, "-c", CHILD, *given], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
    assert all_read(kept)
    begun = storage.database()["key_rotations"].find_one()
    assert begun["examined"].get("blobs", 0) >= 2 * (lines - 1)
    rotate_keys([], sealed=[blobs.WRAPPED_KEYS], settle_seconds=0)
    assert versions() == {2} and all_read(kept)
    assert storage.database()["key_rotations"].count_documents({}) == 1

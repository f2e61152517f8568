"""Blobs in a folder: what is put is got, once and encrypted, and nothing half done or altered ever passes."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import subprocess
import sys
import threading
import time
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend import blobs, settings, storage
from tests.blobs.conftest import SPACE, keep, objects, path_of

CHUNK = 256 * 1024
pytestmark = pytest.mark.usefixtures("folder")
examples = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_is_put_is_got(size: int) -> None:
    content = os.urandom(size)
    blob = blobs.put(content, media_type="image/jpeg", space=SPACE)
    sha256, sm3 = (hashlib.new(name, content).hexdigest() for name in ("sha256", "sm3"))
    assert blob == blobs.BlobRef(sha256, sm3, size, "image/jpeg")
    assert blobs.exists(blob.sha256, space=SPACE)
    assert blobs.get(blob.sha256, space=SPACE) == content
    assert b"".join(blobs.open_blob(blob.sha256, space=SPACE)) == content


def test_a_stream_in_odd_portions_gives_the_same_blob() -> None:
    content = os.urandom(2 * CHUNK + 5)

    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 7001, 7001))

    assert (
        blobs.put(Trickle(content), media_type="video/mp4", space=SPACE).sha256 == hashlib.sha256(content).hexdigest()
    )
    assert blobs.get(hashlib.sha256(content).hexdigest(), space=SPACE) == content


def test_nothing_readable_lies_on_the_disk_and_no_name_tells_the_content(folder: Path) -> None:
    content = b"faces " * 100_000
    blob = blobs.put(content, media_type="image/jpeg", space=SPACE)
    (path,) = objects(folder)
    assert b"faces" not in path.read_bytes()
    assert blob.sha256[:8] not in path.name
    assert path.stat().st_mode & 0o077 == 0


def test_the_same_content_is_stored_once(folder: Path) -> None:
    first = blobs.put(b"waste", media_type="image/png", space=SPACE)
    assert blobs.put(io.BytesIO(b"waste"), media_type="image/png", space=SPACE) == first
    assert len(objects(folder)) == 1
    assert storage.database()["blobs"].count_documents({}) == 1


def test_many_at_once_end_with_one_good_blob(folder: Path) -> None:
    content = os.urandom(CHUNK * 2)
    together = threading.Barrier(8)

    def put() -> None:
        together.wait()
        blobs.put(content, media_type="image/png", space=SPACE)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert blobs.get(hashlib.sha256(content).hexdigest(), space=SPACE) == content
    assert len(objects(folder)) == 1


def test_memory_does_not_grow_with_the_file() -> None:
    class Zeros(io.RawIOBase):
        left = 64 << 20

        def read(self, size: int = -1, /) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    blob = blobs.put(Zeros(), media_type="video/mp4", space=SPACE)  # type: ignore[arg-type]
    assert sum(len(part) for part in blobs.open_blob(blob.sha256, space=SPACE)) == blob.size == 64 << 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_an_unknown_blob_is_named_missing() -> None:
    assert not blobs.exists("0" * 64, space=SPACE)
    with pytest.raises(blobs.BlobMissing, match="不存在"):
        blobs.open_blob("0" * 64, space=SPACE)
    with pytest.raises(blobs.BlobMissing):
        blobs.get("0" * 64, space=SPACE)


@examples
@given(
    size=st.sampled_from([0, 10, CHUNK, CHUNK + 100]), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7)
)
def test_one_flipped_bit_is_found(folder: Path, size: int, where: float, bit: int) -> None:
    blob = blobs.put(os.urandom(size), media_type="image/png", space=SPACE)
    path = path_of(folder, blob.sha256)
    stored = bytearray(path.read_bytes())
    stored[int(where * len(stored))] ^= 1 << bit
    path.write_bytes(stored)
    with pytest.raises(blobs.BlobDamaged, match="损坏"):
        blobs.get(blob.sha256, space=SPACE)


SEALED = CHUNK + 16


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:SEALED],
        lambda data: data[: 2 * SEALED],
        lambda data: b"",
        lambda data: data + b"\0",
        lambda data: data + data[-SEALED:],
        lambda data: data[SEALED : 2 * SEALED] + data[:SEALED] + data[2 * SEALED :],
        lambda data: data[:SEALED] + data[2 * SEALED :],
        lambda data: data[:SEALED] + data[:SEALED] + data[2 * SEALED :],
    ],
    ids=["a byte less", "one chunk", "two chunks", "nothing", "a byte more", "repeated end", "order", "gap", "twice"],
)
def test_cut_moved_or_repeated_chunks_are_found(folder: Path, spoil: object) -> None:
    blob = blobs.put(os.urandom(3 * CHUNK), media_type="video/mp4", space=SPACE)
    path = path_of(folder, blob.sha256)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(blob.sha256, space=SPACE)


def test_two_blobs_cannot_be_exchanged(folder: Path) -> None:
    one, two = (blobs.put(os.urandom(100), media_type="image/png", space=SPACE).sha256 for _ in range(2))
    records = storage.database()["blobs"]
    theirs = records.find_one({"sha256": two}, {"_id": 0, "object": 1, "key": 1})
    records.update_one({"sha256": one}, {"$set": {"object": theirs["object"]}})
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(one, space=SPACE)
    records.update_one({"sha256": one}, {"$set": theirs})
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(one, space=SPACE)


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_putting_again_heals(folder: Path, harm: str) -> None:
    content = os.urandom(CHUNK + 1)
    blob = blobs.put(content, media_type="image/png", space=SPACE)
    path = path_of(folder, blob.sha256)
    if harm == "gone":
        path.unlink()
        with pytest.raises(blobs.BlobMissing):
            blobs.get(blob.sha256, space=SPACE)
    else:
        path.write_bytes(b"x" * 500)
    assert blobs.put(content, media_type="image/png", space=SPACE) == blob
    assert blobs.get(blob.sha256, space=SPACE) == content
    assert len(objects(folder)) == 1


def test_a_source_that_fails_leaves_nothing(folder: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > CHUNK:
                raise RuntimeError("the sender went away")
            return super().read(size)

    with pytest.raises(RuntimeError):
        blobs.put(Broken(os.urandom(CHUNK * 3)), media_type="video/mp4", space=SPACE)
    assert objects(folder) == []
    assert storage.database()["blobs"].count_documents({}) == 0


def test_orphans_go_and_blobs_stay(folder: Path) -> None:
    blob = blobs.put(b"kept", media_type="image/png", space=SPACE)
    for name in ("ab12", "ab13.part"):
        (folder / "ab").mkdir(exist_ok=True)
        (folder / "ab" / name).write_bytes(b"left behind")
    assert blobs.remove_orphans() == 0  # too young: it may be an upload under way
    blobs.remove_orphans(older_than_seconds=-1)
    assert objects(folder) == [path_of(folder, blob.sha256)]
    assert blobs.get(blob.sha256, space=SPACE) == b"kept"


def test_a_folder_that_cannot_be_used_is_named(folder: Path) -> None:
    folder.write_bytes(b"not a folder")
    with pytest.raises(blobs.BlobStoreUnavailable, match="暂时无法使用"):
        blobs.put(b"x", media_type="image/png", space=SPACE)


def test_each_district_has_its_own_and_shreds_only_that(folder: Path) -> None:
    content = os.urandom(CHUNK + 1)
    here, there = (blobs.put(content, media_type="image/png", space=space) for space in ("33", "44"))
    assert here == there and len(objects(folder)) == 2
    assert blobs.shred(here.sha256, space="33")
    assert not blobs.shred(here.sha256, space="33")
    with pytest.raises(blobs.BlobShredded, match="销毁"):
        blobs.open_blob(here.sha256, space="33")
    assert not blobs.exists(here.sha256, space="33")
    assert blobs.get(there.sha256, space="44") == content
    assert len(objects(folder)) == 1


def test_what_was_shredded_leaves_a_note_without_a_key_and_may_be_put_again(folder: Path) -> None:
    content = os.urandom(500)
    blob = blobs.put(content, media_type="image/png", space=SPACE)
    blobs.shred(blob.sha256, space=SPACE)
    note = storage.database()["blobs"].find_one({"sha256": blob.sha256})
    assert note is not None and (note["key"], note["object"], note["size"]) == (None, None, 500)
    assert note["shredded_at"] >= note["created_at"]
    assert objects(folder) == []
    assert blobs.put(content, media_type="image/png", space=SPACE) == blob
    assert blobs.get(blob.sha256, space=SPACE) == content


def test_what_was_put_again_meanwhile_is_not_shredded() -> None:
    content = os.urandom(500)
    blobs.put(content, media_type="image/png", space=SPACE)
    looked_at = storage.utcnow()
    blob = blobs.put(content, media_type="image/png", space=SPACE)
    assert not blobs.shred(blob.sha256, space=SPACE, put_before=looked_at)
    assert blobs.get(blob.sha256, space=SPACE) == content
    assert blobs.shred(blob.sha256, space=SPACE, put_before=storage.utcnow() + timedelta(seconds=1))


def test_keys_are_bound_to_their_district() -> None:
    sha256 = blobs.put(b"one", media_type="image/png", space="33").sha256
    blobs.put(b"one", media_type="image/png", space="44")
    records = storage.database()["blobs"]
    theirs = records.find_one({"space": "44"}, {"_id": 0, "object": 1, "key": 1})
    records.update_one({"space": "33"}, {"$set": theirs})
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(sha256, space="33")


CHILD = """
import os, resource, signal, sys
from pathlib import Path
from backend import blobs, protection, settings, storage
from backend.settings import Settings
url, database, key, folder, task = sys.argv[1:]
settings.configure(Settings(mongodb_url=url, master_key=key, data_dir=Path(folder)))
storage.connect(url, database)
if task == "full":
    blobs.put(b"small", media_type="image/png", space="33")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    try:
        blobs.put(os.urandom(3 << 20), media_type="video/mp4", space="33")
    except blobs.BlobStoreFull as error:
        print(error)
else:
    print("ready", flush=True)
    while True:
        blobs.put(os.urandom(300_000), media_type="image/png", space="33")
        blobs.put(b"the same every time" * 50_000, media_type="image/png", space="33")
"""


def child(folder: Path, task: str) -> subprocess.Popen[str]:
    chosen = settings.current()
    given = [chosen.mongodb_url, chosen.mongodb_database, chosen.master_key, str(folder.parent), task]
    return subprocess.Popen([sys.executable, "-c", CHILD, *given], stdout=subprocess.PIPE, text=True)


def test_a_full_disk_is_said_and_nothing_is_half_done(folder: Path) -> None:
    said, _ = child(folder, "full").communicate(timeout=30)
    assert "已满" in said
    assert len(objects(folder)) == 1
    assert storage.database()["blobs"].count_documents({}) == 1
    assert storage.database()["blobs"].find_one()["size"] == 5


@pytest.mark.parametrize("step", ["os.open", "os.fsync", "Path.mkdir", "Path.rename"])
@pytest.mark.parametrize("before", [None, b"there already"])
def test_no_room_at_any_step_leaves_what_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, before: bytes | None
) -> None:
    kept = keep(before) if before else None

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"backend.blobs.folder.{step}", full)
        for content in (b"there already", os.urandom(CHUNK * 2)):
            with pytest.raises(blobs.BlobStoreFull):
                blobs.put(content, media_type="image/png", space=SPACE)
    assert storage.database()["blobs"].count_documents({}) == len(objects(folder)) == (1 if kept else 0)
    if kept:
        assert blobs.get(kept.sha256, space=SPACE) == before


def test_a_blob_belongs_to_a_district() -> None:
    with pytest.raises(ValueError, match="district"):
        blobs.put(b"x", media_type="image/png", space="")


def test_killed_at_any_point_every_visible_blob_is_whole(folder: Path) -> None:
    records = storage.database()["blobs"]
    for _ in range(6):
        process = child(folder, "loop")
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0.005, 0.15))
        process.kill()
        process.wait()
        process.stdout.close()
        for record in records.find():
            assert hashlib.sha256(blobs.get(record["sha256"], space=SPACE)).hexdigest() == record["sha256"]
    again = blobs.put(b"the same every time" * 50_000, media_type="image/png", space=SPACE)
    assert blobs.get(again.sha256, space=SPACE) == b"the same every time" * 50_000
    blobs.remove_orphans(older_than_seconds=-1)
    assert len(objects(folder)) == records.count_documents({})

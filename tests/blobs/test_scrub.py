"""The scrub finds what has rotted, with its place, within its budget; what is healed is forgotten."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from backend import blobs, health, storage
from backend.blobs import scrubbing
from backend.blobs.commands import scrub_blobs
from backend.blobs.objects import CHUNK_BYTES
from tests.blobs.conftest import SPACE, flip, keep, path_of

pytestmark = pytest.mark.usefixtures("folder")


def test_sound_blobs_are_counted_and_the_round_is_told() -> None:
    for _ in range(3):
        keep(os.urandom(100))
    blobs.shred(keep(b"gone").sha256, space=SPACE)
    assert blobs.scrub_status().finished_at is None
    assert blobs.scrub()
    status = blobs.scrub_status()
    assert status.finished_at is not None and status.round_seconds is not None and status.round_seconds >= 0
    assert (status.round_checked, status.checked, status.rotten, status.rotten_count) == (3, 0, (), 0)


def test_a_rotted_byte_is_found_with_its_place_and_healed_by_the_same_content(folder: Path) -> None:
    kept = keep(os.urandom(3 * CHUNK_BYTES + 5))
    keep(b"sound")
    flip(path_of(folder, kept.sha256), 2 * (CHUNK_BYTES + 16) + 100)
    blobs.scrub()
    [rotten] = blobs.scrub_status().rotten
    assert (rotten.space, rotten.sha256, rotten.size) == (SPACE, kept.sha256, len(kept.content))
    assert (rotten.kind, rotten.chunk, rotten.offset) == ("damaged", 2, 2 * CHUNK_BYTES)
    check = {each.name: each for each in health.CHECKS}["platform.blobs"].run()
    assert check.state == "fail" and kept.sha256[:12] in check.detail
    keep(kept.content)
    assert blobs.scrub_status().rotten == ()
    blobs.scrub()
    assert blobs.scrub_status().rotten == ()
    assert storage.database()["blob_faults"].count_documents({}) == 0


def test_one_flipped_bit_anywhere_is_found_in_its_chunk(folder: Path) -> None:
    path = path_of(folder, keep(os.urandom(3 * CHUNK_BYTES + 100)).sha256)
    for _ in range(500):
        place, bit = random.randrange(path.stat().st_size), random.randrange(8)
        flip(path, place, bit)
        assert [each.chunk for each in blobs.scrub_all().rotten] == [place // (CHUNK_BYTES + 16)], (place, bit)
        flip(path, place, bit)
    assert blobs.scrub_all().rotten == ()


@pytest.mark.parametrize("cut", [0, 1, CHUNK_BYTES + 16, CHUNK_BYTES + 20])
def test_a_lost_end_and_a_lost_object_are_told(folder: Path, cut: int) -> None:
    path = path_of(folder, keep(os.urandom(2 * CHUNK_BYTES)).sha256)
    os.truncate(path, cut)
    blobs.scrub()
    assert blobs.scrub_status().rotten[0].chunk == (1 if cut > CHUNK_BYTES + 16 else 0)
    path.unlink()
    blobs.scrub()
    [rotten] = blobs.scrub_status().rotten
    assert (rotten.kind, rotten.chunk, rotten.offset) == ("missing", None, None)


def test_a_key_that_does_not_open_is_told() -> None:
    one, two = keep(b"one"), keep(b"two")
    records = storage.database()["blobs"]
    records.update_one({"sha256": one.sha256}, {"$set": {"key": records.find_one({"sha256": two.sha256})["key"]}})
    blobs.scrub()
    [rotten] = blobs.scrub_status().rotten
    assert (rotten.sha256, rotten.kind, rotten.chunk) == (one.sha256, "damaged", None)


def test_what_was_shredded_is_no_fault_any_more(folder: Path) -> None:
    kept = keep(os.urandom(10))
    path_of(folder, kept.sha256).unlink()
    blobs.scrub()
    assert blobs.scrub_status().rotten_count == 1
    blobs.shred(kept.sha256, space=SPACE)
    assert blobs.scrub_status().rotten_count == 0


def test_the_budget_bounds_a_run_and_the_next_goes_on(folder: Path) -> None:
    kept = [keep(os.urandom(1000)) for _ in range(10)]
    last = max(kept, key=lambda each: each.sha256)
    path_of(folder, last.sha256).unlink()
    runs = []
    while not blobs.scrub(max_bytes=3000):
        runs.append(blobs.scrub_status().checked)
        assert blobs.scrub_status().started_at is not None
    assert runs == [3, 6, 9]
    assert blobs.scrub_status().rotten[0].sha256 == last.sha256
    assert blobs.scrub_status().round_checked == 10
    assert not blobs.scrub(max_seconds=0) and blobs.scrub_status().checked == 0


def test_a_whole_round_takes_over_from_a_run_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        keep(os.urandom(10))
    monkeypatch.setattr(scrubbing, "BATCH", 2)
    check, ran = scrubbing._check, []

    def interrupted(*arguments: object) -> None:
        check(*arguments)  # type: ignore[arg-type]
        if not ran:
            ran.append(True)
            assert scrubbing.scrub_all().round_checked == 5

    monkeypatch.setattr(scrubbing, "_check", interrupted)
    assert not blobs.scrub()
    assert (blobs.scrub_status().round_checked, blobs.scrub_status().checked) == (5, 0)


def test_the_command_runs_a_whole_round(folder: Path) -> None:
    kept = keep(os.urandom(CHUNK_BYTES + 1))
    sound = CliRunner().invoke(scrub_blobs)
    assert (sound.exit_code, "全部完好" in sound.output) == (0, True)
    flip(path_of(folder, kept.sha256), CHUNK_BYTES + 18)
    found = CliRunner().invoke(scrub_blobs)
    assert found.exit_code == 1 and f"{SPACE} {kept.sha256} 损坏，第 2 块（从第 262144 字节起）" in found.output


def test_a_store_that_is_away_accuses_no_blob(folder: Path) -> None:
    keep(b"sound")

    def away(*_: object, **__: object) -> Iterator[bytes]:
        raise blobs.BlobStoreUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scrubbing, "read_record", away)
        with pytest.raises(blobs.BlobStoreUnavailable):
            blobs.scrub()
    assert blobs.scrub_status().rotten_count == 0

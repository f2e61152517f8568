"""Blobs that nothing refers to go after a day; whatever may still be meant stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backend import blobs, storage
from backend.blobs import uploads
from tests.blobs.conftest import SPACE, keep, objects

pytestmark = pytest.mark.usefixtures("folder")


@dataclass
class Holder:
    """A module with records that name blobs."""

    held: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def referenced(self, space: str, hashes: Sequence[str]) -> Collection[str]:
        """Return what is held, and remember what was asked for."""
        assert space == SPACE
        self.asked += hashes
        return self.held & set(hashes)


@pytest.fixture
def holder() -> Holder:
    made = Holder()
    blobs.install_users([blobs.BlobUser(name="holder", referenced=made.referenced)])
    return made


def remove() -> int:
    """Run the job as it would run in a day."""
    return blobs.remove_unreferenced(older_than_seconds=-1)


def test_only_what_no_record_names_goes(holder: Holder) -> None:
    named, forgotten = keep(b"named", user="holder"), keep(b"forgotten", user="holder")
    holder.held = {named.sha256}
    assert blobs.remove_unreferenced() == 0  # too young: its record may still be on its way
    assert remove() == 1
    assert blobs.get(named.sha256, space=SPACE) == b"named"
    with pytest.raises(blobs.BlobShredded):
        blobs.get(forgotten.sha256, space=SPACE)
    holder.asked.clear()
    assert remove() == 0 and holder.asked == []  # once looked at, nothing is looked at again


def test_blobs_of_nobody_or_of_a_module_that_is_away_stay(holder: Holder) -> None:
    kept = [keep(b"nobody's"), keep(b"another's", user="other"), keep(b"both", user="holder")]
    keep(b"both", user="other")
    assert remove() == 0
    blobs.install_users([])
    assert remove() == 0
    assert all(blobs.exists(each.sha256, space=SPACE) for each in kept)


def test_what_is_put_again_is_looked_at_again(holder: Holder) -> None:
    kept = keep(b"again", user="holder")
    holder.held = {kept.sha256}
    assert remove() == 0
    holder.held = set()
    assert remove() == 0  # losing a record later is for whoever removes the record
    keep(b"again", user="holder")
    assert remove() == 1


def test_what_is_put_while_it_is_judged_stays(holder: Holder) -> None:
    kept = keep(b"now", user="holder")

    def put_meanwhile(_space: str, _hashes: Sequence[str]) -> set[str]:
        storage.database()["blobs"].update_one({}, {"$set": {"put_at": storage.utcnow().replace(year=2100)}})
        return set()

    blobs.install_users([blobs.BlobUser(name="holder", referenced=put_meanwhile)])
    assert remove() == 0 and blobs.get(kept.sha256, space=SPACE) == b"now"


def test_a_user_that_fails_loses_nothing(holder: Holder) -> None:
    kept = keep(b"mine", user="holder")

    def broken(_space: str, _hashes: Sequence[str]) -> set[str]:
        raise RuntimeError

    blobs.install_users([blobs.BlobUser(name="holder", referenced=broken)])
    with pytest.raises(RuntimeError):
        remove()
    assert blobs.exists(kept.sha256, space=SPACE)


def test_many_are_judged_in_portions(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.blobs.leftovers.BATCH", 3)
    kept = [keep(b"%d" % number, user="holder") for number in range(8)]
    holder.held = {each.sha256 for each in kept[::2]}
    assert remove() == 4
    assert {each.sha256 for each in kept if blobs.exists(each.sha256, space=SPACE)} == holder.held


def test_parts_of_an_upload_are_no_orphans(folder: Path) -> None:
    upload = uploads.append(uploads.begin("person", 10, {}), [b"12345"])
    (folder / "ab").mkdir(exist_ok=True)
    (folder / "ab" / "ab12").write_bytes(b"left behind")
    assert blobs.remove_orphans(older_than_seconds=-1) == 1
    with uploads.read_upload(uploads.append(upload, [b"67890"])) as file:
        assert file.read() == b"1234567890"
    uploads.drop_upload(upload.id)
    assert objects(folder) == []

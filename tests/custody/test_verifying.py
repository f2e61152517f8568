"""Whatever is changed in the stored ledger is found, with its place."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from backend import storage
from plugins.evidence.custody.algorithms import ALGORITHMS
from plugins.evidence.custody.canonical import entry_bytes, link, root_bytes
from plugins.evidence.custody.ledger import Chaining, head_bytes
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.signing import key_id_of, sign
from plugins.evidence.custody.stamping import stamp_waiting
from plugins.evidence.custody.verifying import districts, verify
from tests.custody.chains import entries, write
from tests.district import District

ENTRIES, ROOTS = 14, 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger(district: District) -> District:
    """Return a district with three stamped roots and two entries behind them."""
    for number in range(ROOTS):
        write(3, case="c1", purpose="复核", detail={"photo": number, "方式": ["全屏", None, True]})
        write(1, kind="downloaded", sha256="ab" * 32)
        make_roots("33")
        assert stamp_waiting() == 1
    write(2)
    return district


def found(district: str = "33") -> tuple[str, int, str] | None:
    fault = verify(district).fault
    return fault and (fault.place, fault.number, fault.what)


def test_a_whole_ledger_verifies(ledger: District) -> None:
    result = verify("33")
    assert (result.entries, result.roots, result.stamps, result.fault) == (ENTRIES, ROOTS, ROOTS, None)
    assert result.sentence == "存证链完整：14 条，3 个根，3 个时间戳。"
    assert verify("99").sentence == "存证链完整：0 条，0 个根，0 个时间戳。"


def test_a_removed_entry_is_found(ledger: District) -> None:
    storage.database().evidence_ledger.delete_one({"seq": 6})
    assert found() == ("entry", 6, "removed")


def test_a_removed_end_is_found(ledger: District) -> None:
    storage.database().evidence_ledger.delete_many({"seq": {"$gte": 13}})
    assert found() == ("entry", 13, "removed")


@pytest.mark.parametrize("seq", [ENTRIES + 1, ENTRIES + 9, "3", None, 0, -4, 2.5])
def test_an_inserted_entry_is_found(ledger: District, seq: Any) -> None:
    row = entries()[2]
    storage.database().evidence_ledger.insert_one({**row, "_id": storage.utcnow().isoformat(), "seq": seq})
    place, number, what = found() or ("", 0, "")
    assert (place, what) == ("entry", "inserted") and (number == seq or not isinstance(seq, int) or seq < 1)


def test_swapped_entries_are_found(ledger: District) -> None:
    four, five = entries()[3:5]
    replace("evidence_ledger", four, {**four, "seq": 1000})
    replace("evidence_ledger", five, {**five, "seq": 4})
    replace("evidence_ledger", four, {**four, "seq": 5})
    assert found() == ("entry", 4, "altered")


def test_a_chain_that_was_written_anew_from_an_entry_on_is_found(ledger: District) -> None:
    """Somebody who knows the rules of the chain, but has no key, cannot hide a change behind later hashes."""
    previous = entries()[12]["previous"]
    for row in entries()[12:]:
        row |= {"kind": "printed", "previous": previous}
        row["hash"] = previous = link("SHA-256", previous, entry_bytes(row))
        replace("evidence_ledger", row, row)
    storage.database().evidence_ledger_heads.update_one({"_id": "33"}, {"$set": {"hash": previous}})
    assert found() == ("head", 0, "unsigned")


def test_a_ledger_that_was_signed_anew_with_a_strange_key_is_found(ledger: District) -> None:
    """Whoever can write into the store can put a key there, but it is none of the platform's."""
    made = ALGORITHMS["Ed25519"].make()
    keys, heads = storage.database().evidence_keys, storage.database().evidence_ledger_heads
    strange = {"number": 2, "key_id": key_id_of(made.public), "public": made.public, "certificate": made.certificate}
    keys.insert_one({**keys.find_one(), "_id": ObjectId(), **strange})
    head = heads.find_one({"_id": "33"})
    value = ALGORITHMS["Ed25519"].sign(made.private, b"", head_bytes("33", head)).hex()
    signature = {"algorithm": "Ed25519", "key_id": strange["key_id"], "value": value}
    heads.update_one({"_id": "33"}, {"$set": {"signature": signature}})
    assert found() == ("head", 0, "unsigned")
    heads.update_one({"_id": "33"}, {"$set": {"signature": head["signature"]}})
    assert found() is None
    write()
    assert heads.find_one({"_id": "33"})["signature"]["key_id"] == head["signature"]["key_id"]
    own = keys.find_one({"number": 1})
    keys.update_one({"number": 1}, {"$set": {"certificate": made.certificate}})
    assert found() == ("head", 0, "unsigned")
    keys.replace_one({"number": 1}, own)
    assert found() is None


def test_a_removed_root_and_a_removed_head_are_found(ledger: District) -> None:
    database = storage.database()
    root = database.evidence_roots.find_one_and_delete({"number": 2})
    assert found() == ("root", 2, "removed")
    database.evidence_roots.insert_one(root)
    assert found() is None
    head = database.evidence_ledger_heads.find_one_and_delete({"_id": "33"})
    assert found() == ("head", 0, "removed")
    database.evidence_ledger_heads.insert_one(head)
    assert found() is None


def test_a_root_signed_rightly_over_other_entries_is_found(ledger: District) -> None:
    root = storage.database().evidence_roots.find_one({"number": 2})
    root["root"] = "ab" * 32
    storage.database().evidence_roots.replace_one(
        {"number": 2}, {**root, "signature": sign(root_bytes(root)).as_dict()}
    )
    assert found() == ("root", 2, "uncovered")


def test_a_removed_stamp_is_found_by_the_next_root(ledger: District) -> None:
    storage.database().evidence_roots.update_one({"number": 1}, {"$set": {"stamp": {"state": "none"}}})
    assert found() == ("stamp", 1, "removed")


def test_entries_that_were_given_to_another_district_are_listed_with_it(ledger: District) -> None:
    row = entries()[5]
    replace("evidence_ledger", row, {**row, "district": "77"})
    assert districts() == ["33", "77"]
    assert found() == ("entry", 6, "removed")
    assert found("77") == ("head", 0, "removed")


def test_a_walk_goes_on_while_others_write(ledger: District) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            write(3)
            make_roots("33")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        results = [verify("33") for _ in range(8)]
    finally:
        stop.set()
        thread.join()
    assert [result.fault for result in results] == [None] * 8
    assert results[-1].entries > ENTRIES


def test_every_flipped_bit_is_found_with_its_place(ledger: District) -> None:
    chance, flips = random.Random(20261122), 160
    for number in range(flips):
        collection, place, row = chance.choice(targets())
        path, value = chance.choice(list(leaves_of(row)))
        if place == "root" and path[0] == "stamp":
            place = "stamp"
        altered = with_value(row, path, flipped(value, chance))
        replace(collection, row, altered)
        expected = (place, {"entry": row.get("seq"), "head": 0}.get(place, row.get("number")))
        try:
            fault = verify("33").fault
            assert fault and (fault.place, fault.number) == expected, (number, collection, path, value, fault)
        finally:
            replace(collection, altered, row)
    assert verify("33").fault is None


def targets() -> list[tuple[str, str, dict[str, Any]]]:
    """Return what may be altered: collection, what a fault calls it, and the document."""
    rows = [("evidence_ledger", "entry", row) for row in entries()]
    stored = storage.database().evidence_roots.find()
    rows += 3 * [("evidence_roots", "root", row) for row in stored]
    return [*rows, ("evidence_ledger_heads", "head", storage.database().evidence_ledger_heads.find_one())]


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield each value inside a document; ids and empty texts have no bit to flip."""
    if isinstance(value, dict | list):
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            if name != "_id":
                yield from leaves_of(member, (*path, name))
    elif value not in ("", None):
        yield path, value


def flipped(value: Any, chance: random.Random) -> Any:
    """Return a value of the same type with one bit flipped; of a number a high one, for low ones may be taken."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(40, 60)
    if isinstance(value, datetime):
        milliseconds = (value - EPOCH) // timedelta(milliseconds=1)
        return EPOCH + timedelta(milliseconds=milliseconds ^ 1 << chance.randrange(40))
    raw = value.encode() if isinstance(value, str) else value
    while True:
        bit = chance.randrange(len(raw) * 8)
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            return changed.decode() if isinstance(value, str) else bytes(changed)
        except UnicodeDecodeError:
            continue


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a document with one value replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_value(value[path[0]], path[1:], new)
    return copy


def replace(collection: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Put a document in the place of another: removed and added, for some of their values are unique."""
    storage.database()[collection].delete_one({"_id": old["_id"]})
    storage.database()[collection].insert_one(new)


def test_asking_to_chain_a_broken_ledger_changes_nothing(ledger: District) -> None:
    storage.database().evidence_ledger_heads.update_one({"_id": "33"}, {"$set": {"seq": 5}})
    Chaining("33")()
    write()
    assert len(entries()) == ENTRIES

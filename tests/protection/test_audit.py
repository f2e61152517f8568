"""The audit trail: written with the change, chained, and any single interference found and placed."""

from __future__ import annotations

import random
import threading
import time

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import storage
from backend.protection import Actor, acting, audit, current_actor

STAFF = Actor(id="u1", name="王芳", kind="street_staff", address="10.0.0.7")
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def trail():
    audit.ensure_indexes()
    return storage.database()["audit_entries"]


def write(count: int, subject_id: str = "c1") -> None:
    for number in range(count):
        audit.record(
            "base_info.compound.change",
            subject="compound",
            subject_id=subject_id,
            area="330110/330110001",
            detail={"fields": ["name"], "number": number, "share": 0.5, "nested": {"b": [1, None], "a": True}},
        )


def test_an_entry_says_who_did_what_to_which_record():
    with acting(STAFF):
        assert current_actor() == STAFF
        write(1)
    audit.record("base_info.compound.disable", subject="compound", subject_id="c1")
    newest, oldest = audit.history("compound", "c1")
    assert (newest.actor.id, newest.actor.name, newest.seq) == ("system", "系统", None)
    assert (oldest.actor, oldest.action, oldest.area) == (STAFF, "base_info.compound.change", "330110/330110001")
    assert oldest.detail == {"fields": ["name"], "number": 0, "share": 0.5, "nested": {"b": [1, None], "a": True}}
    assert abs((storage.utcnow() - oldest.at).total_seconds()) < 60


def test_history_pages_newest_first():
    write(5)
    write(1, "c2")
    first = audit.history("compound", "c1", limit=3)
    rest = audit.history("compound", "c1", limit=3, cursor=first[-1].id)
    assert [each.detail["number"] for each in first + rest] == [4, 3, 2, 1, 0]


def test_an_entry_shares_the_fate_of_its_transaction(trail):
    def fails() -> None:
        write(1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        storage.atomically(fails)
    assert trail.count_documents({}) == 0
    storage.atomically(lambda: write(1))
    assert trail.count_documents({}) == 1


def test_sealing_is_gapless_and_verification_streams(monkeypatch, trail):
    monkeypatch.setattr(audit, "BATCH", 4)
    write(10)
    assert [audit.seal(), audit.seal()] == [10, 0]
    write(3)
    result = audit.verify()
    assert (result.checked, result.fault) == (13, None)
    assert result.head.startswith("13:") and "审计链完整，共 13 条" in result.sentence
    assert [row["seq"] for row in trail.find().sort("_id")] == list(range(1, 14))


def test_an_empty_trail_is_whole():
    assert audit.verify() == audit.Verification(0, "")


def test_a_transaction_that_commits_late_goes_behind(trail):
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        write(1, "late")
        begun.set()
        go_on.wait(10)

    thread = threading.Thread(target=storage.atomically, args=(slow,))
    thread.start()
    begun.wait(10)
    write(2)
    assert audit.seal() == 2
    go_on.set()
    thread.join()
    assert audit.verify().fault is None
    late = trail.find_one({"subject_id": "late"})
    assert late["seq"] == 3
    assert late["_id"] < trail.find_one({"seq": 1})["_id"]


def tampered(trail, data: st.DataObject, count: int) -> tuple[str, set[str], int]:
    """Do one thing to the chain; returns what was done, what it may be called, and the first place it shows at."""
    rows = list(trail.find().sort("seq"))
    what = data.draw(st.sampled_from(["alter", "remove", "swap", "insert", "graft", "move"]))
    at = data.draw(st.integers(1, count))
    row = rows[at - 1]
    if what == "alter":
        name, value = data.draw(
            st.sampled_from(
                [
                    ("at", storage.utcnow().replace(year=2001)),
                    ("actor.name", "别人"),
                    ("actor.address", "10.9.9.9"),
                    ("action", "base_info.compound.view"),
                    ("subject", "station"),
                    ("subject_id", "c9"),
                    ("area", "330110"),
                    ("detail.number", 99),
                    ("detail.number", float(row["detail"]["number"])),
                    ("detail.nested.b", []),
                    ("mac", bytes(32)),
                    ("mac", None),
                    ("hash", bytes(32)),
                    ("hash", "x"),
                    ("previous", b"\1" * 32),
                    ("extra", 1),
                ]
            )
        )
        trail.update_one({"_id": row["_id"]}, {"$set": {name: value}})
        return what, {"altered"}, at
    if what == "remove":
        trail.delete_one({"_id": row["_id"]})
        return what, {"removed", "head"}, at
    if what == "swap":
        other = data.draw(st.integers(1, count).filter(lambda number: number != at))
        trail.update_one({"_id": row["_id"]}, {"$set": {"seq": other}})
        trail.update_one({"_id": rows[other - 1]["_id"]}, {"$set": {"seq": at}})
        return what, {"moved"}, min(at, other)
    if what == "insert":  # a copy with another content, claiming a place inside or behind
        claimed = data.draw(st.integers(1, count + 3))
        trail.insert_one(row | {"_id": ObjectId(), "subject_id": "c9", "seq": claimed})
        return what, {"inserted"}, min(claimed, count + 1)
    if what == "graft":  # an entry that no code of the platform wrote, waiting to be sealed
        trail.insert_one({key: row[key] for key in row if key not in ("_id", "seq", "previous", "hash")})
        return what, {"altered"}, count + 1
    claimed = data.draw(st.sampled_from([None, 0, -3, "x", 2.5, float(at), count + 7, [at], True]))
    trail.update_one({"_id": row["_id"]}, {"$set": {"seq": claimed}})
    return what, {"removed", "altered", "head"}, at


@few
@given(data=st.data())
def test_any_single_interference_is_found_and_placed(trail, data):
    trail.delete_many({})
    storage.database()["audit_head"].delete_many({})
    count = data.draw(st.integers(2, 7))
    write(count)
    assert audit.verify().checked == count
    what, names, place = tampered(trail, data, count)
    result = audit.verify()
    assert result.fault is not None, what
    assert result.fault.kind in names, what
    assert result.fault.seq == (place - 1 if result.fault.kind == "head" else place), what
    assert result.checked <= place
    assert f"第 {result.fault.seq} 条" in result.sentence


@pytest.mark.parametrize("change", [{"seq": 2}, {"seq": 9}, {"hash": b""}, {"mac": b""}, {"mac": None}])
def test_a_forged_or_lost_head_is_told_and_nothing_is_hung_on_it(trail, change):
    write(3)
    audit.seal()
    heads = storage.database()["audit_head"]
    heads.update_one({}, {"$set": change})
    write(1)
    assert audit.verify().fault.kind == "head"
    heads.delete_many({})
    assert audit.verify().fault.kind in ("head", "inserted")
    assert trail.count_documents({"seq": None}) == 1


def test_a_trail_rewritten_from_an_earlier_state_does_not_pass_a_noted_head(trail):
    write(5)
    noted = audit.verify().head
    write(2)
    assert audit.verify(noted).fault is None
    trail.delete_one({"seq": 3})
    trail.update_many({}, {"$unset": {"seq": "", "previous": "", "hash": ""}})
    storage.database()["audit_head"].delete_many({})
    assert audit.verify().fault is None  # the chain by itself cannot know
    assert audit.verify(noted).fault.kind == "rewritten"
    trail.delete_many({})
    storage.database()["audit_head"].delete_many({})
    assert audit.verify(noted).fault == audit.Fault("removed", 1)


def test_many_sealing_at_once_make_one_chain(monkeypatch, start_process):
    write(1)
    processes = [start_process("tests.protection.program", "seal-audit") for _ in range(3)]
    write(500)
    assert {process.stdout.readline() for process in processes} == {"ready\n"}
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    counts = [int(process.stdout.readline()) for process in processes]
    assert sum(counts) == 501
    assert audit.verify().fault is None


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.1])
def test_sealing_killed_in_the_middle_leaves_a_whole_chain(start_process, delay):
    write(400)
    process = start_process("tests.protection.program", "seal-audit")
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    time.sleep(delay + random.random() * 0.01)
    process.kill()
    process.wait()
    result = audit.verify()
    assert (result.checked, result.fault) == (400, None)


def test_the_command_says_one_sentence_and_fails_on_a_fault(start_process, trail):
    write(3)
    process = start_process("tests.protection.program", "verify-audit")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and output.startswith("审计链完整，共 3 条，末条校验值 3:")
    trail.update_one({"seq": 2}, {"$set": {"subject_id": "c9"}})
    process = start_process("tests.protection.program", "verify-audit")
    output, _ = process.communicate(timeout=30)
    number = trail.find_one({"seq": 2})["_id"]
    assert process.returncode == 1
    assert output == f"审计链被破坏：第 2 条（编号 {number}）的内容被改动，此前 1 条完整。\n"
    process = start_process("tests.protection.program", "verify-audit", "--noted", "nonsense")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1 and "校验值应形如" in output

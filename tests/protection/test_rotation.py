"""Rotation of the field key: interrupted anywhere, beside running work, to the other cipher and back."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from backend import protection, storage
from backend.protection import cipher, keys, rotation
from backend.protection.rotation import rotate_keys
from tests.protection.program import Contact, Plain

PHONES = [f"138{number:08d}" for number in range(60)]


def fill() -> None:
    Contact.objects.insert([Contact(number=n, phone=p, address=f"{n} 号") for n, p in enumerate(PHONES)])
    Contact(number=-1).save()
    Plain(number=1).save()


def headers() -> set[tuple[int, int]]:
    rows = list(Contact._get_collection().find())
    ciphertexts = [row[name] for row in rows for name in ("phone", "where") if name in row]
    return {cipher._HEADER.unpack_from(each) for each in ciphertexts}


def assert_readable() -> None:
    assert [each.phone for each in Contact.objects(number__gte=0).order_by("number")] == PHONES
    assert [each.address for each in Contact.objects(number__gte=0).order_by("number")][7] == "7 号"


def test_every_field_gets_the_new_version_and_the_old_one_is_retired():
    fill()
    assert headers() == {(1, 1)}
    told: list[str] = []
    result = rotate_keys([Plain, Contact], tell=told.append, batch_size=25, settle_seconds=0)
    assert (result.version, result.changed, result.unreadable) == (2, 120, ())
    assert headers() == {(1, 2)}
    assert [row["retired_at"] is not None for row in keys.versions("field")] == [True, False]
    assert "test_contacts：已检查 50 条" in "".join(told)
    assert_readable()
    protection.forget_keys()
    assert_readable()
    found = Contact.objects(phone_index=protection.blind_index(Contact, "phone", PHONES[3]))
    assert [each.number for each in found] == [3]  # the blind index stays
    assert rotate_keys([Contact], settle_seconds=0).version == 3


def test_the_cipher_follows_the_setting(change_settings):
    fill()
    change_settings(cipher="SM4-GCM")
    rotate_keys([Contact], settle_seconds=0)
    assert headers() == {(2, 2)}
    assert_readable()
    change_settings(cipher="AES-256-GCM")
    rotate_keys([Contact], settle_seconds=0)
    assert headers() == {(1, 3)}
    assert_readable()


@pytest.mark.parametrize("lines", [0, 2, 4, 7])
def test_killed_at_any_point_it_goes_on_where_it_stopped(start_process, monkeypatch, lines):
    fill()
    process = start_process("tests.protection.program", "rotate-keys", "--batch-size", "10")
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    process.wait()
    assert_readable()
    begun = storage.database()["key_rotations"].find_one({})
    result = rotate_keys([Plain, Contact], settle_seconds=0)
    assert result.version == 2
    assert headers() == {(1, 2)}
    assert_readable()
    assert storage.database()["key_rotations"].count_documents({}) == 1
    if lines >= 4:  # at least two batches were noted, and are not done again
        assert begun["examined"]["test_contacts"] >= 20
        assert result.changed <= 120 - 40


def test_the_command_finishes_by_itself(start_process, monkeypatch):
    fill()
    journal = rotation._begun()
    keys.ensure_version("field", journal["versions"]["field"])
    long_ago = storage.utcnow().replace(year=2020)
    storage.database()["data_keys"].update_one({"_id": "field:2"}, {"$set": {"created_at": long_ago}})
    output, _ = start_process("tests.protection.program", "rotate-keys").communicate(timeout=60)
    assert "轮换完成：数据密钥第 2 版，本次重新加密 120 个字段，旧版已停用。" in output
    assert headers() == {(1, 2)}


def test_work_goes_on_meanwhile_and_no_change_is_lost():
    fill()
    stop, failures = threading.Event(), []
    written: dict[int, str] = {}

    def work() -> None:
        number = 0
        while not stop.is_set():
            number = (number + 1) % len(PHONES)
            contact = Contact.objects.get(number=number)
            if contact.phone != written.get(number, PHONES[number]):
                failures.append(number)
            contact.phone = written[number] = f"139{len(written):08d}"
            contact.save()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(3):
            rotate_keys([Contact], batch_size=5, settle_seconds=0)
    finally:
        stop.set()
        thread.join()
    assert not failures and written
    for number, phone in written.items():
        assert Contact.objects.get(number=number).phone == phone


def test_a_process_that_still_writes_with_the_old_version_is_caught_by_the_next_pass(monkeypatch):
    fill()
    stale = keys._rings["field"]
    sleeps: list[float] = []

    def meanwhile(seconds: float) -> None:
        if not sleeps:
            newest = keys._rings["field"]
            keys._rings["field"] = stale
            Contact(number=100, phone="13700000000").save()
            keys._rings["field"] = newest
        sleeps.append(seconds)

    monkeypatch.setattr(rotation, "time", SimpleNamespace(sleep=meanwhile))
    result = rotate_keys([Contact], settle_seconds=20)
    assert 10 < sleeps[0] <= 20
    assert result.changed == 121
    assert headers() == {(1, 2)}


def test_an_unreadable_field_is_named_and_keeps_the_old_key_in_use():
    fill()
    broken = Contact.objects.get(number=5)
    Contact._get_collection().update_one({"_id": broken.id}, {"$set": {"phone": b"\1\0\0\0\1" + bytes(40)}})
    result = rotate_keys([Contact], settle_seconds=0)
    assert result.changed == 119
    assert [f"test_contacts {broken.id} phone" in each for each in result.unreadable] == [True]
    assert all(row["retired_at"] is None for row in keys.versions("field"))

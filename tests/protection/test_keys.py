"""The master key, the data keys that it wraps, and who makes them first."""

from __future__ import annotations

import base64
import os

import pytest

from backend import protection, storage
from backend.protection import MasterKeyError, UnknownKeyVersion, keys


def fresh_master() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.mark.parametrize(
    ("master", "told"),
    [
        ("", "QINGXU_MASTER_KEY is not set"),
        ("not base64!", "QINGXU_MASTER_KEY is not base64"),
        ("c2hvcnQ=", "QINGXU_MASTER_KEY holds 5 bytes"),
    ],
)
def test_a_wrong_master_key_gets_one_sentence(change_settings, master, told):
    change_settings(master_key=master)
    with pytest.raises(MasterKeyError, match=told):
        protection.ensure_keys()
    assert storage.database()["data_keys"].count_documents({}) == 0


def test_another_master_key_than_the_one_that_wrapped_is_told(change_settings):
    protection.ensure_keys()
    change_settings(master_key=fresh_master())
    with pytest.raises(MasterKeyError, match="is not the key that wrapped the stored data key"):
        protection.ensure_keys()


def test_the_store_holds_no_secret_in_the_clear():
    secret = keys.current_key("field").secret
    row = storage.database()["data_keys"].find_one({"_id": "field:1"})
    assert secret not in row["wrapped"]
    assert secret.hex() not in repr(keys.current_key("field"))


def test_a_damaged_or_exchanged_data_key_is_told():
    protection.ensure_keys()
    stored = storage.database()["data_keys"]
    stored.update_one({"_id": "field:1"}, {"$set": {"wrapped": stored.find_one({"_id": "blob:1"})["wrapped"]}})
    protection.forget_keys()
    with pytest.raises(MasterKeyError, match="field:1 is damaged"):
        protection.ensure_keys()


def test_of_several_processes_that_make_the_first_key_one_wins(start_process):
    processes = [start_process("tests.protection.program", "first-key") for _ in range(4)]
    assert {process.stdout.readline() for process in processes} == {"ready\n"}
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    sealed = [bytes.fromhex(process.stdout.readline().strip()) for process in processes]
    assert [protection.open_sealed(each, b"place") for each in sealed] == [b"data"] * 4
    assert [row["version"] for row in keys.versions("blob")] == [1]


def test_a_key_made_inside_a_transaction_survives_its_rollback():
    def work() -> None:
        work.sealed = protection.seal(b"data", b"place")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        storage.atomically(work)
    protection.forget_keys()
    assert protection.open_sealed(work.sealed, b"place") == b"data"


def test_a_version_made_elsewhere_is_found_by_looking_once(monkeypatch):
    protection.seal(b"data", b"place")
    known = dict(keys._rings)
    keys.ensure_version("blob", 2)
    sealed = protection.seal(b"newer", b"place")
    keys._rings.clear()
    keys._rings.update(known)
    assert protection.open_sealed(sealed, b"place") == b"newer"
    unknown = sealed[:1] + (9).to_bytes(4, "big") + sealed[5:]
    with pytest.raises(UnknownKeyVersion, match="version 9 of the data key 'blob'"):
        protection.open_sealed(unknown, b"place")


def test_encrypting_asks_the_store_nothing_once_the_key_is_there(monkeypatch):
    protection.ensure_keys()
    monkeypatch.setattr(storage, "database", lambda: pytest.fail("a round trip"))
    assert protection.open_sealed(protection.seal(b"data", b"place"), b"place") == b"data"


def test_rewrapping_moves_all_keys_to_the_new_master_key(change_settings, clean):
    sealed = protection.seal(b"data", b"place")
    protection.ensure_keys()
    old, new = clean.master_key, fresh_master()
    change_settings(master_key=new, previous_master_key=old)
    assert protection.open_sealed(sealed, b"place") == b"data"  # meanwhile both work
    assert keys.rewrap() == 4
    assert keys.rewrap() == 0
    change_settings(previous_master_key="")
    assert protection.open_sealed(sealed, b"place") == b"data"
    change_settings(master_key=old)
    with pytest.raises(MasterKeyError):
        protection.open_sealed(sealed, b"place")

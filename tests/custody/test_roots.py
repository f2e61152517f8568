"""Roots cover every entry once, are signed, and make a chain of their own."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from typing import Any

import gmssl_pyx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backend import storage
from backend.settings import configure
from plugins.evidence.custody import roots as roots_module
from plugins.evidence.custody import signing
from plugins.evidence.custody.canonical import HASHES
from plugins.evidence.custody.ledger import LedgerBroken
from plugins.evidence.custody.roots import make_all_roots, make_roots
from tests.custody.chains import check_chain, entries, waiting, write
from tests.custody.test_merkle import definition
from tests.district import District


def stored(district: str = "33") -> list[dict[str, Any]]:
    return list(storage.database().evidence_roots.find({"district": district}).sort("number"))


def by_the_rule(root: dict[str, Any]) -> bytes:
    names = ("district", "number", "first", "last", "root", "hash_name", "previous_root", "previous_stamp")
    content = {name: root[name] for name in names} | {"at": root["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check_roots(district: str = "33") -> int:
    """Assert that the roots of a district cover its chain without gap, each signed and naming the one before."""
    last, previous = 0, "0" * 64
    rows = entries(district)
    for number, root in enumerate(stored(district), 1):
        digest = HASHES[root["hash_name"]]
        assert (root["number"], root["first"], root["previous_root"]) == (number, last + 1, previous)
        covered = [bytes.fromhex(row["hash"]) for row in rows[root["first"] - 1 : root["last"]]]
        assert root["root"] == definition(digest, covered).hex()
        check_signature(by_the_rule(root), root["signature"])
        last, previous = root["last"], digest(by_the_rule(root)).hex()
    return last


def check_signature(data: bytes, signature: dict[str, str]) -> None:
    """Raise unless the signature is right, by the public key alone."""
    key = storage.database().evidence_keys.find_one({"key_id": signature["key_id"]})
    spki = signing.unpem(key["public"])
    assert hashlib.sha256(spki).hexdigest()[:16] == signature["key_id"]
    value = bytes.fromhex(signature["value"])
    if signature["algorithm"] == "SM2":
        assert gmssl_pyx.sm2_verify(spki[-64:], data, value, signer_id=b"1234567812345678")
    else:
        Ed25519PublicKey.from_public_bytes(spki[-32:]).verify(value, data)


def test_roots_cover_each_entry_once(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots_module, "MOST", 7)
    write(3)
    assert make_roots("33") == [1]
    assert make_roots("33") == []
    write(17)
    write(5, area="44")
    assert make_all_roots() == 4
    assert [(root["first"], root["last"]) for root in stored()] == [(1, 3), (4, 10), (11, 17), (18, 20)]
    assert (check_roots(), check_roots("44"), check_chain()) == (20, 5, 20)


def test_racing_makers_and_writers_make_one_chain_of_roots(district: District) -> None:
    def work() -> None:
        for _ in range(6):
            write(2)
            make_roots("33")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (check_roots(), check_chain(), waiting()) == (48, 48, 0)


def test_no_root_hides_a_missing_entry(district: District) -> None:
    write(5)
    storage.database().evidence_ledger.delete_one({"seq": 3})
    with pytest.raises(LedgerBroken):
        make_roots("33")
    assert stored() == []


@pytest.mark.parametrize("algorithm", ["Ed25519", "SM2"])
@pytest.mark.parametrize("hash_name", HASHES)
def test_signature_and_hash_are_chosen_by_setting(district: District, algorithm: str, hash_name: str) -> None:
    configure(replace(district.settings, evidence_signature=algorithm, ledger_hash=hash_name))
    write(3)
    make_roots("33")
    configure(district.settings)
    (root,) = stored()
    assert (root["signature"]["algorithm"], root["hash_name"]) == (algorithm, hash_name)
    assert check_roots() == 3


def test_the_certificate_is_that_of_the_key_and_the_private_key_is_not_in_the_store(district: District) -> None:
    write()
    certificate = x509.load_pem_x509_certificate(signing.certificate().encode())
    key = signing.signer()
    (named,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert named.value == "清序证据签名"
    assert certificate.public_key().public_bytes_raw() == signing.unpem(key.public)[-32:]
    certificate.verify_directly_issued_by(certificate)
    stored_key = storage.database().evidence_keys.find_one()
    assert key.private not in stored_key["private"] and key.private.hex().encode() not in stored_key["private"]


def test_a_new_key_signs_and_the_old_one_still_verifies(district: District) -> None:
    write()
    make_roots("33")
    signing.new_key()
    write()
    make_roots("33")
    first, second = stored()
    assert first["signature"]["key_id"] != second["signature"]["key_id"]
    assert check_roots() == 2
    assert signing.signed(by_the_rule(first), first["signature"])
    assert not signing.signed(by_the_rule(second), first["signature"])

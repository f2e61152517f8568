"""The page of custody is enough to write a verifier: its worked example is computed anew by its rules alone."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from plugins.evidence.custody.canonical import ROOT_FIELDS, entry_bytes, link, root_bytes, root_hash, sha256
from plugins.evidence.custody.merkle import proves
from plugins.evidence.custody.models import KINDS
from plugins.evidence.custody.signing import key_id_of
from tests.docs import pages

PAGE = pages.read("custody")
EXAMPLE = pages.section(PAGE, "A worked example")


def ruled(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def example() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    [block] = pages.fenced(EXAMPLE, "json")
    told = json.loads(block)
    [entry], [root], [key] = told["entries"], told["roots"], told["keys"]
    return entry, root, key


def test_the_worked_example_holds_by_the_rules_alone() -> None:
    told, root, key = example()
    canonical = ruled(told["entry"])
    assert canonical.startswith(b'{"actor":{"address":"10.0.0.7","id":') and f"{len(canonical)} bytes" in EXAMPLE
    entry = hashlib.sha256(bytes.fromhex(told["previous"]) + canonical).digest()
    assert entry.hex() == told["hash"]
    leaf = hashlib.sha256(b"\0" + entry).digest()
    first, third = (bytes.fromhex(each) for each in told["proof"])
    node = hashlib.sha256(b"\1" + first + leaf).digest()
    assert hashlib.sha256(b"\1" + node + third).hexdigest() == root["root"]
    signed = ruled({name: value for name, value in root.items() if name not in ("signature", "stamp")})
    spki = base64.b64decode("".join(key["public"].splitlines()[1:-1]))
    assert hashlib.sha256(spki).hexdigest()[:16] == root["signature"]["key_id"] == key["key_id"]
    Ed25519PublicKey.from_public_bytes(spki[-32:]).verify(bytes.fromhex(root["signature"]["value"]), signed)
    for value in (leaf, node, hashlib.sha256(signed).digest()):
        assert value.hex() in EXAMPLE


def test_the_platform_computes_the_same() -> None:
    told, root, key = example()
    row = {**told["entry"], "at": datetime.fromisoformat(told["entry"]["at"])}
    assert link("SHA-256", told["previous"], entry_bytes(row)) == told["hash"]
    path = [bytes.fromhex(each) for each in told["proof"]]
    size, index = root["last"] - root["first"] + 1, told["entry"]["seq"] - root["first"]
    assert proves(sha256, bytes.fromhex(told["hash"]), index, size, path, bytes.fromhex(root["root"]))
    stored = {**root, "at": datetime.fromisoformat(root["at"])}
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert private.sign(root_bytes(stored)).hex() == root["signature"]["value"]
    assert root_hash(stored) in EXAMPLE
    assert key_id_of(key["public"]) == key["key_id"]
    assert set(root) == {*ROOT_FIELDS, "at", "signature", "stamp"}


def test_every_kind_of_entry_has_its_line() -> None:
    section = pages.section(PAGE, "Entries")
    assert [line for line in section.splitlines() if line.startswith("| `")][-len(KINDS) :] == [
        f"| `{kind}` | {title} |" for kind, title in KINDS.items()
    ]

"""An extract is enough to check its entries without the store."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from plugins.evidence.custody import extract
from plugins.evidence.custody.canonical import sha256
from plugins.evidence.custody.merkle import proves
from plugins.evidence.custody.roots import make_roots
from tests.custody.chains import write
from tests.district import District


def ruled(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check(told: dict[str, Any]) -> None:
    """Check an extract by the rules of docs/custody.md."""
    keys = {key["key_id"]: base64.b64decode("".join(key["public"].splitlines()[1:-1])) for key in told["keys"]}
    roots = {root["number"]: root for root in told["roots"]}
    for root in roots.values():
        signed = ruled({name: value for name, value in root.items() if name not in ("signature", "stamp")})
        spki = keys[root["signature"]["key_id"]]
        Ed25519PublicKey.from_public_bytes(spki[-32:]).verify(bytes.fromhex(root["signature"]["value"]), signed)
    for each in told["entries"]:
        entry, root = each["entry"], roots[each["root"]]
        digest = hashlib.sha256(bytes.fromhex(each["previous"]) + ruled(entry)).digest()
        assert digest.hex() == each["hash"]
        path, size = [bytes.fromhex(step) for step in each["proof"]], root["last"] - root["first"] + 1
        assert proves(sha256, digest, entry["seq"] - root["first"], size, path, bytes.fromhex(root["root"]))


def test_an_extract_holds_the_entries_of_a_case_and_of_its_captures_with_their_proofs(district: District) -> None:
    write(5, case="c1")
    write(4, case="c2")
    make_roots("33")
    write(3, case="c2")
    make_roots("33")
    write(3)
    write(2, case="c1", area="44")
    write(1, case="c1", subject_id="s9", purpose="移送", detail={"份": 1})
    told = json.loads(json.dumps(extract("33", case="c1", subjects=["s2"]).as_dict()))
    assert [each["entry"]["seq"] for each in told["entries"]] == [1, 2, 3, 4, 5, 8, 12, 15, 16]
    assert [root["number"] for root in told["roots"]] == [1, 2, 3]
    assert {root["stamp"]["state"] for root in told["roots"]} == {"stamped"}
    check(told)


def test_only_the_roots_that_are_needed_come_along(district: District) -> None:
    for case in ("c1", "c2", "c1"):
        write(2, case=case)
        make_roots("33")
    told = extract("33", case="c1")
    assert [root["number"] for root in told.roots] == [1, 3]
    assert extract("33", case="c9").entries == [] and extract("33").entries == []

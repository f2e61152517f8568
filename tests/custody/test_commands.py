"""The operator verifies the ledger and changes the key from the command line."""

from __future__ import annotations

from click.testing import CliRunner, Result

from backend import storage
from plugins.evidence.custody.commands import COMMANDS
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.signing import certificate, our_keys
from tests.custody.chains import write
from tests.district import District


def run(*arguments: str) -> Result:
    [command] = [each for each in COMMANDS if each.name == arguments[0]]
    return CliRunner().invoke(command, arguments[1:])


def test_verify_ledger_names_the_first_thing_wrong_and_exits_with_1(district: District) -> None:
    assert run("verify-ledger").output == "还没有存证条目。\n"
    write(3)
    write(2, area="44")
    make_roots("33")
    whole = run("verify-ledger")
    assert whole.exit_code == 0
    assert "33　存证链完整：3 条，1 个根" in whole.output and "44　存证链完整：2 条，0 个根" in whole.output
    storage.database().evidence_ledger.update_one({"district": "33", "seq": 2}, {"$set": {"kind": "printed"}})
    broken = run("verify-ledger")
    assert broken.exit_code == 1
    assert "33　存证链被破坏：第 2 条的内容被改动，此前 1 条、0 个根完整。" in broken.output
    assert run("verify-ledger", "--district", "44").exit_code == 0


def test_rotate_evidence_key_makes_the_key_that_signs_from_now_on(district: District) -> None:
    write()
    before = certificate()
    done = run("rotate-evidence-key")
    first, second = our_keys()
    assert done.output == f"已启用新的证据签名密钥 {second.key_id}（Ed25519，第 2 个）。\n"
    assert certificate() == second.certificate != before == first.certificate
    write()
    make_roots("33")
    assert run("verify-ledger").exit_code == 0
    told = storage.database().audit_entries.find({"action": "evidence.key.make"}).sort("_id")
    assert [each["subject_id"] for each in told] == [first.key_id, second.key_id]

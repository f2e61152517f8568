"""Whatever is changed in a package is found, and named where it is."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import random
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gmssl_pyx
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import settings as settings_module
from plugins.evidence.handover import verify_evidence as verifier
from plugins.evidence.handover.commands import verify_evidence
from plugins.evidence.handover.package import VERIFIER, Item, Stream, canonical, measured, seal, small_item
from plugins.evidence.handover.verify_evidence import CERTIFICATE, CONTAINER, LEDGER, MANIFEST, SIGNATURE
from tests.handover.conftest import Ground
from tests.handover.small import Key, check, package, whole

#: For each of both algorithms.
FLIPS = 250


#: Packages by algorithm: nothing that is done to one here changes it.
MADE: dict[str, bytes] = {}


@pytest.fixture(params=["Ed25519", "SM2"])
def made(request: pytest.FixtureRequest) -> bytes:
    """Return a package as the platform makes it, stamped, signed with either algorithm."""
    if request.param in MADE:
        return MADE[request.param]
    ground: Ground = request.getfixturevalue("ground")
    chosen = settings_module.current()
    ledger_hash = "SM3" if request.param == "SM2" else "SHA-256"
    settings_module.configure(dataclasses.replace(chosen, evidence_signature=request.param, ledger_hash=ledger_hash))
    try:
        return MADE.setdefault(request.param, ground.package())
    finally:
        settings_module.configure(chosen)


def places_of(content: bytes) -> list[tuple[int, int, str]]:
    """Return where the content of each file begins and ends, and its path."""
    found = []
    for each in zipfile.ZipFile(io.BytesIO(content)).infolist():
        begin = each.header_offset + 30 + len(each.filename.encode())
        found.append((begin, begin + each.file_size, each.filename))
    return found


def test_every_flipped_bit_is_found_and_its_place_is_named(made: bytes) -> None:
    whole_report = check(made)
    assert whole_report.findings == [] and whole_report.facts["stamps"]
    places, chance = places_of(made), random.Random(7)
    files = {CONTAINER: [at for at in range(len(made)) if not any(begin <= at < end for begin, end, _ in places)]}
    files |= {path: list(range(begin, end)) for begin, end, path in places}
    named = set()
    for _ in range(FLIPS):
        # Half of them anywhere; the other half so that small files and the container come in for it, too.
        spot = random.Random(chance.random())
        path = spot.choice(list(files))
        at = spot.choice(files[path]) if spot.random() < 0.5 else spot.randrange(len(made))
        expected = next((name for begin, end, name in places if begin <= at < end), CONTAINER)
        altered = bytearray(made)
        altered[at] ^= 1 << spot.randrange(8)
        report = check(bytes(altered))
        assert report.code == 1 and report.altered == {expected}, (at, expected, report.findings)
        if expected == CONTAINER:
            assert {finding.offset for finding in report.findings} == {at}
        named.add(expected)
    assert named == set(files)


def test_what_is_appended_cut_off_or_put_in_is_found(made: bytes) -> None:
    places = places_of(made)
    begin, end, path = next(each for each in places if each[2].startswith("originals/"))
    extra = verifier.local_header(path.encode(), 0, 3) + b"new"
    stranger = verifier.local_header(b"originals/zz.jpg", 0, 3) + b"new"
    directory = made.index(b"PK\1\2")
    changed = {
        "appended": (made + b"\0" * 9, CONTAINER, len(made)),
        "cut at the end": (made[:-5], CONTAINER, len(made) - 5),
        "cut in a file": (made[: end - 10], CONTAINER, None),
        "cut after the manifest": (made[:400], CONTAINER, None),
        "the same name twice": (made[:directory] + extra + made[directory:], CONTAINER, directory),
        "a stranger at the end": (made[:directory] + stranger + made[directory:], CONTAINER, directory),
        "a stranger in the middle": (
            made[: begin - 30 - len(path)] + stranger + made[begin - 30 - len(path) :],
            CONTAINER,
            begin - 30 - len(path),
        ),
        "a file taken out": (made[: begin - 30 - len(path)] + made[end:], path, None),
        "a byte less": (made[: end - 1] + made[end:], path, None),
        "bytes before": (b"MZ" + made, CONTAINER, 0),
    }
    for name, (content, place, offset) in changed.items():
        report = check(content)
        assert place in report.altered, (name, report.findings)
        if offset is not None:
            assert offset in {finding.offset for finding in report.findings}, (name, report.findings)
    assert check(b"MZ" + made).code == check(b"").code == 2


def test_swapped_and_replaced_files_are_named(made: bytes) -> None:
    one, two = [each for each in places_of(made) if each[2].startswith("originals/")]
    first, second = made[one[0] : one[1]], made[two[0] : two[1]]
    between = made[one[1] : two[0]]
    swapped = made[: one[0]] + second + between + first + made[two[1] :]
    report = check(swapped)
    assert {one[2], two[2]} <= report.altered and MANIFEST not in report.altered, report.findings
    # Replaced with everything that needs no key put right: check sum, size, and the manifest itself.
    rewritten = check(rebuilt(made, {one[2]: b"another picture"}, sign_anew=False))
    assert rewritten.altered == {MANIFEST}, rewritten.findings


def rebuilt(
    content: bytes,
    changes: Mapping[str, bytes],
    key: Key | None = None,
    *,
    sign_anew: bool = True,
    edit: Callable[[dict[str, Any]], None] = lambda _: None,
) -> bytes:
    """Return the package with files replaced and a manifest that fits, signed with another key or as it was."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    key = key or Key("Ed25519")
    manifest = json.loads(archive.read(MANIFEST))
    changed = {**changes, CERTIFICATE: key.pem} if sign_anew else dict(changes)
    if sign_anew:
        ledger = json.loads(changed.get(LEDGER, archive.read(LEDGER)))
        edit(ledger)
        changed[LEDGER] = canonical(ledger)
    items = []
    for each in manifest["files"]:
        more = {name: each[name] for name in each if name not in ("path", "role", "title", "media_type")}
        for name in ("size", "sha256", "sm3", "crc32"):
            more.pop(name)
        body = changed.get(each["path"], archive.read(each["path"]))
        items.append(small_item(each["path"], each["role"], each["title"], each["media_type"], body, **more))
    facts = {name: manifest[name] for name in ("case", "made", "captures")}
    fresh = seal(facts, items, {item.path: measured(item) for item in items}, key.signer)
    if not sign_anew:
        head = {name: manifest[name] for name in ("key", "algorithm")}
        again = canonical({**json.loads(fresh.manifest), **head})
        fresh = dataclasses.replace(fresh, manifest=again, signature=archive.read(SIGNATURE))
    return whole(fresh)


def test_a_package_signed_anew_is_found_by_the_fingerprint_and_said_to_prove_little_without(made: bytes) -> None:
    real = check(made).facts["fingerprint"]
    forged = rebuilt(made, {"originals/c01-p01.jpg": b"another picture"}, Key("SM2"))
    assert check(forged).findings == []
    pinned = check(forged, real)
    assert pinned.code == 1 and pinned.altered == {CERTIFICATE}
    assert "没有用 --key" in "\n".join(verifier.conclusion(check(forged), pinned=False))
    assert check(made, ":".join(real[at : at + 2] for at in range(0, 64, 2)).upper()).code == 0


def test_in_the_ledger_the_entry_proof_root_signature_and_stamp_are_named(made: bytes) -> None:
    def rename(ledger: dict[str, Any]) -> None:
        ledger["entries"][1]["entry"]["actor"]["name"] = "别人"

    def reroute(ledger: dict[str, Any]) -> None:
        ledger["entries"][1]["proof"][0] = "0" * 64

    def reroot(ledger: dict[str, Any]) -> None:
        ledger["roots"][0]["root"] = "0" * 64

    def resign(ledger: dict[str, Any]) -> None:
        ledger["roots"][0]["signature"]["value"] = "0" * 128

    def restamp(ledger: dict[str, Any]) -> None:
        ledger["roots"][0]["stamp"]["at"] = "2020-01-01T00:00:00.000000Z"

    def remove(ledger: dict[str, Any]) -> None:
        ledger["roots"].clear()

    for edit, words in (
        (rename, "第 2 条记录：内容被改动"),
        (reroute, "第 2 条记录：证明与根不符"),
        (reroot, "第 1 个根：签名"),
        (resign, "第 1 个根："),
        (restamp, "第 1 个根的时间戳：签名"),
        (remove, "第 2 条记录：没有覆盖它的根"),
    ):
        report = check(rebuilt(made, {}, edit=edit))
        assert any(words in finding.text for finding in report.findings), (words, report.findings)


def test_a_stamp_that_is_foreign_cut_or_unreadable_is_named(made: bytes) -> None:
    archive = zipfile.ZipFile(io.BytesIO(made))
    token = "stamps/root-000001.tsr"
    for content in (b"", b"\x30\x80\0\0", archive.read(token)[:-1], archive.read("originals/c01-p01.jpg")):
        report = check(rebuilt(made, {token: content}))
        assert report.altered == {token}, report.findings


def certified(name: str) -> tuple[Ed25519PrivateKey, bytes]:
    """Return a key and its certificate (DER)."""
    key = Ed25519PrivateKey.generate()
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(named, named, key.public_key(), 7, now, now + timedelta(days=1))
    return key, builder.sign(key, None).public_bytes(Encoding.DER)


def test_the_authority_is_judged_by_the_rules_of_rfc_3161(made: bytes) -> None:
    archive = zipfile.ZipFile(io.BytesIO(made))
    token, known = archive.read("stamps/root-000001.tsr"), archive.read("stamps/root-000001.pem")
    authorities = verifier.pem_blocks(known, "CERTIFICATE")
    assert verifier.read_stamp(token, authorities).issued
    _, unrelated = certified("another authority")
    with pytest.raises(verifier.Refused, match="不是由包内所列"):
        verifier.read_stamp(token, [unrelated])
    for old, new, why in (
        (verifier.TIME_STAMPING, verifier.TIME_STAMPING[:-1] + b"\x01", "时间戳专用"),
        (b"20" + verifier.read_stamp(token, []).at.strftime("%y%m%d%H%M%S").encode() + b"Z", None, "摘要与内容不符"),
    ):
        altered = token.replace(old, new if new is not None else old[:-2] + bytes([old[-2] ^ 1]) + b"Z")
        assert altered != token
        with pytest.raises(verifier.Refused, match=why):
            verifier.read_stamp(altered, [])


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=300))
def test_sm3_and_sm2_agree_with_gmssl(data: bytes) -> None:
    slow, fast = verifier.SlowSm3(), Hash(SM3())
    for part in (data[:100], data[100:]):
        slow.update(part)
    fast.update(data)
    assert slow.hexdigest() == fast.finalize().hex() == gmssl_pyx.sm3_hash(data).hex()
    public, private = gmssl_pyx.sm2_key_generate()
    signature = gmssl_pyx.sm2_sign(private, public, data)
    assert verifier.sm2_verify(public, data, signature)
    assert not verifier.sm2_verify(public, data + b"!", signature)
    assert not verifier.sm2_verify(gmssl_pyx.sm2_key_generate()[0], data, signature)


SMALL = whole(package(Key("Ed25519")))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_crafted_file_stops_the_verification(data: st.DataObject) -> None:
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.sampled_from((0, 1, 4, 60)))
        content[at : at + length] = data.draw(st.binary(max_size=70))
    report = check(bytes(content))
    assert report.code in (1, 2) or bytes(content) == SMALL
    assert list(verifier.conclusion(report, pinned=False))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(("manifest", "signature", "certificate", "ledger")))
def test_hostile_content_under_a_valid_container_becomes_a_finding(content: bytes, where: str) -> None:
    key = Key("Ed25519")
    fresh = package(key)
    if where in ("manifest", "signature"):
        fresh = dataclasses.replace(fresh, **{where: content})
        report = check(whole(fresh))
        assert report.code == 1 and report.altered & {MANIFEST, SIGNATURE}
        return
    report = check(rebuilt(whole(fresh), {CERTIFICATE if where == "certificate" else LEDGER: content}, sign_anew=False))
    assert report.code == 1


def test_json_bombs_and_terminal_codes_do_no_harm() -> None:
    fresh = package(Key("Ed25519"))
    for content in (b"[" * 200_000, b'{"files":' + b"9" * 100_000 + b"}", b'{"a":1e999}', b"\xff\xfe{}"):
        assert check(whole(dataclasses.replace(fresh, manifest=content))).altered == {MANIFEST}
    name = "originals/\x1b[2J\u202ex.jpg".encode()
    extra = verifier.local_header(name, 0, 0)
    report = check(SMALL[: SMALL.index(b"PK\1\2")] + extra + SMALL[SMALL.index(b"PK\1\2") :])
    told = "\n".join(verifier.conclusion(report, pinned=True))
    assert "\x1b" not in told and "\u202e" not in told and "多出文件" in told
    huge = (
        struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0x800, 0, 0, 0x21, 0, 0xFFFFFFFF, 0xFFFFFFFF, 13, 0) + b"manifest.json"
    )
    assert check(huge).code == 1


def test_the_single_file_and_the_command_tell_people_and_programs(made: bytes, tmp_path: Path) -> None:
    file, tool = tmp_path / "移送包.zip", tmp_path / "verify_evidence.py"
    file.write_bytes(made)
    tool.write_bytes(VERIFIER.read_bytes())
    assert zipfile.ZipFile(file).read("verify_evidence.py") == tool.read_bytes()
    key = check(made).facts["fingerprint"]

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", str(tool), *arguments], capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    code, told = run(str(file), "--key", key)
    assert code == 0 and "未发现任何改动" in told and "注意" not in told
    assert "注意：没有用 --key" in run(str(file))[1]
    altered = bytearray(made)
    altered[places_of(made)[-1][0]] ^= 1
    file.write_bytes(altered)
    code, told = run(str(file), "--json", "--key", key)
    findings = json.loads(told)["findings"]
    assert code == 1 and [each["place"] for each in findings] == [places_of(made)[-1][2]]
    assert run(str(tmp_path / "none.zip"))[0] == run(str(tool))[0] == run(str(file), "--key", "12")[0] == 2
    command = CliRunner().invoke(verify_evidence, [str(file), "--key", key])
    assert command.exit_code == 1 and f"× {places_of(made)[-1][2]}：内容被改动" in command.output


def test_neither_writing_nor_verifying_needs_memory_for_the_whole_file(tmp_path: Path) -> None:
    chunk, count = bytes(1 << 20), 48
    sha256, sm3 = hashlib.sha256(), Hash(SM3())
    for _ in range(count):
        sha256.update(chunk)
        sm3.update(chunk)
    clip = Item(
        path="originals/c01-clip.mp4",
        role="original",
        title="视频",
        media_type="video/mp4",
        sha256=sha256.hexdigest(),
        sm3=sm3.finalize().hex(),
        read=lambda: (chunk for _ in range(count)),
    )
    key, file = Key("Ed25519"), tmp_path / "package.zip"
    tracemalloc.start()
    try:
        with file.open("wb") as out:
            shutil.copyfileobj(Stream(package(key, clip).chunks()), out)
        with file.open("rb") as opened:
            assert verifier.verify(opened, key.fingerprint).code == 0
        assert tracemalloc.get_traced_memory()[1] < 8 << 20 < file.stat().st_size / 5
    finally:
        tracemalloc.stop()

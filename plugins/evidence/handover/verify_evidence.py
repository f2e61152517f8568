"""Check a hand-over package of Qingxu 清序 (核验清序固证包), without database and network.

`python verify_evidence.py FILE [--key FINGERPRINT] [--json]`. Needs Python 3.9+ and the package `cryptography`.
What is checked, and by which rules, stands in docs/package.md and docs/custody.md. Exit code: 0 nothing was altered,
1 something was, 2 the file cannot be read or is no package. Nothing in the file is trusted, unpacked or executed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

CONTAINER = "容器"
MANIFEST, SIGNATURE, CERTIFICATE, LEDGER = HEADS = ("manifest.json", "manifest.sig", "certificate.pem", "ledger.json")
SIGNED = b"qingxu-evidence-package-v1\n"
CHUNK = 1 << 20
#: Bounds on what is read into memory; the content of other files is only hashed.
LARGEST = {MANIFEST: 16 << 20, SIGNATURE: 1 << 16, CERTIFICATE: 1 << 16, LEDGER: 64 << 20}
LARGEST_SMALL = 1 << 20
MOST_FINDINGS = 200
#: Each may read the whole file, so a crafted one must not ask for many.
MOST_SEARCHES = 20


class Refused(ValueError):
    """Something is not as it must be; the text says what, in Chinese."""


class Finding(NamedTuple):
    """One thing that is wrong: the file, or CONTAINER with the offset of the byte."""

    place: str
    text: str
    offset: int | None = None


class Report:
    """What was found, and what was seen on the way."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.facts: dict[str, Any] = {"files": 0, "bytes": 0, "entries": 0, "proofs": 0, "roots": 0, "stamps": []}
        self.readable = True

    def find(self, place: str, text: str, offset: int | None = None) -> None:
        """Note something that is wrong."""
        if len(self.findings) < MOST_FINDINGS and (place, text, offset) not in self.findings:
            self.findings.append(Finding(place, text, offset))

    @contextmanager
    def about(self, place: str, what: str) -> Iterator[None]:
        """Turn whatever goes wrong inside into a finding: a crafted package must not stop the verification."""
        try:
            yield
        except Refused as wrong:
            self.find(place, f"{what}：{wrong}")
        except Exception as error:
            self.find(place, f"{what}：内容无法识读（{type(error).__name__}）")

    @property
    def altered(self) -> set[str]:
        """The places that are named so far."""
        return {finding.place for finding in self.findings}

    @property
    def code(self) -> int:
        """The exit code."""
        return 2 if not self.readable else 1 if self.findings else 0


# --- The container -----


def local_header(name: bytes, crc: int, size: int) -> bytes:
    """Return the only local header that an entry may have."""
    return struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0x0800, 0, 0, 0x21, crc, size, size, len(name), 0) + name


def central_record(name: bytes, crc: int, size: int, offset: int) -> bytes:
    """Return the only record that an entry may have in the central directory."""
    fixed = (b"PK\1\2", 20, 20, 0x0800, 0, 0, 0x21, crc, size, size, len(name), 0, 0, 0, 0, 0, offset)
    return struct.pack("<4s6H3I5H2I", *fixed) + name


def end_record(count: int, size: int, offset: int) -> bytes:
    """Return the only end that a container may have."""
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, size, offset, 0)


class Entry:
    """An entry as it was found: where its header begins, its size, and once read its CRC and hashes."""

    def __init__(self, name: bytes, start: int, size: int, header: bytes) -> None:
        self.name, self.start, self.size = name, start, size
        self.crcs = [struct.unpack_from("<I", header, 14)[0]]
        self.crc, self.sha256, self.sm3 = 0, "", ""
        self.path = name.decode("utf-8", "replace")

    @property
    def content(self) -> int:
        """Where the content begins."""
        return self.start + 30 + len(self.name)

    @property
    def end(self) -> int:
        """Where the next header begins."""
        return self.content + self.size

    @property
    def damaged(self) -> bool:
        """Whether the content fits none of the check sums that the container gives for it."""
        return self.crc not in self.crcs


class Package:
    """The bytes of a package."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.searches = 0
        self.size = file.seek(0, io.SEEK_END)

    def at(self, offset: int, length: int) -> bytes:
        """Return the bytes there, fewer at the end."""
        self.file.seek(offset)
        return self.file.read(length)

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Yield an entry's content."""
        for offset in range(entry.content, entry.end, CHUNK):
            yield self.at(offset, min(CHUNK, entry.end - offset))

    def read(self, entry: Entry) -> bytes:
        """Return the content of one of the small entries."""
        if entry.size > LARGEST.get(entry.path, LARGEST_SMALL):
            raise Refused("文件过大")
        return self.at(entry.content, entry.size)

    def measure(self, entry: Entry) -> None:
        """Hash an entry's content, in one pass."""
        digests, crc = [hashlib.sha256(), new_sm3()], 0
        for chunk in self.chunks(entry):
            crc = zlib.crc32(chunk, crc)
            for digest in digests:
                digest.update(chunk)
        entry.crc, (entry.sha256, entry.sm3) = crc, (digest.hexdigest() for digest in digests)

    def looks_like(self, offset: int, name: bytes) -> bool:
        """Say whether the local header there is that of `name`, a few altered bytes aside."""
        found = self.at(offset, 30 + len(name))
        wanted = local_header(name, 0, 0)
        pairs = [pair for number, pair in enumerate(zip(found, wanted)) if not 14 <= number < 26]
        return len(found) == len(wanted) and sum(one != other for one, other in pairs) <= 2

    def is_boundary(self, offset: int, following: bytes | None) -> bool:
        """Say whether an entry, `following` if that is known, or the central directory begins there."""
        if self.at(offset, 4) in (b"PK\3\4", b"PK\1\2"):
            return True
        if following is None:
            return self.at(offset + 46, len(MANIFEST)) == MANIFEST.encode()
        return self.looks_like(offset, following)

    def entry_at(self, offset: int, name: bytes, size: int | None, following: bytes | None) -> Entry | None:
        """Return the entry there, with the size that leads to the next; None when there is no next."""
        header, begin = self.at(offset, 30), offset + 30 + len(name)
        for each in (size, *struct.unpack_from("<2I", header, 18)):
            if each is not None and self.is_boundary(begin + each, following):
                return Entry(name, offset, each, header)
        found = self.search(begin, following)
        return None if found is None else Entry(name, offset, found - begin, header)

    def search(self, offset: int, following: bytes | None) -> int | None:
        """Return where the next header is, when every size that is told of the content before is wrong."""
        mark = b"PK\1\2" if following is None else local_header(following, 0, 0)[:14]
        self.searches += 1
        while self.searches <= MOST_SEARCHES and (found := self.at(offset, CHUNK)):
            place = found.find(mark)
            while place >= 0:
                if self.is_boundary(offset + place, following) and (
                    following is None or self.looks_like(offset + place, following)
                ):
                    return offset + place
                place = found.find(mark, place + 1)
            offset += max(1, len(found) - len(mark) + 1)
        return None

    def foreign(self, offset: int) -> Entry | None:
        """Return the entry there, whatever its name is, by what its header says; None when there is none."""
        header = self.at(offset, 30)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            return None
        size, length = struct.unpack_from("<I", header, 18)[0], struct.unpack_from("<H", header, 26)[0]
        entry = Entry(self.at(offset + 30, length), offset, size, header)
        return entry if entry.end <= self.size else None


def find_entries(package: Package, report: Report, listed: Sequence[tuple[bytes, int | None]]) -> list[Entry]:
    """Return the entries that are listed by name and size, as far as they are there; names what is not."""
    places = {name: number for number, (name, _) in enumerate(listed)}
    found: list[Entry] = []
    offset, number, surplus = 0, 0, 0
    while number < len(listed):
        name, size = listed[number]
        if package.looks_like(offset, name):
            following = listed[number + 1][0] if number + 1 < len(listed) else None
            entry = package.entry_at(offset, name, size, following)
            if entry is None:
                break
            found.append(entry)
            offset, number = entry.end, number + 1
            continue
        stranger = package.foreign(offset)
        if stranger is None or surplus > MOST_FINDINGS:
            break
        later = places.get(stranger.name, -1)
        if later > number:
            for missing, _ in listed[number:later]:
                report.find(missing.decode("utf-8", "replace"), "文件缺失，或顺序被改变")
            number = later
        else:
            surplus += 1
            report.find(CONTAINER, f"偏移 {offset} 处多出文件 {shown(stranger.path)}", offset)
            offset = stranger.end
    if number < len(listed):
        left = f"其后 {len(listed) - number} 个文件无法核对"
        report.find(
            CONTAINER, f"自偏移 {offset} 起结构被破坏，或文件被截断（现有 {package.size} 字节），{left}", offset
        )
    return found


def walk(package: Package) -> list[tuple[bytes, int | None]]:
    """Return names and sizes as the local headers tell them: all there is when the manifest is spoilt."""
    listed: list[tuple[bytes, int | None]] = []
    entry = package.foreign(0)
    while entry is not None and len(listed) < 65535:
        listed.append((entry.name, entry.size))
        entry = package.foreign(entry.end)
    return listed


def check_container(package: Package, report: Report, entries: Sequence[Entry], crcs: Mapping[str, int]) -> None:
    """Compare every byte that is not content with the one that must be there."""
    begin = entries[-1].end
    while (stranger := package.foreign(begin)) is not None and len(report.findings) < MOST_FINDINGS:
        report.find(CONTAINER, f"偏移 {begin} 处多出文件 {shown(stranger.path)}", begin)
        begin = stranger.end
    position, directory = begin, b""
    for entry in entries:
        entry.crcs.append(struct.unpack("<I", package.at(position + 16, 4).ljust(4, b"\0"))[0])
        position += 46 + len(entry.name)
    for entry in entries:
        # The container may give the check sum of the content as it was or as it is; any other was altered itself.
        right = crcs.get(entry.path, entry.crc)
        known = {entry.crc, right, *(entry.crcs[:1] if entry.crcs[0] == entry.crcs[1] else ())}
        local, central = (crc if crc in known else right for crc in entry.crcs)
        compare(package, report, entry.start, local_header(entry.name, local, entry.size))
        directory += central_record(entry.name, central, entry.size, entry.start)
    expected = directory + end_record(len(entries), len(directory), begin)
    compare(package, report, begin, expected)
    if package.size > (end := begin + len(expected)):
        report.find(CONTAINER, f"偏移 {end} 之后多出 {package.size - end} 字节", end)


def compare(package: Package, report: Report, offset: int, expected: bytes) -> None:
    """Name each run of bytes that differs from what must be there."""
    found, before = package.at(offset, len(expected)), -2
    for number, (is_there, must_be) in enumerate(zip(found, expected)):
        if is_there != must_be:
            if number > before + 1:
                report.find(CONTAINER, f"偏移 {offset + number} 处的字节被改动", offset + number)
            before = number
    if len(found) < len(expected):
        report.find(CONTAINER, f"文件在偏移 {package.size} 处被截断", package.size)


# --- Manifest and files -----


def verify(file: BinaryIO, key: str = "") -> Report:
    """Check a whole package; `key` is the fingerprint that its certificate must have. Raises OSError alone."""
    report, package = Report(), Package(file)
    if not package.looks_like(0, MANIFEST.encode()):
        report.readable = False
        report.find(CONTAINER, "这不是清序固证包", 0)
        return report
    with report.about(CONTAINER, "核验"):
        verify_package(package, report, normal(key))
    return report


def verify_package(package: Package, report: Report, key: str) -> None:
    """Check manifest, container, files, ledger and stamps, in this order."""
    heads = {entry.path: entry for entry in find_entries(package, Report(), [(name.encode(), None) for name in HEADS])}
    contents = {}
    for path in HEADS[:3]:
        with report.about(path, "读取"):
            if path in heads:
                package.measure(heads[path])
                contents[path] = package.read(heads[path])
    proven = check_signature(report, heads, contents, key)
    files: dict[str, Any] = {}
    # A manifest that is spoilt by itself says nothing about the others; one with a foreign signature still may.
    if proven or (MANIFEST in contents and not heads[MANIFEST].damaged):
        with report.about(MANIFEST, "清单"):
            manifest = read_manifest(contents[MANIFEST])
            if proven and (manifest["key"], manifest["algorithm"]) != (
                report.facts["fingerprint"],
                report.facts["algorithm"],
            ):
                raise Refused("所写的密钥不是签名的密钥")
            report.facts.update(case=manifest["case"], made=manifest["made"])
            files = {each["path"]: each for each in manifest["files"]}
    listed = [(path.encode(), each["size"]) for path, each in files.items()]
    first = [(name.encode(), None) for name in HEADS[:2]]
    entries = find_entries(package, report, first + listed if files else walk(package))
    for entry in entries:
        package.measure(entry)
    if not entries:
        report.find(CONTAINER, f"结构被破坏，或文件在偏移 {package.size} 处被截断", package.size)
    else:
        check_container(package, report, entries, {path: each["crc32"] for path, each in files.items()})
    for entry in entries:
        check_file(report, entry, files.get(entry.path))
    report.facts.update(files=len(entries), bytes=sum(entry.size for entry in entries))
    with report.about(LEDGER, "账本"):
        check_ledger(package, report, {entry.path: entry for entry in entries})


def read_manifest(content: bytes) -> dict[str, Any]:
    """Return the manifest; raises Refused unless it is one, in the only form it may have."""
    manifest = read_json(content)
    if (manifest.get("format"), manifest.get("version")) != ("qingxu-evidence-package", 1):
        raise Refused("格式或版本不是本工具所能核验的")
    paths = [each["path"] for each in manifest["files"]]
    if tuple(paths[:2]) != HEADS[2:] or len({*paths, *HEADS[:2]}) != len(paths) + 2:
        raise Refused("文件列表有误")
    for each in manifest["files"]:
        numbers = (each["size"], each["crc32"])
        if not all(type(number) is int and 0 <= number < 1 << 32 for number in numbers):
            raise Refused("文件大小或校验和有误")
        if not all(re.fullmatch("[0-9a-f]{64}", each[name]) for name in ("sha256", "sm3")):
            raise Refused("文件的哈希值有误")
        if len(each["path"].encode()) > 1000:
            raise Refused("文件名过长")
    if not isinstance(manifest["case"], dict) or not isinstance(manifest["made"], dict):
        raise Refused("案件信息有误")
    return manifest


def check_file(report: Report, entry: Entry, known: Mapping[str, Any] | None) -> None:
    """Compare a file's content with what the manifest says of it, or with the container's own check sums."""
    if known is None:
        if entry.damaged:
            report.find(entry.path, "内容被改动（与校验和不符）")
    elif entry.size != known["size"]:
        report.find(entry.path, f"内容被替换：应为 {known['size']} 字节，实为 {entry.size} 字节")
    elif entry.sha256 != known["sha256"]:
        report.find(entry.path, f"内容被改动：SHA-256 应为 {known['sha256']}，实为 {entry.sha256}")
    elif entry.sm3 != known["sm3"]:
        report.find(entry.path, f"内容被改动：SM3 应为 {known['sm3']}，实为 {entry.sm3}")
    elif entry.crc != known["crc32"]:
        report.find(MANIFEST, f"文件 {shown(entry.path)} 的 CRC-32 与清单不符")


def check_signature(report: Report, heads: Mapping[str, Entry], contents: Mapping[str, bytes], key: str) -> bool:
    """Verify the manifest's signature and return whether it holds; a failure is blamed on what shows damage."""
    fingerprint, reason = "", "缺少清单、签名或证书"
    try:
        if len(contents) == 3:
            key_bytes = platform_key(contents[CERTIFICATE])
            fingerprint = hashlib.sha256(key_bytes).hexdigest()
            report.facts["fingerprint"] = fingerprint
            signature = read_json(contents[SIGNATURE])
            check_signed({fingerprint[:16]: key_bytes}, signature, SIGNED + contents[MANIFEST])
            report.facts["algorithm"] = signature["algorithm"]
            reason = ""
    except Refused as wrong:
        reason = str(wrong)
    except Exception as error:
        reason = f"签名或证书无法识读（{type(error).__name__}）"
    if reason:
        spoilt = [path for path in HEADS[:3] if path in heads and heads[path].damaged]
        for path in spoilt or [MANIFEST]:
            report.find(path, f"清单签名未通过：{reason}" if not spoilt else f"内容被改动，清单签名未通过：{reason}")
    if key and fingerprint != key:
        report.find(CERTIFICATE, f"密钥指纹与指定的不符：实为 {colons(fingerprint) or '无'}")
    return not reason


def check_signed(keys: Mapping[str, bytes], signature: Mapping[str, str], data: bytes) -> None:
    """Verify what the platform signed with one of the keys (by id, as DER); raises Refused."""
    if set(signature) != {"algorithm", "key_id", "value"} or signature["key_id"] not in keys:
        raise Refused("签名所用的密钥不在包内")
    kind, public = public_key(keys[signature["key_id"]])
    value = bytes.fromhex(signature["value"])
    if kind != signature["algorithm"] or value.hex() != signature["value"]:
        raise Refused("签名的算法或写法有误")
    check_value(kind, public, value, data)


def check_value(kind: str, public: bytes, value: bytes, data: bytes) -> None:
    """Verify an Ed25519 or SM2 signature; raises Refused."""
    try:
        if kind == "Ed25519":
            ed25519.Ed25519PublicKey.from_public_bytes(public).verify(value, data)
        elif kind != "SM2" or not sm2_verify(public, data, value):
            raise InvalidSignature
    except InvalidSignature:
        raise Refused("签名与内容不符") from None


def read_json(content: bytes) -> Any:
    """Return an object from JSON of the one form that the platform writes; raises Refused for any other."""
    try:
        value = json.loads(content, parse_int=whole, parse_constant=whole)
        again = as_json(value)
    except (ValueError, RecursionError, UnicodeError):
        raise Refused("不是有效的 JSON") from None
    if not isinstance(value, dict) or again != content:
        raise Refused("JSON 的写法不合规定")
    return value


def whole(digits: str) -> int:
    """Return a number of a sane length."""
    if len(digits) > 20:
        raise ValueError("too long")
    return int(digits)


# --- SM3 and SM2 -----


class SlowSm3:
    """SM3 (GB/T 32905) in plain Python, for an OpenSSL that has none."""

    def __init__(self) -> None:
        words = "7380166f 4914b2b9 172442d7 da8a0600 a96f30bc 163138aa e38dee4d b0fb0e4e"
        self.state = [int(word, 16) for word in words.split()]
        self.rest, self.length = b"", 0

    def update(self, data: bytes) -> None:
        """Take in more."""
        self.length += len(data)
        data = self.rest + data
        used = len(data) // 64 * 64
        for offset in range(0, used, 64):
            self.block(data[offset : offset + 64])
        self.rest = data[used:]

    def hexdigest(self) -> str:
        """Return the hash; nothing may be added after it."""
        bits = struct.pack(">Q", self.length * 8)
        self.update(b"\x80" + bytes((55 - self.length) % 64) + bits)
        return "".join(f"{word:08x}" for word in self.state)

    def block(self, block: bytes) -> None:
        """Work one block of 64 bytes in."""

        def turn(word: int, bits: int) -> int:
            bits %= 32
            return (word << bits | word >> (32 - bits)) & 0xFFFFFFFF

        words = list(struct.unpack(">16I", block))
        for j in range(16, 68):
            mixed = words[j - 16] ^ words[j - 9] ^ turn(words[j - 3], 15)
            mixed ^= turn(mixed, 15) ^ turn(mixed, 23)
            words.append(mixed ^ turn(words[j - 13], 7) ^ words[j - 6])
        a, b, c, d, e, f, g, h = self.state
        for j in range(64):
            constant = 0x79CC4519 if j < 16 else 0x7A879D8A
            first = turn((turn(a, 12) + e + turn(constant, j)) & 0xFFFFFFFF, 7)
            left = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            right = e ^ f ^ g if j < 16 else e & f | ~e & g
            one = (left + d + (first ^ turn(a, 12)) + (words[j] ^ words[j + 4])) & 0xFFFFFFFF
            two = (right + h + first + words[j]) & 0xFFFFFFFF
            a, b, c, d, e, f, g, h = one, a, turn(b, 9), c, two ^ turn(two, 9) ^ turn(two, 17), e, turn(f, 19), g
        self.state = [old ^ new for old, new in zip(self.state, (a, b, c, d, e, f, g, h))]


class FastSm3:
    """SM3 of OpenSSL with the manners of hashlib."""

    def __init__(self) -> None:
        self.digest = hashes.Hash(hashes.SM3())
        self.update = self.digest.update

    def hexdigest(self) -> str:
        """Return the hash."""
        return self.digest.finalize().hex()


def new_sm3() -> FastSm3 | SlowSm3:
    """Return a fresh SM3."""
    try:
        return FastSm3()
    except UnsupportedAlgorithm:
        return SlowSm3()


def digest_of(name: str, data: bytes) -> bytes:
    """Return the hash of this name ("sm3", "sha256", ...); raises Refused for one that is not known."""
    if name == "sm3":
        chinese = new_sm3()
        chinese.update(data)
        return bytes.fromhex(chinese.hexdigest())
    if name not in ("sha256", "sha384", "sha512"):
        raise Refused(f"不支持的哈希算法 {shown(name)}")
    return hashlib.new(name, data).digest()


#: The curve of SM2 (GB/T 32918.5): field, order, a, b and the base point.
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = Any  # (x, y), or None for the point at infinity


def add(one: Point, two: Point) -> Point:
    """Return the sum of two points of the curve."""
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiple(factor: int, point: Point) -> Point:
    """Return a point added to itself `factor` times."""
    total = None
    for bit in bin(factor)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


@lru_cache(maxsize=4096)
def sm2_verify(public: bytes, data: bytes, signature: bytes, signer: bytes = b"1234567812345678") -> bool:
    """Say whether `signature` (DER of r and s) over `data` is that of the public point (64 bytes)."""
    r, s = (number(each) for each in inside(one_node(signature), 0x30, 2))
    point = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")
    if len(public) != 64 or max(point) >= P or (point[1] ** 2 - point[0] ** 3 - A * point[0] - B) % P:
        raise Refused("SM2 公钥无效")
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    curve = b"".join(each.to_bytes(32, "big") for each in (A, B, *G))
    identity = digest_of("sm3", struct.pack(">H", len(signer) * 8) + signer + curve + public)
    e = int.from_bytes(digest_of("sm3", identity + data), "big")
    found = add(multiple(s, G), multiple((r + s) % N, point))
    return found is not None and (e + found[0]) % N == r


# --- DER and certificates -----


class Node(NamedTuple):
    """A value in DER: its tag, its content, and the whole with tag and length."""

    tag: int
    body: bytes
    whole: bytes


def nodes(data: bytes) -> list[Node]:
    """Return the values that follow each other in `data`; raises Refused for what is not DER."""
    found: list[Node] = []
    start = 0
    while start < len(data):
        if len(data) < start + 2 or data[start] & 0x1F == 0x1F:
            raise Refused("不是有效的 DER 编码")
        length, begin = data[start + 1], start + 2
        if length >= 0x80:
            octets = data[begin : begin + length - 0x80]
            length, begin = int.from_bytes(octets, "big"), begin + len(octets)
            if not 1 <= len(octets) <= 4 or octets[0] == 0 or length < 0x80:
                raise Refused("不是有效的 DER 编码")
        if begin + length > len(data) or len(found) > 10_000:
            raise Refused("不是有效的 DER 编码")
        found.append(Node(data[start], data[begin : begin + length], data[start : begin + length]))
        start = begin + length
    return found


def one_node(data: bytes) -> Node:
    """Return the one value that `data` is."""
    found = nodes(data)
    if len(found) != 1:
        raise Refused("不是有效的 DER 编码")
    return found[0]


def inside(node: Node, tag: int, least: int = 0) -> list[Node]:
    """Return what a value of that tag holds, at least so many."""
    found = nodes(node.body)
    if node.tag != tag or len(found) < least:
        raise Refused("结构与标准不符")
    return found


def number(node: Node) -> int:
    """Return a whole number."""
    if node.tag != 2 or not 1 <= len(node.body) <= 1024:
        raise Refused("结构与标准不符")
    return int.from_bytes(node.body, "big", signed=True)


def oid(node: Node) -> str:
    """Return an object identifier in dots."""
    if node.tag != 6 or not 1 <= len(node.body) <= 64:
        raise Refused("结构与标准不符")
    parts, value = [], 0
    for octet in node.body:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            parts.append(value)
            value = 0
    first = min(parts[0] // 40, 2)
    return ".".join(str(part) for part in (first, parts[0] - 40 * first, *parts[1:]))


def pem_blocks(content: bytes, label: str) -> list[bytes]:
    """Return the DER bytes of the blocks of that label in a PEM file."""
    mark = label.encode()
    found = re.findall(b"-----BEGIN " + mark + rb"-----([A-Za-z0-9+/=\s]+)-----END " + mark + b"-----", content)
    return [base64.b64decode(b"".join(block.split()), validate=True) for block in found]


def platform_key(content: bytes) -> bytes:
    """Return the public key (DER) in a PEM file that holds one certificate or, for SM2, the bare key."""
    certified, bare = pem_blocks(content, "CERTIFICATE"), pem_blocks(content, "PUBLIC KEY")
    if len(certified) + len(bare) != 1:
        raise Refused("应有且仅有一份证书或公钥")
    return bare[0] if bare else certificate_parts(certified[0])[5].whole


def certificate_parts(certificate: bytes) -> list[Node]:
    """Return serial number, algorithm, issuer, validity, subject, public key and what follows."""
    parts = inside(inside(one_node(certificate), 0x30, 3)[0], 0x30, 6)
    return parts[1:] if parts[0].tag == 0xA0 else parts


def public_key(key: bytes) -> tuple[str, bytes]:
    """Return the kind of a public key (DER) and its bytes: raw for Ed25519 and SM2, else the whole structure."""
    algorithm, bits = inside(one_node(key), 0x30, 2)
    names = [oid(each) for each in nodes(algorithm.body) if each.tag == 6]
    if names == ["1.3.101.112"]:
        return "Ed25519", bits.body[1:]
    if names == ["1.2.840.10045.2.1", "1.2.156.10197.1.301"] and bits.body[:2] == b"\0\4":
        return "SM2", bits.body[2:]
    return "other", key


def described(certificate: bytes) -> dict[str, str]:
    """Return what a person wants to know of a certificate: subject, validity and fingerprint."""
    parts = certificate_parts(certificate)
    names = [inside(inside(each, 0x31, 1)[0], 0x30, 2)[1] for each in nodes(parts[4].body)]
    since, until = (moment(each) for each in inside(parts[3], 0x30, 2))
    subject = ", ".join(each.body.decode("utf-8", "replace") for each in names)
    fingerprint = hashlib.sha256(certificate).hexdigest()
    return {"subject": subject, "since": since.isoformat(), "until": until.isoformat(), "fingerprint": fingerprint}


def moment(node: Node) -> datetime:
    """Return a UTCTime or GeneralizedTime."""
    text = node.body.decode("ascii")
    if node.tag == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    found = re.fullmatch(r"(\d{14})(?:\.(\d{1,6})\d*)?Z", text)
    if node.tag not in (0x17, 0x18) or not found:
        raise Refused("时间的写法不合标准")
    whole_seconds = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    return whole_seconds + timedelta(microseconds=int((found[2] or "0").ljust(6, "0")))


# --- Time stamps (RFC 3161, CMS of RFC 5652) -----

DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "1.2.156.10197.1.401": "sm3",
}
TST_INFO, SIGNED_DATA = "1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
#: RSA signatures of PKCS #1 v1.5: named by the key alone, or with SHA-256, -384 or -512.
PKCS1 = tuple(f"1.2.840.113549.1.1.{last}" for last in (1, 11, 12, 13))
#: The hash of a certificate's signature, by the name of the whole: RSA and ECDSA with SHA-256, -384 and -512.
CERTIFIED_BY = {
    f"{family}.{last}": name
    for family, lasts in (("1.2.840.113549.1.1", (11, 12, 13)), ("1.2.840.10045.4.3", (2, 3, 4)))
    for last, name in zip(lasts, ("sha256", "sha384", "sha512"))
}
TIME_STAMPING = bytes.fromhex("300a06082b06010505070308")


class Stamp(NamedTuple):
    """A time stamp that holds: when, for what hash, by whose certificate, and whether a known authority issued that."""

    at: datetime
    algorithm: str
    imprint: bytes
    certificate: bytes
    issued: bool


def read_stamp(content: bytes, authorities: Sequence[bytes]) -> Stamp:
    """Verify a time stamp up to one of the authorities' certificates (DER), if there are any; raises Refused."""
    outer = inside(one_node(content), 0x30, 1)
    if outer[0].tag == 0x30:  # the authority's whole answer: status, then the token
        if len(outer) < 2 or number(inside(outer[0], 0x30, 1)[0]) not in (0, 1):
            raise Refused("时间戳机构没有签发")
        outer = inside(outer[1], 0x30, 2)
    if oid(outer[0]) != SIGNED_DATA:
        raise Refused("不是签名数据")
    signed = inside(inside(outer[1], 0xA0, 1)[0], 0x30, 4)
    content_type, wrapped = inside(signed[2], 0x30, 2)[:2]
    info = inside(wrapped, 0xA0, 1)[0]
    if oid(content_type) != TST_INFO or info.tag != 4:
        raise Refused("内容不是时间戳")
    brought = [each.whole for part in signed[3:-1] if part.tag == 0xA0 for each in nodes(part.body)]
    signers = inside(signed[-1], 0x31, 1)
    if len(signers) != 1:
        raise Refused("应有且仅有一个签名")
    certificate = check_signer(signers[0], info.body, [*authorities, *brought])
    if authorities:
        check_issued(certificate, authorities, brought)
    told = inside(one_node(info.body), 0x30, 5)
    algorithm, imprint = inside(told[2], 0x30, 2)
    return Stamp(moment(told[4]), digest_name(algorithm), imprint.body, certificate, bool(authorities))


def digest_name(algorithm: Node) -> str:
    """Return the name of a hash algorithm; raises Refused for one that is not known."""
    name = oid(inside(algorithm, 0x30, 1)[0])
    if name not in DIGESTS:
        raise Refused(f"不支持的哈希算法 {name}")
    return DIGESTS[name]


def check_signer(signer: Node, info: bytes, certificates: Sequence[bytes]) -> bytes:
    """Return the certificate by which the signer's signature over `info` holds; raises Refused."""
    parts = inside(signer, 0x30, 6)
    named, algorithm, attributes, signature = parts[1], digest_name(parts[2]), parts[3], parts[5]
    if attributes.tag != 0xA0:
        raise Refused("缺少签名属性")
    values = {oid(pair[0]): nodes(pair[1].body) for pair in (inside(each, 0x30, 2) for each in nodes(attributes.body))}
    if [oid(each) for each in values.get(CONTENT_TYPE, ())] != [TST_INFO]:
        raise Refused("签名属性中的内容类型不符")
    if [each.body for each in values.get(MESSAGE_DIGEST, ())] != [digest_of(algorithm, info)]:
        raise Refused("签名属性中的摘要与内容不符")
    for certificate in certificates:
        of = certificate_parts(certificate)
        if named.body == of[2].whole + of[0].whole:
            break
    else:
        raise Refused("包内没有签发机构的证书")
    extensions = [each for part in of[6:] if part.tag == 0xA3 for each in inside(one_node(part.body), 0x30)]
    usage = [[each.body for each in nodes(extension.body)] for extension in extensions]
    if [bytes.fromhex("551d25"), b"\xff", TIME_STAMPING] not in usage:
        raise Refused("签发机构的证书不是时间戳专用证书")
    signed = b"\x31" + attributes.whole[1:]  # signed as the SET that it is, not under its tag in the structure
    check_stamp_signature(certificate, oid(inside(parts[4], 0x30, 1)[0]), algorithm, signature.body, signed)
    return certificate


def check_issued(certificate: bytes, authorities: Sequence[bytes], brought: Sequence[bytes]) -> None:
    """Follow who issued a certificate up to one of the authorities'; raises Refused when that leads nowhere."""
    for _ in range(5):
        if certificate in authorities:
            return
        body, algorithm, signature = inside(one_node(certificate), 0x30, 3)
        issuer = certificate_parts(certificate)[2].whole
        scheme = oid(inside(algorithm, 0x30, 1)[0])
        for above in (*authorities, *brought):
            if above == certificate or certificate_parts(above)[4].whole != issuer:
                continue
            try:
                check_stamp_signature(above, scheme, CERTIFIED_BY.get(scheme, ""), signature.body[1:], body.whole)
            except Refused:
                continue
            certificate = above
            break
        else:
            break
    raise Refused("签名证书不是由包内所列的时间戳机构签发的")


def check_stamp_signature(certificate: bytes, scheme: str, digest: str, signature: bytes, data: bytes) -> None:
    """Verify a signature of an authority: RSA (PKCS #1), ECDSA, Ed25519 or SM2; raises Refused."""
    kind, public = public_key(certificate_parts(certificate)[5].whole)
    if kind != "other":
        return check_value(kind, public, signature, data)
    key = serialization.load_der_public_key(public)
    hashed = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}.get(digest)
    try:
        if hashed and isinstance(key, rsa.RSAPublicKey) and scheme in PKCS1:
            key.verify(signature, data, padding.PKCS1v15(), hashed)
        elif hashed and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashed))
        else:
            raise Refused(f"不支持的签名算法 {scheme}")
    except InvalidSignature:
        raise Refused("签发机构的签名与内容不符") from None


# --- The ledger -----


ROOT_FIELDS = ("district", "number", "first", "last", "root", "hash_name", "previous_root", "previous_stamp", "at")
HASH_NAMES = {"SHA-256": "sha256", "SM3": "sm3"}


def check_ledger(package: Package, report: Report, files: Mapping[str, Entry]) -> None:
    """Check every root with its signature and stamp, and every entry with its hash and proof."""
    if LEDGER not in files:
        raise Refused("文件缺失")
    ledger = read_json(package.read(files[LEDGER]))
    if ledger["format"] != "qingxu-ledger/1":
        raise Refused("格式或版本不是本工具所能核验的")
    keys: dict[str, bytes] = {}
    for each in ledger["keys"]:
        with report.about(LEDGER, f"第 {shown(each.get('number'))} 个密钥"):
            public = platform_key(each["public"].encode())
            if not hashlib.sha256(public).hexdigest().startswith(each["key_id"]) or len(each["key_id"]) != 16:
                raise Refused("编号与内容不符")
            keys[each["key_id"]] = public
    roots: dict[int, Any] = {}
    for root in ledger["roots"]:
        if len(report.findings) >= MOST_FINDINGS:
            return
        with report.about(LEDGER, f"第 {shown(root.get('number'))} 个根"):
            content = as_json({name: root[name] for name in ROOT_FIELDS})
            roots[root["number"]] = root
            check_signed(keys, root["signature"], content)
            report.facts["roots"] += 1
            if root["stamp"]["state"] == "stamped":
                check_stamp(package, report, files, keys, root, content)
    before: Mapping[str, Any] = {}
    for each in ledger["entries"]:
        with report.about(LEDGER, f"第 {shown(each['entry'].get('seq'))} 条记录"):
            check_entry(report, each, before, roots)
            before = each
    report.facts["entries"] = len(ledger["entries"])
    recorded = {each["entry"].get("sha256") for each in ledger["entries"]}
    kept = [entry for path, entry in files.items() if path.startswith(("originals/", "exhibits/"))]
    report.facts["unrecorded"] = [shown(entry.path) for entry in kept if entry.sha256 not in recorded]


def check_entry(report: Report, one: Mapping[str, Any], before: Mapping[str, Any], roots: Mapping[int, Any]) -> None:
    """Check an entry's hash, its place behind the one before, and its proof; raises Refused."""
    entry, seq = one["entry"], one["entry"]["seq"]
    found = digest_of(HASH_NAMES[entry["hash_name"]], bytes.fromhex(one["previous"]) + as_json(entry))
    if found.hex() != one["hash"]:
        raise Refused("内容被改动，与其哈希值不符")
    last = before["entry"]["seq"] if before else 0
    if seq <= last or (seq == last + 1 and last and one["previous"] != before["hash"]):
        raise Refused("与前一条不相连")
    root = roots.get(one["root"])
    if root is None or not root["first"] <= seq <= root["last"]:
        raise Refused("没有覆盖它的根")
    proof = [bytes.fromhex(each) for each in one["proof"]]
    position, size = seq - root["first"], root["last"] - root["first"] + 1
    if merkle_root(HASH_NAMES[root["hash_name"]], found, position, size, proof).hex() != root["root"]:
        raise Refused("证明与根不符")
    report.facts["proofs"] += 1


def merkle_root(name: str, entry: bytes, position: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a proof leads to (RFC 9162, 2.1.3.2); empty when the proof has not the right length."""
    at, last = position, size - 1
    found = digest_of(name, b"\0" + entry)
    for beside in proof:
        if last == 0:
            return b""
        if at & 1 or at == last:
            found = digest_of(name, b"\1" + beside + found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = digest_of(name, b"\1" + found + beside)
        at, last = at >> 1, last >> 1
    return found if last == 0 else b""


def check_stamp(
    package: Package,
    report: Report,
    files: Mapping[str, Entry],
    keys: Mapping[str, bytes],
    root: Mapping[str, Any],
    content: bytes,
) -> None:
    """Check the time stamp of a root; what is wrong is blamed on the file that shows damage by itself."""
    stamp = root["stamp"]
    token, authority = stamp["token"], stamp["certificates"]
    suspects = [path for path in (token, authority, LEDGER) if path in report.altered]
    with report.about(suspects[0] if suspects else token, f"第 {root['number']} 个根的时间戳"):
        if token not in files or (authority and authority not in files):
            raise Refused("文件缺失")
        pem = package.read(files[authority]) if authority else b""
        told = {name: stamp[name] for name in ("authority", "at", "checked")}
        told.update(district=root["district"], number=root["number"])
        told.update(certificates=pem.decode("ascii"), token=files[token].sha256)
        check_signed(keys, stamp["signature"], as_json(told))
        found = read_stamp(package.read(files[token]), pem_blocks(pem, "CERTIFICATE"))
        if found.imprint != digest_of(found.algorithm, content):
            raise Refused("不是为这个根签发的")
        at = found.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if stamp["at"] and stamp["at"][:23] != at[:23]:  # the ledger keeps milliseconds
            raise Refused("时间与账本所记不符")
        shown_as = {"root": root["number"], "at": at, "issued": found.issued, **described(found.certificate)}
        report.facts["stamps"].append(shown_as)


def as_json(value: Any) -> bytes:
    """Return JSON in the one form in which the platform hashes and signs."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


# --- For people -----


def normal(fingerprint: str) -> str:
    """Return a fingerprint as lower-case digits without anything between them."""
    return re.sub("[^0-9a-f]", "", fingerprint.lower())


def colons(fingerprint: str) -> str:
    """Return a fingerprint as people compare it: pairs of digits with colons."""
    return ":".join(re.findall("..", fingerprint.upper()))


def shown(text: object) -> str:
    """Return a text out of the package without signs that would act on a terminal, and not too long."""
    plain = "".join(sign if sign.isprintable() else "�" for sign in str(text))
    return plain if len(plain) <= 200 else plain[:200] + "…"


def conclusion(report: Report, pinned: bool) -> Iterator[str]:
    """Yield the result as lines for a person."""
    facts = report.facts
    if not report.readable:
        yield f"无法核验：{report.findings[0].text}。"
        return
    case, made = facts.get("case", {}), facts.get("made", {})
    if case:
        yield f"案号　　{shown(case.get('number'))}（{KINDS.get(str(case.get('kind')), '未注明')}）"
        yield f"移送　　{shown(made.get('by'))} 于 {local(made.get('at'))} 移送给 {shown(made.get('for'))}"
    yield f"文件　　{facts['files']} 个，共 {facts['bytes'] / 1e6:.1f} MB"
    yield f"签名　　{shown(facts.get('algorithm', '未通过'))}，密钥指纹 {colons(facts.get('fingerprint', '')) or '无'}"
    yield f"账本　　{facts['entries']} 条记录，{facts['proofs']} 条有效证明，{facts['roots']} 个有效签名的根"
    for stamp in facts["stamps"]:
        yield f"时间戳　第 {stamp['root']} 个根于 {local(stamp['at'])} 由 {shown(stamp['subject'])} 签发"
        yield f"　　　　机构证书指纹 {colons(stamp['fingerprint'])}{'' if stamp['issued'] else '（包内没有上级证书）'}"
    if not facts["stamps"]:
        yield "时间戳　无"
    if facts.get("unrecorded"):
        yield f"提示　　账本中没有以下文件的收取或提取记录：{'、'.join(facts['unrecorded'])}"
    yield ""
    for finding in report.findings:
        yield f"× {shown(finding.place)}：{shown(finding.text)}"
    yield f"结论：发现 {len(report.findings)} 处改动或缺失，不可采信。" if report.findings else "结论：未发现任何改动。"
    if not pinned:
        yield "注意：没有用 --key 指定密钥指纹，只能证明包内各部分彼此一致，不能证明由哪个平台制作；"
        yield "　　　任何人都能用自己的密钥做出这样的包。请通过电话或书面向移送单位核对上面的密钥指纹。"


KINDS = {"penalty": "处罚证据", "lead": "案件线索"}


def local(text: object) -> str:
    """Return a time of the package in Beijing time."""
    try:
        at = datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        return at.astimezone(timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S（北京时间）")
    except (ValueError, OverflowError):
        return shown(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the file that the arguments name, print the result, and return the exit code."""
    parser = argparse.ArgumentParser(description="核验清序固证包：不需要数据库和网络。")
    parser.add_argument("file", metavar="FILE", help="移送包（zip 文件）")
    parser.add_argument("--key", default="", metavar="FINGERPRINT", help="平台密钥的指纹（SHA-256，64 位十六进制）")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console that lacks a sign must not end the verification
        sys.stdout.reconfigure(errors="replace")
    return run(asked.file, asked.key, asked.json, print)


def run(path: str, key: str, as_json: bool, say: Callable[[str], object]) -> int:
    """Verify a file, tell the result line by line, and return the exit code."""
    if key and len(normal(key)) != 64:
        say("密钥指纹应为 64 位十六进制数字。")
        return 2
    try:
        with Path(path).open("rb") as file:
            report = verify(file, key)
    except OSError as error:
        say(f"无法读取文件：{error.strerror or type(error).__name__}。")
        return 2
    if as_json:
        told = {"findings": [finding._asdict() for finding in report.findings], **report.facts}
        say(json.dumps({"code": report.code, "pinned": bool(key), **told}))
    else:
        for line in conclusion(report, bool(key)):
            say(line)
    return report.code


if __name__ == "__main__":
    sys.exit(main())

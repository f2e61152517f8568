"""Time stamps (RFC 3161) on roots: asked for in the background, checked, and kept as they came, byte by byte.

A root's `stamp` is `none` (no authority was chosen), `waiting`, `stamped` or `failed`, with the reason. A root whose
stamp failed is covered by the next root that gets one, for that names it by its hash.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerificationError, VerifierBuilder
from rfc3161_client import decode_timestamp_response as decode

from backend.plugin_api import get_logger, utcnow
from plugins.evidence.custody.authorities import Authority, Unanswered, chosen_authority, openssl_path, run_openssl
from plugins.evidence.custody.canonical import root_bytes, sha256, stamp_bytes
from plugins.evidence.custody.models import LedgerRoot
from plugins.evidence.custody.signing import sign

log = get_logger(__name__)

SHA256_OID = "2.16.840.1.101.3.4.2.1"
#: Attempts before a stamp has failed: with an hour between the later ones, more than half a day.
ATTEMPTS = 20
LONGEST_WAIT = timedelta(hours=1)
FIRST_WAIT = timedelta(seconds=30)
#: Nobody else asks for the same root this long after somebody began to.
LEASE = timedelta(seconds=60)

#: How far a token was checked: up to the CA's certificate; so by openssl, because the strict reader refuses it; only
#: that it is for this root, because no CA certificate is known; or only that it holds this root's hash.
CHECKED = {
    "full": "已验证",
    "openssl": "已由 openssl 验证",
    "imprint": "未验证签发者",
    "needs_openssl": "待用 openssl 验证",
}


@dataclass(frozen=True)
class Examined:
    """What a token says: its own time, None when it cannot be read here, and how far it was checked."""

    at: datetime | None
    checked: str


def first_stamp() -> dict[str, Any]:
    """Return the stamp of a new root."""
    if chosen_authority() is None:
        return {"state": "none"}
    return {"state": "waiting", "attempts": 0, "due_at": utcnow()}


def stamp_waiting(district: str | None = None) -> int:
    """Get the stamps that are due, of one district or of all; returns how many came. Stops at the first refusal."""
    query: dict[str, Any] = {"stamp.state": "waiting", "stamp.due_at": {"$lte": utcnow()}}
    if district is not None:
        query["district"] = district
    stamped = 0
    for row in LedgerRoot._get_collection().find(query).sort("stamp.due_at", 1).limit(100):
        if not _stamp(row):
            break
        stamped += 1
    return stamped


def examine(token: bytes, data: bytes, nonce: int | None, certificates: str) -> Examined:
    """Check that a reply stamps `data`, and who signed it as far as `certificates` (PEM) tell; raises Unanswered."""
    try:
        response = decode(token)
    except ValueError:
        return _examine_with_openssl(token, data, certificates)
    if response.status not in (0, 1):
        raise Unanswered(f"时间戳服务拒绝：{'；'.join(response.status_string) or response.status}")
    info = response.tst_info
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != SHA256_OID or imprint.message != sha256(data):
        raise Unanswered("时间戳不是为这个根签发的。")
    if nonce is not None and info.nonce != nonce:
        raise Unanswered("时间戳回复的随机数与请求不符。")
    if not certificates:
        return Examined(info.gen_time, "imprint")
    try:
        known = x509.load_pem_x509_certificates(certificates.encode())
        builder = VerifierBuilder(
            roots=[each for each in known if each.issuer == each.subject],
            intermediates=[each for each in known if each.issuer != each.subject],
        )
        builder.build().verify_message(response, data)
    except (VerificationError, InvalidSignature, ValueError) as error:
        raise Unanswered(f"时间戳的签名不正确：{error}") from error
    return Examined(info.gen_time, "full")


def _stamp(row: dict[str, Any]) -> bool:
    """Ask for the stamp of one root; False when there is none, and the root waits longer or has failed."""
    stamp, now = row["stamp"], utcnow()
    attempts = stamp["attempts"] + 1
    ours = {"_id": row["_id"], "stamp.state": "waiting", "stamp.due_at": stamp["due_at"]}
    taken = {"stamp.due_at": now + LEASE, "stamp.attempts": attempts}
    if not LedgerRoot._get_collection().update_one(ours, {"$set": taken}).modified_count:
        return True  # somebody else asks for it
    authority = chosen_authority()
    try:
        fresh = _asked(authority, row) if authority else {"state": "none"}
    except Unanswered as error:
        log.warning("root_not_stamped", district=row["district"], number=row["number"], error=str(error))
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempts - 1))
        fresh = {"state": "waiting", "attempts": attempts, "due_at": now + wait, "reason": str(error)[:300]}
        if attempts >= ATTEMPTS:
            fresh = {"state": "failed", "attempts": attempts, "reason": str(error)[:300]}
    same = {"_id": row["_id"], "stamp.state": "waiting", "stamp.attempts": attempts}
    LedgerRoot._get_collection().update_one(same, {"$set": {"stamp": fresh}})
    return fresh["state"] in ("stamped", "none")


def _asked(authority: Authority, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stamp that the authority gives."""
    data = root_bytes(row)
    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    token = authority.answer(request.as_bytes())
    certificates = authority.certificates()
    found = examine(token, data, request.nonce, certificates)
    stamp = {
        "state": "stamped",
        "authority": authority.name,
        "at": found.at,
        "checked": found.checked,
        "certificates": certificates,
        "token": token,
    }
    return {**stamp, "signature": sign(stamp_bytes({**row, "stamp": stamp})).as_dict()}


def _examine_with_openssl(token: bytes, data: bytes, certificates: str) -> Examined:
    """Judge a reply that the strict reader refuses: it is kept in any case if it holds the right hash."""
    if sha256(data) not in token:
        raise Unanswered("时间戳回复无法解读，也不含这个根的摘要。")
    if not certificates:
        return Examined(None, "needs_openssl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in (("data", data), ("token", token), ("ca", certificates.encode())):
            (folder / file).write_bytes(content)
        try:
            run_openssl([openssl_path(), "ts", "-verify", "-data", "data", "-in", "token", "-CAfile", "ca"], folder)
        except Unanswered:
            return Examined(None, "needs_openssl")
    return Examined(None, "openssl")

"""Signatures under what the ledger says: Ed25519, or SM2 with SM3 (GB/T 32918) by setting.

Keys are made here, once, and stay: the newest of the chosen algorithm signs, every one verifies what it has signed. A
private key leaves the store only encrypted, and nobody can ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import gmssl_pyx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from mongoengine.errors import NotUniqueError

from backend.plugin_api import atomically, audit, current_settings, utcnow
from plugins.evidence.custody.canonical import sha256
from plugins.evidence.custody.models import EvidenceKey
from plugins.evidence.custody.pem import pem, unpem

#: Who the certificate says signs. It names no district: one deployment may serve several.
COMMON_NAME = "清序证据签名"
CERTIFIED_YEARS = 30
#: SubjectPublicKeyInfo of an SM2 key (RFC 5480 with the curve sm2p256v1) up to the 64 bytes of the point.
SM2_START = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


class UnknownKey(LookupError):
    """A signature names a key that the store does not hold."""


@dataclass(frozen=True)
class Signature:
    """A signature: its algorithm, the key's id, and the value in hexadecimal (64 bytes, for SM2 DER of r and s)."""

    algorithm: str
    key_id: str
    value: str

    def as_dict(self) -> dict[str, str]:
        """Return it as it is stored."""
        return asdict(self)


@dataclass(frozen=True)
class NewKey:
    """A key just made; `private` are its 32 bytes."""

    private: bytes
    public: str
    certificate: str


def sign(data: bytes) -> Signature:
    """Sign with the present key of the chosen algorithm, which is made when there is none."""
    key = signer()
    value = ALGORITHMS[key.algorithm].sign(bytes.fromhex(key.private), unpem(key.public), data)
    return Signature(key.algorithm, key.key_id, value.hex())


def signed(data: bytes, signature: Mapping[str, Any]) -> bool:
    """Whether this signature, as stored, is right for `data`; raises UnknownKey."""
    algorithm, key_id, value = (signature.get(name) for name in ("algorithm", "key_id", "value"))
    if not isinstance(value, str) or len(signature) != 3:
        return False
    known = public_keys().get(str(key_id))
    if known is None:
        raise UnknownKey(key_id)
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return False
    # There is one way to write a signature; another one is a change, even where it means the same.
    return raw.hex() == value and known[0] == algorithm and ALGORITHMS[known[0]].verifies(unpem(known[1]), raw, data)


def certificate() -> str:
    """Return the PEM by which others verify what is signed now: a certificate, for SM2 the bare public key."""
    key = signer()
    return str(key.certificate or key.public)


def signer() -> EvidenceKey:
    """Return the key that signs."""
    algorithm = current_settings().evidence_signature
    return EvidenceKey.objects(algorithm=algorithm).order_by("-number").first() or new_key()


def new_key() -> EvidenceKey:
    """Make the next key of the chosen algorithm; of several makers at once one wins."""
    algorithm = current_settings().evidence_signature
    made = ALGORITHMS[algorithm].make()
    last = EvidenceKey.objects().order_by("-number").first()
    key = EvidenceKey(number=last.number + 1 if last else 1, algorithm=algorithm, key_id=key_id_of(made.public))
    key.public, key.certificate, key.private = made.public, made.certificate, made.private.hex()

    def keep() -> None:
        key.save(force_insert=True)
        audit.record(
            "evidence.key.make", subject="evidence.key", subject_id=key.key_id, detail={"algorithm": algorithm}
        )

    try:
        atomically(keep)
    except NotUniqueError:
        return signer()
    return key


def stored_keys() -> list[dict[str, Any]]:
    """Return what others may know of every key, the oldest first."""
    shown = ("number", "key_id", "algorithm", "public", "certificate")
    rows = EvidenceKey._get_collection().find({}, dict.fromkeys(shown, 1)).sort("number")
    return [{name: row[name] for name in shown} for row in rows]


def public_keys() -> dict[str, tuple[str, str]]:
    """Return algorithm and public key (PEM) of every key, by id; ids that are not those of their keys are left out."""
    rows = EvidenceKey._get_collection().find({}, {"key_id": 1, "algorithm": 1, "public": 1})
    return {
        row["key_id"]: (row["algorithm"], row["public"]) for row in rows if row["key_id"] == key_id_of(row["public"])
    }


@lru_cache(maxsize=64)
def key_id_of(public: str) -> str:
    """Return the id of a key: the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo."""
    return sha256(unpem(public)).hex()[:16]


def _make_ed25519() -> NewKey:
    private = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    now = utcnow()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * CERTIFIED_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certified = builder.sign(private, None).public_bytes(Encoding.PEM).decode()
    return NewKey(private.private_bytes_raw(), pem("PUBLIC KEY", spki), certified)


def _sign_ed25519(private: bytes, _spki: bytes, data: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).sign(data)


def _verifies_ed25519(spki: bytes, value: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(spki[-32:]).verify(value, data)
    except InvalidSignature:
        return False
    return True


def _make_sm2() -> NewKey:
    public, private = gmssl_pyx.sm2_key_generate()
    return NewKey(private, pem("PUBLIC KEY", SM2_START + public), "")


def _sign_sm2(private: bytes, spki: bytes, data: bytes) -> bytes:
    return bytes(gmssl_pyx.sm2_sign(private, spki[-64:], data))


def _verifies_sm2(spki: bytes, value: bytes, data: bytes) -> bool:
    try:
        return bool(gmssl_pyx.sm2_verify(spki[-64:], data, value))
    except gmssl_pyx.GmsslInnerError:
        return False


@dataclass(frozen=True)
class Algorithm:
    """A way to sign: `sign(private, spki, data)` and `verifies(spki, value, data)`."""

    make: Callable[[], NewKey]
    sign: Callable[[bytes, bytes, bytes], bytes]
    verifies: Callable[[bytes, bytes, bytes], bool]


ALGORITHMS = {
    "Ed25519": Algorithm(_make_ed25519, _sign_ed25519, _verifies_ed25519),
    # The signer's identity is the standard's default, 1234567812345678.
    "SM2": Algorithm(_make_sm2, _sign_sm2, _verifies_sm2),
}

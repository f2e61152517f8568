"""The two ways to sign: Ed25519 (RFC 8032), and SM2 with SM3 (GB/T 32918), both over keys of 32 bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import gmssl_pyx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from backend.plugin_api import utcnow
from plugins.evidence.custody.pem import pem

#: Who the certificate says signs. It names no district: one deployment may serve several.
COMMON_NAME = "清序证据签名"
CERTIFIED_YEARS = 30
#: SubjectPublicKeyInfo of an SM2 key (RFC 5480 with the curve sm2p256v1) up to the 64 bytes of the point.
SM2_START = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


@dataclass(frozen=True)
class NewKey:
    """A key just made; `private` are its 32 bytes."""

    private: bytes
    public: str
    certificate: str


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

"""Small packages made without a platform: the real writer, and keys of our own."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from plugins.evidence.custody.pem import pem
from plugins.evidence.handover.package import Item, Package, Signer, canonical, measured, seal, small_item
from plugins.evidence.handover.verify_evidence import CERTIFICATE, LEDGER, Report, verify

#: SubjectPublicKeyInfo of an SM2 key up to the 64 bytes of the point.
SM2_START = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
EMPTY_LEDGER = canonical({"format": "qingxu-ledger/1", "keys": [], "roots": [], "entries": []})


class Key:
    """A key that signs as the platform does."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        if algorithm == "SM2":
            self.point, self.secret = gmssl_pyx.sm2_key_generate()
            self.spki = SM2_START + self.point
        else:
            self.private = Ed25519PrivateKey.generate()
            self.spki = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.sha256(self.spki).hexdigest()

    def sign(self, data: bytes) -> Mapping[str, str]:
        """Return a signature."""
        sm2 = self.algorithm == "SM2"
        value = gmssl_pyx.sm2_sign(self.secret, self.point, data) if sm2 else self.private.sign(data)
        return {"algorithm": self.algorithm, "key_id": self.fingerprint[:16], "value": value.hex()}

    @property
    def signer(self) -> Signer:
        """What the writer signs with."""
        return Signer(self.algorithm, self.fingerprint, self.sign)

    @property
    def pem(self) -> bytes:
        """The public key as a package has it."""
        return pem("PUBLIC KEY", self.spki).encode()


def package(key: Key, *more: Item) -> Package:
    """Return a package with a few small files, and more."""
    items = [
        small_item(CERTIFICATE, "certificate", "证书", "application/x-pem-file", key.pem),
        small_item(LEDGER, "ledger", "账本", "application/json", EMPTY_LEDGER),
        small_item("说明.txt", "note", "说明", "text/plain", "核验方法".encode()),
        small_item("originals/c01-p01.jpg", "original", "原件", "image/jpeg", os.urandom(700)),
        small_item("exhibits/c01-p01-face1.jpg", "exhibit", "人脸", "image/jpeg", os.urandom(300), kind="face"),
        *more,
    ]
    return seal(
        {"case": {"number": "案1", "kind": "lead"}, "made": {"by": "甲"}, "captures": []},
        items,
        {item.path: measured(item) for item in items},
        key.signer,
    )


def whole(made: Package) -> bytes:
    return b"".join(made.chunks())


def check(content: bytes, key: str = "") -> Report:
    return verify(io.BytesIO(content), key)

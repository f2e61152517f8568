"""Signatures under what the ledger says, and the keys that make them.

Keys are made here, once, and stay: the newest of the chosen algorithm signs, every one verifies what it has signed. A
private key leaves the store only encrypted, and nobody can ask for it. What is encrypted names the public key and its
certificate, too: a key that somebody else put into the store is none of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mongoengine.errors import NotUniqueError

from backend.plugin_api import TamperedError, UnknownKeyVersion, atomically, audit, current_settings, decrypt_field
from plugins.evidence.custody.algorithms import ALGORITHMS
from plugins.evidence.custody.canonical import sha256
from plugins.evidence.custody.models import EvidenceKey
from plugins.evidence.custody.pem import unpem


class UnknownKey(LookupError):
    """A signature names a key that is none of ours."""


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
class Key:
    """A key of ours; `private` are its 32 bytes, `public` and `certificate` are PEM, an SM2 key has no certificate."""

    number: int
    key_id: str
    algorithm: str
    public: str
    certificate: str
    private: bytes = field(repr=False)

    @property
    def shown(self) -> dict[str, Any]:
        """What others may know of it."""
        return {name: value for name, value in vars(self).items() if name != "private"}


# Keys of ours that this process has met: whatever becomes of the record, what one signed stays signed.
_met: dict[str, Key] = {}


def sign(data: bytes) -> Signature:
    """Sign with the present key of the chosen algorithm, which is made when there is none."""
    key = signer()
    value = ALGORITHMS[key.algorithm].sign(key.private, unpem(key.public), data)
    return Signature(key.algorithm, key.key_id, value.hex())


def signed(data: bytes, signature: Mapping[str, Any]) -> bool:
    """Whether this signature, as stored, is right for `data`; raises UnknownKey."""
    algorithm, key_id, value = (signature.get(name) for name in ("algorithm", "key_id", "value"))
    if not isinstance(value, str) or len(signature) != 3:
        return False
    if key_id not in _met:
        _met.update({key.key_id: key for key in our_keys()})
    key = _met.get(str(key_id))
    if key is None:
        raise UnknownKey(key_id)
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return False
    # There is one way to write a signature; another one is a change, even where it means the same.
    right = raw.hex() == value and key.algorithm == algorithm
    return right and ALGORITHMS[key.algorithm].verifies(unpem(key.public), raw, data)


def certificate() -> str:
    """Return the PEM by which others verify what is signed now: a certificate, for SM2 the bare public key."""
    key = signer()
    return key.certificate or key.public


def signer() -> Key:
    """Return the key that signs."""
    algorithm = current_settings().evidence_signature
    fitting = [key for key in our_keys() if key.algorithm == algorithm]
    return fitting[-1] if fitting else new_key()


def new_key() -> Key:
    """Make the next key of the chosen algorithm; of several makers at once one wins."""
    algorithm = current_settings().evidence_signature
    made = ALGORITHMS[algorithm].make()
    last = EvidenceKey._get_collection().find_one({}, {"number": 1}, sort=[("number", -1)])
    number = last["number"] + 1 if last else 1
    key = Key(number, key_id_of(made.public), algorithm, made.public, made.certificate, made.private)

    def keep() -> None:
        EvidenceKey(**key.shown, private=_secret(key)).save(force_insert=True)
        told = {"algorithm": algorithm, "number": number}
        audit.record("evidence.key.make", subject="evidence.key", subject_id=key.key_id, detail=told)

    try:
        atomically(keep)
    except NotUniqueError:
        return signer()
    return key


def our_keys() -> list[Key]:
    """Return every key of ours, the oldest first."""
    rows = EvidenceKey._get_collection().find().sort("number")
    return [key for row in rows if (key := _opened(row)) is not None]


def forget_keys() -> None:
    """Forget which keys this process has met, so that only those count that are in the store."""
    _met.clear()


def key_id_of(public: str) -> str:
    """Return the id of a key: the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo."""
    return sha256(unpem(public)).hex()[:16]


def _secret(key: Key) -> str:
    """Return what is encrypted: the private key, bound to all that others know of it."""
    public, certified = sha256(unpem(key.public)).hex(), sha256(key.certificate.encode()).hex()
    return " ".join((key.algorithm, public, certified, key.private.hex()))


def _opened(row: Mapping[str, Any]) -> Key | None:
    """Return a stored key, or None for one that this platform did not make as it stands there."""
    try:
        secret = decrypt_field(EvidenceKey, row["_id"], "private", row["private"])
        key = Key(
            row["number"],
            key_id_of(row["public"]),
            row["algorithm"],
            row["public"],
            row["certificate"],
            bytes.fromhex(secret.rpartition(" ")[2]),
        )
        return key if secret == _secret(key) and row["key_id"] == key.key_id else None
    except (TamperedError, UnknownKeyVersion, KeyError, ValueError, TypeError, AttributeError):
        return None

"""Data keys: made once, in versions, wrapped by the master key and kept in the collection `data_keys`.

The master key never leaves the settings and touches no data: it only wraps data keys (AES-256-GCM, bound to the name
of the key), so it can be changed by wrapping them again. A process unwraps each data key once and keeps it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from backend import settings, storage
from backend.settings import SettingsError

#: What data keys are for. Blind-index and audit keys stay at version 1: what they made could not be found again.
FIELD, BLIND, BLOB, AUDIT = PURPOSES = ("field", "blind", "blob", "audit")

#: A process looks this often, in seconds, whether another one has made a newer version.
REFRESH_SECONDS: Final = 30.0


class MasterKeyError(SettingsError):
    """The master key is missing, malformed, or not the one that wrapped the stored data keys."""


class UnknownKeyVersion(Exception):
    """A ciphertext names a data key that the store does not hold."""


@dataclass(frozen=True)
class DataKey:
    """One version of the 32-byte secret of one purpose; each cipher gets a key of its own derived from it."""

    purpose: str
    version: int
    secret: bytes = field(repr=False)

    @cached_property
    def aes(self) -> AESGCM:
        """The key of AES-256-GCM."""
        return AESGCM(self._derived("AES-256-GCM", 32))

    @cached_property
    def sm4(self) -> SM4:
        """The key of SM4-GCM."""
        return SM4(self._derived("SM4-GCM", 16))

    def _derived(self, use: str, length: int) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=use.encode()).derive(self.secret)


@dataclass(frozen=True)
class Ring:
    """All versions of one purpose as this process knows them; `expires` is on the monotonic clock."""

    keys: dict[int, DataKey]
    current: DataKey
    expires: float


_rings: dict[str, Ring] = {}
_lock = threading.Lock()


def current_key(purpose: str) -> DataKey:
    """Return the newest data key of a purpose, making the first one; raises MasterKeyError."""
    ring = _rings.get(purpose)
    if ring is None or time.monotonic() > ring.expires:
        ring = _load(purpose, ring)
    return ring.current


def key_of(purpose: str, version: int) -> DataKey:
    """Return one version, looking into the store once when it is new; raises UnknownKeyVersion, MasterKeyError."""
    ring = _rings.get(purpose)
    if ring is None or version not in ring.keys:
        ring = _load(purpose, ring)
    try:
        return ring.keys[version]
    except KeyError:
        raise UnknownKeyVersion(f"There is no version {version} of the data key {purpose!r}.") from None


def ensure_keys() -> None:
    """Make or load the keys of every purpose: a wrong master key then shows at the start; raises MasterKeyError."""
    for purpose in PURPOSES:
        current_key(purpose)


def ensure_version(purpose: str, version: int) -> None:
    """Make that version when it is not there yet; this process encrypts with it from now on."""
    with storage.client().start_session() as session:
        _stored(purpose, version, session)
    _load(purpose, _rings.get(purpose))


def versions(purpose: str) -> list[dict[str, Any]]:
    """Return version, created_at and retired_at of every stored key of a purpose, oldest first."""
    shown = {"_id": 0, "version": 1, "created_at": 1, "retired_at": 1}
    return list(_collection().find({"purpose": purpose}, shown).sort("version"))


def retire(purpose: str, *, below: int) -> None:
    """Mark the older versions as used by no record. They stay readable, so a restored backup opens."""
    unused = {"purpose": purpose, "version": {"$lt": below}, "retired_at": None}
    _collection().update_many(unused, {"$set": {"retired_at": storage.utcnow()}})


def rewrap() -> int:
    """Wrap every data key by the present master key, from the previous one; returns how many; may be repeated."""
    present = _master_keys()[0]
    changed = 0
    for row in _collection().find({"wrapped_by": {"$ne": _fingerprint(present)}}):
        renewed = _wrap(present, row["_id"], _unwrap(row))
        changed += (
            _collection().update_one({"_id": row["_id"], "wrapped": row["wrapped"]}, {"$set": renewed}).modified_count
        )
    return changed


def forget_keys() -> None:
    """Drop what this process has cached, for when the store or the master key is exchanged under it."""
    with _lock:
        _rings.clear()


def _collection() -> Collection[dict[str, Any]]:
    # A key that encrypted something must survive whatever happens to one server of the set.
    return storage.database().get_collection("data_keys", write_concern=WriteConcern("majority"))


def _load(purpose: str, known: Ring | None) -> Ring:
    """Read all versions, unless another thread has just done so since the caller looked at `known`."""
    with _lock:
        ring = _rings.get(purpose)
        if ring is not None and ring is not known:
            return ring
        # A session of its own: a key made inside the caller's transaction would vanish with its rollback.
        with storage.client().start_session() as session:
            rows = list(_collection().find({"purpose": purpose}, session=session))
            rows = rows or [_stored(purpose, 1, session)]
        keys = {row["version"]: DataKey(purpose, row["version"], _unwrap(row)) for row in rows}
        ring = Ring(keys, keys[max(keys)], time.monotonic() + REFRESH_SECONDS)
        _rings[purpose] = ring
        return ring


def _stored(purpose: str, version: int, session: ClientSession) -> dict[str, Any]:
    """Insert a fresh key and return what is stored under its name: of several makers, one wins."""
    name = f"{purpose}:{version}"
    row: dict[str, Any] = {"_id": name, "purpose": purpose, "version": version}
    row |= _wrap(_master_keys()[0], name, os.urandom(32))
    row |= {"created_at": storage.utcnow(), "retired_at": None}
    try:
        _collection().insert_one(row, session=session)
    except DuplicateKeyError:
        row = _collection().find_one({"_id": name}, session=session) or row
    return row


def _wrap(master: bytes, name: str, secret: bytes) -> dict[str, Any]:
    nonce = os.urandom(12)
    wrapped = nonce + AESGCM(master).encrypt(nonce, secret, name.encode())
    return {"wrapped": wrapped, "wrapped_by": _fingerprint(master)}


def _unwrap(row: dict[str, Any]) -> bytes:
    for master in _master_keys():
        if row["wrapped_by"] == _fingerprint(master):
            nonce, wrapped = row["wrapped"][:12], row["wrapped"][12:]
            try:
                return AESGCM(master).decrypt(nonce, wrapped, row["_id"].encode())
            except InvalidTag:
                raise MasterKeyError(f"The stored data key {row['_id']} is damaged.") from None
    raise MasterKeyError(
        f"QINGXU_MASTER_KEY is not the key that wrapped the stored data key {row['_id']}; "
        "set the right one, or set QINGXU_PREVIOUS_MASTER_KEY to it and run rewrap-keys."
    )


def _master_keys() -> list[bytes]:
    """Return the present master key, then the previous one when it is set."""
    chosen = settings.current()
    masters = [_decoded("QINGXU_MASTER_KEY", chosen.master_key)]
    if chosen.previous_master_key:
        masters.append(_decoded("QINGXU_PREVIOUS_MASTER_KEY", chosen.previous_master_key))
    return masters


def _decoded(variable: str, text: str) -> bytes:
    if not text:
        raise MasterKeyError(f"{variable} is not set; it must be 32 random bytes in base64.")
    try:
        master = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MasterKeyError(f"{variable} is not base64; it must be 32 random bytes in base64.") from None
    if len(master) != 32:
        raise MasterKeyError(f"{variable} holds {len(master)} bytes; it must be 32 random bytes in base64.")
    return master


def _fingerprint(master: bytes) -> str:
    """Name a master key without telling anything of it."""
    return hashlib.sha256(b"qingxu master key\0" + master).hexdigest()[:16]

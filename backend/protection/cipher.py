"""Authenticated encryption whose result says by itself how to open it.

    cipher 1 byte | key version 4 bytes | nonce 12 bytes | ciphertext | tag 16 bytes

The cipher of new values is a setting; values of either cipher and of every key version can be opened at any time.
Nonces are random, so one key version is good for 2**32 values (NIST SP 800-38D): rotate long before that.
"""

from __future__ import annotations

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from backend import settings
from backend.protection.keys import BLOB, current_key, key_of

_HEADER: Final = struct.Struct(">BI")
_NONCE: Final = 12
_TAG: Final = 16
_START: Final = _HEADER.size + _NONCE

_AES_256_GCM: Final = 1
_SM4_GCM: Final = 2
_NUMBERS: Final = {"AES-256-GCM": _AES_256_GCM, "SM4-GCM": _SM4_GCM}

#: What a sealed value is longer than the plain one, in bytes.
OVERHEAD: Final = _START + _TAG


class TamperedError(Exception):
    """A ciphertext was altered, cut, or moved to another record or field than it was made for."""


def seal(data: bytes, associated: bytes, purpose: str = BLOB) -> bytes:
    """Encrypt `data` so that it opens only with the same `associated` bytes; raises MasterKeyError."""
    key = current_key(purpose)
    number = _NUMBERS[settings.current().cipher]
    nonce = os.urandom(_NONCE)
    start = _HEADER.pack(number, key.version) + nonce
    if number == _AES_256_GCM:
        return start + key.aes.encrypt(nonce, data, associated)
    return start + _sm4_encrypt(key.sm4, nonce, data, associated)


def open_sealed(blob: bytes, associated: bytes, purpose: str = BLOB) -> bytes:
    """Return the plain bytes; raises TamperedError, UnknownKeyVersion, MasterKeyError."""
    if not isinstance(blob, bytes) or len(blob) < OVERHEAD:
        raise TamperedError("This is not a sealed value.")
    number, version = _HEADER.unpack_from(blob)
    key = key_of(purpose, version)
    nonce, sealed = blob[_HEADER.size : _START], blob[_START:]
    try:
        if number == _AES_256_GCM:
            return key.aes.decrypt(nonce, sealed, associated)
        if number == _SM4_GCM:
            return _sm4_decrypt(key.sm4, nonce, sealed, associated)
    except InvalidTag:
        raise TamperedError("The sealed value was altered, or was made for another place.") from None
    raise TamperedError(f"This is not a sealed value: there is no cipher number {number}.")


def is_sealed(blob: object) -> bool:
    """Whether something has the shape of a sealed value; says nothing about who made them."""
    return isinstance(blob, bytes) and len(blob) >= OVERHEAD and blob[0] in (_AES_256_GCM, _SM4_GCM)


def is_sealed_by(blob: object, version: int, cipher: str) -> bool:
    """Whether the value was sealed with that key version and cipher."""
    return isinstance(blob, bytes) and is_sealed(blob) and _HEADER.unpack_from(blob) == (_NUMBERS[cipher], version)


def _sm4_encrypt(key: SM4, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    encryptor = Cipher(key, GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def _sm4_decrypt(key: SM4, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    decryptor = Cipher(key, GCM(nonce, sealed[-_TAG:])).decryptor()
    decryptor.authenticate_additional_data(associated)
    return decryptor.update(sealed[:-_TAG]) + decryptor.finalize()

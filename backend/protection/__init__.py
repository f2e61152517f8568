"""Private data: keys, encrypted fields, blind indexes, masking, who acts, and the audit trail."""

from backend.protection import audit
from backend.protection.actor import SYSTEM, Actor, acting, current_actor
from backend.protection.blind_index import BlindIndexField, blind_index, normalise_id, normalise_phone
from backend.protection.cipher import TamperedError, open_sealed, seal
from backend.protection.codes import code_from, in_groups, new_code, read_code
from backend.protection.fields import EncryptedQueryError, EncryptedStringField, decrypt_field, encrypt_field
from backend.protection.keys import MasterKeyError, UnknownKeyVersion, ensure_keys, forget_keys
from backend.protection.masking import mask
from backend.protection.rotation import Sealed

__all__ = [
    "SYSTEM",
    "Actor",
    "BlindIndexField",
    "EncryptedQueryError",
    "EncryptedStringField",
    "MasterKeyError",
    "Sealed",
    "TamperedError",
    "UnknownKeyVersion",
    "acting",
    "audit",
    "blind_index",
    "code_from",
    "current_actor",
    "decrypt_field",
    "encrypt_field",
    "ensure_keys",
    "forget_keys",
    "in_groups",
    "mask",
    "new_code",
    "normalise_id",
    "normalise_phone",
    "open_sealed",
    "read_code",
    "seal",
]

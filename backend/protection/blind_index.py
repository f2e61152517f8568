"""Equality search on encrypted fields: a keyed hash of the normalised value, stored beside the ciphertext.

Equal values give equal hashes, and nobody without the key can go from a hash to a value or try values out. The key
and the name of the field go in, so hashes of two fields cannot be compared. The key is never rotated: a new one would
make every stored hash useless at once.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from mongoengine import BinaryField, Document

from backend.protection.keys import BLIND, current_key

#: An extension, and what may stand between the digits of a phone number.
_EXTENSION = re.compile(r"(?:转|分机|ext\.?|x).*$", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"[^0-9]")
_SPACING = re.compile(r"[\s\-‐-―·]+")


def normalise_phone(value: str) -> str:
    """Return the E.164 digits without the plus, reading a number without a country as Chinese.

    `138 1234 5678`, `+86-138-1234-5678` and `008613812345678` are one number; an extension does not count.
    """
    if len(value) == 11 and value[0] == "1" and value.isascii() and value.isdigit():  # by far the commonest
        return f"86{value}"
    text = _EXTENSION.sub("", unicodedata.normalize("NFKC", value).strip())
    digits = _NOT_DIGITS.sub("", text)
    if text.startswith("+"):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    if digits.startswith("86") and len(digits) >= 12:
        return digits
    return "86" + digits.removeprefix("0") if digits else ""


def normalise_id(value: str) -> str:
    """Return an identifier in half-width upper case without spaces and dashes: `3301…12x` and `3301…12X` are one."""
    return _SPACING.sub("", unicodedata.normalize("NFKC", value)).upper()


class BlindIndexField(BinaryField):
    """The searchable companion of the EncryptedStringField named `of`, filled by it whenever a value is set.

    Without `normalise`, a field whose name ends in `phone` is read as a phone number and any other as an identifier.
    Filter with `blind_index`; `unique=True, sparse=True` makes the encrypted value unique.
    """

    def __init__(self, of: str, normalise: Callable[[str], str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.of = of
        self.normalise = normalise or (normalise_phone if of.endswith("phone") else normalise_id)

    def index(self, document_class: type[Document], value: str | None) -> bytes | None:
        """Return the stored form of a plain value; None when nothing of the value is left to search for."""
        normalised = self.normalise(value) if value else ""
        if not normalised:
            return None
        place = f"{document_class._get_collection_name()}.{self.of}\0"
        return hmac.digest(current_key(BLIND).secret, (place + normalised).encode(), "sha256")


def blind_index(document_class: type[Document], field_name: str, value: str) -> bytes:
    """Return what to filter the companion of the encrypted field `field_name` by; raises LookupError without one.

    A value of which nothing is left to search for, such as a blank one, gives bytes that no record has.
    """
    for companion in companions(document_class, field_name):  # type: ignore[arg-type]
        return companion.index(document_class, value) or b""
    raise LookupError(f"{document_class.__name__} has no BlindIndexField(of={field_name!r}).")


@cache
def companions(document_class: type[Document], field_name: str) -> tuple[BlindIndexField, ...]:
    """Return the blind indexes of one encrypted field."""
    fields = document_class._fields.values()
    return tuple(each for each in fields if isinstance(each, BlindIndexField) and each.of == field_name)

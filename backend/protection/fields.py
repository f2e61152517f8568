"""Encrypted fields of MongoEngine documents.

The attribute gives plain text; the document, its BSON, its JSON and the store hold only ciphertext, which is bound to
the collection, the record's id and the field's name. Decryption happens when the attribute is read, so a list of
records costs nothing for the fields that nobody looks at.
"""

from __future__ import annotations

from functools import cache
from typing import Any, overload

from bson import ObjectId
from mongoengine import Document, StringField
from mongoengine.errors import InvalidQueryError

from backend.protection.blind_index import companions
from backend.protection.cipher import TamperedError, is_sealed, open_sealed, seal
from backend.protection.keys import FIELD, UnknownKeyVersion


class EncryptedQueryError(InvalidQueryError):
    """A query or an update by filter named an encrypted field, which the store cannot compare or compute."""


class _Ciphertext(bytes):
    """A ciphertext made in this process, with the plain value that MongoEngine's validation still has to see."""

    plain: str


class EncryptedStringField(StringField):
    """A StringField kept encrypted; its rules (max_length, validation, choices …) hold for the plain value.

    Reading the attribute raises TamperedError when the stored bytes were altered or moved, UnknownKeyVersion or
    MasterKeyError when the key is missing. The record's id has to be set before: use it in a `storage.Record`.
    """

    def __init__(self, **options: Any) -> None:
        for option in ("default", "unique", "unique_with", "primary_key"):
            if option in options:
                # A default would be set before the id it is bound to; ciphertexts of equal values differ.
                raise TypeError(f"An encrypted field cannot have {option}=; a BlindIndexField can be unique.")
        super().__init__(**options)

    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        if type(value) is _Ciphertext:
            return value.plain
        if isinstance(value, bytes):
            return _open(type(instance), instance.id, self.name, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, str):
            if not isinstance(instance, Document):
                raise TypeError(f"{type(instance).__name__}.{self.name}: encrypted fields belong to stored records.")
            if not self._holds(instance, value):
                ciphertext = _Ciphertext(encrypt_field(type(instance), instance.id, self.name, value))
                ciphertext.plain = value
                super().__set__(instance, ciphertext)
        else:
            super().__set__(instance, value)
        if not isinstance(value, bytes):  # bytes come from the store, and their blind index with them
            for companion in companions(type(instance), self.name):  # type: ignore[arg-type]
                plain = value if isinstance(value, str) else None
                setattr(instance, companion.name, companion.index(type(instance), plain))

    def _holds(self, instance: Any, value: str) -> bool:
        """Whether the record has this value already: encrypting it again would make a change out of nothing."""
        try:
            return bool(self.__get__(instance, type(instance)) == value)
        except (TamperedError, UnknownKeyVersion):
            return False

    def _validate(self, value: Any, **options: Any) -> None:
        if type(value) is _Ciphertext:
            super()._validate(value.plain, **options)
        elif not is_sealed(value):
            self.error("Only text is accepted")

    def to_python(self, value: Any) -> Any:
        """Leave the stored bytes as they are."""
        return value

    def to_mongo(self, value: Any) -> bytes:
        """Return the ciphertext; raises ValidationError for anything else, so plain text cannot slip through."""
        if not isinstance(value, bytes):
            self.error("Only text is accepted")
        return bytes(value)

    def prepare_query_value(self, op: str | None, value: Any) -> Any:
        """Refuse every comparison but that with None."""
        if value is None and op in (None, "ne"):
            return None
        raise EncryptedQueryError(
            f"The field {self.name!r} is encrypted and cannot be queried or updated by filter: search by its "
            f"BlindIndexField with blind_index(…, {self.name!r}, value); to change it, set the attribute and save()."
        )


def encrypt_field(document_class: type[Document], record_id: ObjectId | str, field_name: str, value: str) -> bytes:
    """Return the stored form of a value, for rows that are written past MongoEngine."""
    return seal(value.encode(), place_of(document_class, record_id, field_name), FIELD)


@overload
def decrypt_field(
    document_class: type[Document], record_id: ObjectId | str, field_name: str, ciphertext: bytes
) -> str: ...
@overload
def decrypt_field(
    document_class: type[Document], record_id: ObjectId | str, field_name: str, ciphertext: None
) -> None: ...
def decrypt_field(
    document_class: type[Document], record_id: ObjectId | str, field_name: str, ciphertext: bytes | None
) -> str | None:
    """Return the plain value of one field of an `as_pymongo` row; an absent value stays None.

    Raises TamperedError when the bytes were altered or belong to another record or field.
    """
    return None if ciphertext is None else _open(document_class, record_id, field_name, ciphertext)


def encrypted_fields(document_class: type[Document]) -> dict[str, str]:
    """Return the encrypted fields of a document: name in the store -> attribute."""
    fields = document_class._fields.values()
    return {each.db_field: each.name for each in fields if isinstance(each, EncryptedStringField)}


def _open(document_class: type[Document], record_id: ObjectId | str, field_name: str, ciphertext: bytes) -> str:
    try:
        return open_sealed(ciphertext, place_of(document_class, record_id, field_name), FIELD).decode()
    except TamperedError as error:
        where = f"{document_class._get_collection_name()} {record_id} {field_name}"
        raise TamperedError(f"{where}: {error}") from None


def place_of(document_class: type[Document], record_id: ObjectId | str, field_name: str) -> bytes:
    """Name the one place where a ciphertext is valid: the associated bytes of its cipher."""
    if record_id is None:
        raise TypeError(f"{document_class.__name__}.{field_name} is encrypted for one record: set the id first.")
    return _prefix(document_class, field_name) + str(record_id).encode()  # type: ignore[arg-type]


@cache
def _prefix(document_class: type[Document], field_name: str) -> bytes:
    return f"{document_class._get_collection_name()}\0{field_name}\0".encode()

"""What is stored about people, organisations, areas, roles, sessions and module switches."""

from __future__ import annotations

import re

from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    ListField,
    ObjectIdField,
    StringField,
)

from backend.identity.vocabulary import AREA_LEVELS, ORGANISATION_KINDS, USER_TYPES
from backend.protection import BlindIndexField, EncryptedStringField
from backend.storage import PlacedRecord, Record

ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_.@-]{2,63}")


def normal_account(text: str) -> str:
    """Return an account name as it is stored: without spaces around it, in lower case."""
    return text.strip().casefold()


def is_account(text: str) -> bool:
    """Tell whether `text` can be an account name."""
    return ACCOUNT.fullmatch(text) is not None


class Area(Record):
    """A node of the administrative tree; `path` is the codes from the district down, joined by slashes."""

    meta = {"collection": "areas", "indexes": [{"fields": ["path"], "unique": True}, "parent", "code"]}

    path = StringField(required=True, max_length=200)
    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=100)
    level = StringField(required=True, choices=list(AREA_LEVELS))
    parent = StringField(default="", max_length=200)
    boundary = DictField()  # GeoJSON Polygon or MultiPolygon, WGS-84; empty when unknown
    active = BooleanField(required=True, default=True)


class Organisation(PlacedRecord):
    """An office or a company."""

    meta = {"collection": "organisations", "indexes": [("area", "id"), ("kind", "name")]}

    kind = StringField(required=True, choices=list(ORGANISATION_KINDS))
    name = StringField(required=True, max_length=100)
    active = BooleanField(required=True, default=True)


class Role(Record):
    """A named set of permissions. `offered` are those that a built-in role was given at some start of the platform."""

    meta = {"collection": "roles", "indexes": [{"fields": ["name"], "unique": True}]}

    name = StringField(required=True, regex=r"^[a-z][a-z0-9_]{1,39}\Z")
    title = StringField(required=True, max_length=50)
    permissions = ListField(StringField())
    offered = ListField(StringField())
    built_in = BooleanField(required=True, default=False)


class Grant(EmbeddedDocument):
    """A role held in an area and below; bound to an organisation it counts for that one's records alone."""

    role = StringField(required=True)
    area = StringField(required=True, max_length=200)
    organisation = ObjectIdField()


class User(PlacedRecord):
    """A person with an account. `area` is where he or she belongs, and decides who administers the account."""

    meta = {
        "collection": "users",
        "indexes": [
            {"fields": ["account"], "unique": True},
            ("area", "id"),
            "phone_index",
            "id_number_index",
            "organisation",
            "grants.role",
        ],
    }

    account = StringField(required=True, regex=re.compile(rf"{ACCOUNT.pattern}\Z"))
    name = StringField(required=True, max_length=50)
    user_type = StringField(required=True, choices=list(USER_TYPES))
    organisation = ObjectIdField()
    phone = EncryptedStringField()
    phone_index = BlindIndexField(of="phone")
    id_number = EncryptedStringField()
    id_number_index = BlindIndexField(of="id_number")
    grants = EmbeddedDocumentListField(Grant)
    password = StringField(required=True)  # argon2id, encoded
    password_history = ListField(StringField())  # hashes of the passwords before, newest first
    must_change_password = BooleanField(required=True, default=True)
    active = BooleanField(required=True, default=True)
    last_login_at = DateTimeField()


class Session(Record):
    """A login. Only SHA-256 of tokens is kept; ending a session removes the record.

    A page's session has no refresh token: its access token lives on while it is used.
    """

    meta = {
        "collection": "sessions",
        "indexes": [
            {"fields": ["access"], "unique": True},
            {"fields": ["family"], "unique": True, "sparse": True},
            ("user", "-last_used_at"),
            {"fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }

    user = ObjectIdField(required=True)
    access = BinaryField(required=True)
    family = BinaryField()  # of the part that all refresh tokens of this session share
    refresh = BinaryField()  # of the one refresh token that is still good
    access_expires_at = DateTimeField(required=True)
    expires_at = DateTimeField(required=True)
    last_used_at = DateTimeField(required=True)
    address = StringField(max_length=64)
    user_agent = StringField(max_length=300)


class ModuleSwitch(PlacedRecord):
    """A module switched on or off in an area and below; the nearest switch above a place decides, and none means on."""

    meta = {"collection": "module_switches", "indexes": [{"fields": ["module", "area"], "unique": True}]}

    module = StringField(required=True, max_length=40)
    enabled = BooleanField(required=True)


DOCUMENTS: tuple[type[Record], ...] = (Area, Organisation, Role, User, Session, ModuleSwitch)

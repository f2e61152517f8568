"""What the person concerned says, and who looks with a notice code, as stored."""

from __future__ import annotations

from collections.abc import Sequence

from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
    StringField,
)

from backend.plugin_api import BlobUser, EncryptedStringField, PlacedRecord, Record

#: What `put_blob` is told of whoever keeps the photos of defences.
USER = "evidence.defences"

LONGEST_DEFENCE = 2000
MOST_PHOTOS = 3


class DefencePhoto(EmbeddedDocument):
    """A photo that came with a defence: its blob is named by the hash of its bytes."""

    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    media_type = StringField(required=True)
    size = IntField(required=True)


class Defence(PlacedRecord):
    """What the person concerned states, and what was answered. `upheld` says that it was found to be right."""

    meta = {
        "collection": "evidence_defences",
        "indexes": [("case", "filed_at"), {"fields": ["photos.sha256"], "sparse": True}],
    }

    case = ObjectIdField(required=True)
    text = EncryptedStringField(required=True, max_length=LONGEST_DEFENCE)
    phone = EncryptedStringField(max_length=30)
    photos = EmbeddedDocumentListField(DefencePhoto)
    filed_at = DateTimeField(required=True)
    answer = EncryptedStringField(max_length=LONGEST_DEFENCE)
    upheld = BooleanField()
    answered_at = DateTimeField()
    answered_by = StringField()
    answered_name = StringField()
    shredding_at = DateTimeField()


def photos_named(district: str, hashes: Sequence[str]) -> set[str]:
    """Return those of the hashes that a defence in the district names as its photo and is to keep."""
    inside = {
        "shredding_at": None,
        "photos.sha256": {"$in": list(hashes)},
        "area": {"$gte": district, "$lt": f"{district}0"},
    }
    rows = Defence._get_collection().find(inside, {"photos.sha256": 1})
    return set(hashes) & {photo["sha256"] for row in rows for photo in row["photos"]}


BLOB_USER = BlobUser(name=USER, referenced=photos_named)


class NoticeVisit(Record):
    """Somebody who typed a notice code: the cookie's hash, and the case that it opens for a while."""

    meta = {
        "collection": "evidence_notice_visits",
        "indexes": [{"fields": ["token"], "unique": True}, {"fields": ["expires_at"], "expireAfterSeconds": 0}],
    }

    token = BinaryField(required=True)
    case = ObjectIdField(required=True)
    expires_at = DateTimeField(required=True)

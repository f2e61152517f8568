"""API keys of vendor organisations: shown once, kept as a hash, good for one area."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from mongoengine import BinaryField, BooleanField, ObjectIdField, StringField

from backend.plugin_api import (
    PlacedRecord,
    Principal,
    Problem,
    atomically,
    audit,
    home_of,
    utcnow,
)

OPEN311 = "publicity:open311"


class ApiKey(PlacedRecord):
    """A key with which a vendor's program reports; `digest` is the SHA-256 of its 256 secret bits."""

    meta = {
        "collection": "publicity_api_keys",
        "indexes": [{"fields": ["digest"], "unique": True}, ("organisation", "-id")],
    }

    organisation = ObjectIdField(required=True)
    title = StringField(required=True, max_length=50)
    digest = BinaryField(required=True)
    active = BooleanField(required=True, default=True)


def issue(by: Principal, title: str) -> tuple[ApiKey, str]:
    """Make a key for the person's organisation in the person's area; returns it with its secret, which is kept nowhere.

    Raises Problem `organisation_needed` for an account that belongs to no organisation.
    """
    if by.organisation is None:
        raise Problem("organisation_needed")
    secret = secrets.token_urlsafe(32)
    key = ApiKey(area=home_of(by) or by.area, organisation=by.organisation, title=title, digest=digest_of(secret))

    def write() -> None:
        key.save(force_insert=True)
        audit.record("publicity.api_key.make", subject="publicity.api_key", subject_id=str(key.id), area=key.area)

    atomically(write)
    return key, secret


def keys_of(by: Principal) -> list[dict[str, Any]]:
    """Return the keys of the person's organisation, newest first."""
    if by.organisation is None:
        return []
    rows = ApiKey._get_collection().find({"organisation": by.organisation}).sort("_id", -1).limit(200)
    return [key_view(row) for row in rows]


def revoke(by: Principal, key_id: ObjectId, version: int) -> None:
    """Let a key be good for nothing; raises Problem `not_found` for another organisation's, `stale_version`."""
    mine = {"_id": key_id, "organisation": by.organisation}
    row = ApiKey._get_collection().find_one(mine) if by.organisation else None
    if row is None:
        raise Problem("not_found")

    def write() -> None:
        gone = {"$set": {"active": False, "updated_at": utcnow()}, "$inc": {"version": 1}}
        if not ApiKey._get_collection().update_one({**mine, "version": version}, gone).modified_count:
            raise Problem("stale_version")
        audit.record("publicity.api_key.revoke", subject="publicity.api_key", subject_id=str(key_id), area=row["area"])

    atomically(write)


def holder_of(secret: str) -> ApiKey | None:
    """Return the key that a program shows, or None when it is good for nothing."""
    return ApiKey.objects(digest=digest_of(secret), active=True).first() if secret else None


def key_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key as its organisation sees it."""
    names = ("title", "area", "active", "created_at")
    return {**{name: row[name] for name in names}, "id": str(row["_id"]), "etag": f"{row['_id']}-{row['version']}"}


def digest_of(secret: str) -> bytes:
    """Return a key as it is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

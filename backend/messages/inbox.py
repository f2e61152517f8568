"""The inbox of one person: what stands in it, how much is unread, and reading it."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.messages.models import Message
from backend.storage import utcnow

#: Unread messages are counted up to this many, so that the count costs the same for everybody.
MOST_COUNTED = 100


def inbox_filter(person: ObjectId, *, unread: bool = False) -> dict[str, Any]:
    """Return the filter of a person's messages, of all or of the unread ones."""
    return {"to": person, "read_at": None} if unread else {"to": person}


def count_unread(person: ObjectId) -> int:
    """Return how many messages are unread, at most `MOST_COUNTED`."""
    return Message._get_collection().count_documents(inbox_filter(person, unread=True), limit=MOST_COUNTED)


def mark_read(person: ObjectId, message: ObjectId) -> bool:
    """Mark one message of the person's as read, or leave it so; tells whether there is such a message."""
    messages = Message._get_collection()
    now = utcnow()
    changes = {"$set": {"read_at": now, "updated_at": now}, "$inc": {"version": 1}}
    if messages.update_one({"_id": message, **inbox_filter(person, unread=True)}, changes).modified_count:
        return True
    return messages.find_one({"_id": message, "to": person}, {"_id": 1}) is not None


def mark_all_read(person: ObjectId, until: ObjectId | None = None) -> int:
    """Mark the person's messages as read, those up to `until` or all; returns how many were unread."""
    now = utcnow()
    query = inbox_filter(person, unread=True) | ({"_id": {"$lte": until}} if until else {})
    changes = {"$set": {"read_at": now, "updated_at": now}, "$inc": {"version": 1}}
    return Message._get_collection().update_many(query, changes).modified_count

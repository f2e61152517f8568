"""Guest links and boards, as stored."""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, IntField, ObjectIdField, StringField

from backend.storage import PlacedRecord, Record

#: Ended links are kept so long for those who ask who looked.
KEPT_SECONDS = 180 * 86400


class GuestLink(PlacedRecord):
    """An address that shows one page of the cockpit of `area` until `expires_at` to whoever has it."""

    meta = {
        "collection": "guest_links",
        "indexes": [("area", "-id"), {"fields": ["expires_at"], "expireAfterSeconds": KEPT_SECONDS}],
    }

    theme = StringField(required=True, max_length=60)
    title = StringField(default="", max_length=60)
    made_by = ObjectIdField(required=True)
    made_by_name = StringField(required=True)
    expires_at = DateTimeField(required=True)
    revoked_at = DateTimeField()
    views = IntField(required=True, default=0)
    viewed_at = DateTimeField()


class Board(Record):
    """Which panels stand where on a page, for those who look at `area` or below and are of the type `audience`.

    An empty area is every area, an empty audience everybody, and no places are the arrangement that panels bring along.
    """

    meta = {"collection": "cockpit_boards", "indexes": [{"fields": ["theme", "area", "audience"], "unique": True}]}

    theme = StringField(required=True, max_length=60)
    area = StringField(default="", max_length=200)
    audience = StringField(default="", max_length=40)
    places = DictField()
    saved_by_name = StringField(required=True)


class BoardVersion(Record):
    """What a board was when it was saved for the `number`-th time."""

    meta = {"collection": "cockpit_board_versions", "indexes": [("board", "-number")]}

    board = ObjectIdField(required=True)
    number = IntField(required=True)
    places = DictField()
    saved_by_name = StringField(required=True)

"""What is stored of messages, of how they are worded, and of what people chose."""

from __future__ import annotations

from mongoengine import BooleanField, DateTimeField, IntField, ListField, MapField, ObjectIdField, StringField

from backend.protection import EncryptedStringField
from backend.storage import Record

#: Messages are kept this long; so long a repeated order with the same `dedupe` makes no second one.
KEPT_DAYS = 180
KEPT_SECONDS = KEPT_DAYS * 86400


class Message(Record):
    """One message in the inbox of one person.

    With `summed` it stands for so many that came too fast, and may grow until `settles_at`.
    """

    meta = {
        "collection": "messages",
        "indexes": [
            ("to", "-id"),
            ("to", "read_at", "-id"),
            {"fields": ["created_at"], "expireAfterSeconds": KEPT_SECONDS},
        ],
    }

    to = ObjectIdField(required=True)
    template = StringField(required=True, max_length=100)
    title = StringField(required=True, max_length=100)
    text = EncryptedStringField(required=True)
    href = StringField(default="")
    subject = StringField(default="", max_length=100)
    subject_id = StringField(default="", max_length=100)
    area = StringField(default="", max_length=200)
    urgent = BooleanField(required=True, default=False)
    summed = IntField(required=True, default=0)
    settles_at = DateTimeField()
    read_at = DateTimeField()


class MessageOrder(Record):
    """Whom an order has reached: what makes its delivery happen once. `key` is of template and `dedupe`."""

    meta = {
        "collection": "message_orders",
        "indexes": [
            {"fields": ["key"], "unique": True},
            {"fields": ["created_at"], "expireAfterSeconds": KEPT_SECONDS},
        ],
    }

    key = StringField(required=True)
    reached = ListField(ObjectIdField())


class MessageRate(Record):
    """How many of one template a person got since `since`; what comes too fast is summed up in `digest`."""

    meta = {
        "collection": "message_rates",
        "indexes": [
            {"fields": ["to", "template"], "unique": True},
            {"fields": ["since"], "expireAfterSeconds": 86400},
        ],
    }

    to = ObjectIdField(required=True)
    template = StringField(required=True)
    since = DateTimeField(required=True)
    count = IntField(required=True, default=0)
    digest = ObjectIdField()


class MessageWording(Record):
    """What an administrator made of a template; without one the plugin's own words count."""

    meta = {"collection": "message_wordings", "indexes": [{"fields": ["template"], "unique": True}]}

    template = StringField(required=True, max_length=100)
    title = StringField(required=True, max_length=100)
    text = StringField(required=True)
    channels = ListField(StringField())


class MessageChoice(Record):
    """What one person chose; the id is the account's. Empty quiet hours are those of the platform."""

    meta = {"collection": "message_choices"}

    channels = MapField(BooleanField())
    quiet_hours = StringField(default="")


DOCUMENTS: tuple[type[Record], ...] = (Message, MessageOrder, MessageRate, MessageWording, MessageChoice)

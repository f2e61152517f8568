"""Exposures as stored, and who sent them: two collections that only the platform's key joins."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from datetime import timedelta

from bson import ObjectId
from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    PointField,
    StringField,
)

from backend.plugin_api import (
    DUE_INDEX,
    BlindIndexField,
    BlobUser,
    EncryptedStringField,
    Flowing,
    PlacedRecord,
    Record,
    Transition,
    Workflow,
    blind_index,
    district_of,
)
from plugins.publicity.exposure.categories import SHIPPED

VIEW, MODERATE = "publicity:view", "publicity:moderate"
REPORT, CUSTODIAN = "publicity:report", "publicity:custodian"
#: What `put_blob` is told of whoever keeps the pictures of exposures.
USER = "publicity.exposures"
LONGEST_TEXT, SHORTEST_TEXT = 1000, 5
MOST_PHOTOS = 9


def way(verb: str, title: str, source: str | tuple[str, ...], target: str, permission: str = "") -> Transition:
    """Return one step of an exposure."""
    return Transition(verb=verb, title=title, source=source, target=target, permission=permission)


#: An exposure's way. What is accepted becomes an alert, and what becomes of that ends it; its reporter may ask once
#: for more.
FLOW = Workflow(
    name="publicity.exposure",
    title="监督曝光",
    initial="received",
    states={
        "received": "待审核",
        "converting": "已受理，正在立案",
        "handling": "办理中",
        "handled": "已办结",
        "reopening": "申请重办",
        "rejected": "不予受理",
    },
    transitions=(
        way("accept", "受理", ("received", "reopening"), "converting", MODERATE),
        way("reject", "不予受理", "received", "rejected", MODERATE),
        way("restore", "恢复审核", "rejected", "received", MODERATE),
        way("convert", "立案", "converting", "handling"),
        way("finish", "办结", "handling", "handled"),
        way("resume", "重新办理", "handled", "handling"),
        way("ask_again", "申请重办", "handled", "reopening"),
        way("decline", "不予重办", "reopening", "handled", MODERATE),
    ),
    limits={"received": timedelta(hours=24), "reopening": timedelta(hours=24), "converting": timedelta(hours=1)},
)
#: While it is in one of these, the same thing need not be reported again.
OPEN = ("received", "converting", "handling", "reopening")
#: Of these somebody has read the text and accepted it.
ACCEPTED = ("converting", "handling", "reopening")


def random_id() -> ObjectId:
    """Return an id that tells neither when nor after which other record it was made."""
    return ObjectId(os.urandom(12))


class Photo(EmbeddedDocument):
    """One photo: `sha256` is the original as it came, which nobody is shown.

    `boxes` are regions to black out, as shares of width and height (left, top, right, bottom). `copy` is the photo
    without metadata and with those regions black, `masked` that copy with faces covered; both belong to the `round`
    in which the boxes were last changed, and are absent until they are made.
    """

    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    media_type = StringField(required=True)
    size = IntField(required=True)
    boxes = ListField(ListField())
    round = IntField(default=0)
    copy = StringField()
    masked = StringField()
    faces = IntField()
    made_by = DictField()


class Clip(EmbeddedDocument):
    """The film that came with an exposure, as it came; never shown to the public."""

    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    media_type = StringField(required=True)
    size = IntField(required=True)


class Exposure(Flowing, PlacedRecord):
    """One report. Nothing in it says who sent it.

    `text` is what came, `edited` what moderators made of it; `cell` is the square of the grid it lies in. `alert` is
    the alert that it became, `again` counts how often it was to be handled anew. `steps` are what the reporter is told:
    event, at, text. `stars` and `rating` are the reporter's. `published_at` says that it is on the public list.
    `reported_on` is the day of the report: the public learns no more.
    """

    meta = {
        "collection": "publicity_exposures",
        "indexes": [
            {"fields": ["once"], "unique": True},
            ("area", "-reported_at", "-id"),
            ("state", "-reported_at", "-id"),
            ("cell", "category", "state"),
            {"fields": ["alert"], "sparse": True},
            {"fields": ["-published_at", "-id"], "sparse": True},
            {"fields": ["vendor", "-reported_at"], "sparse": True},
            {"fields": ["photos.sha256"], "sparse": True},
            {"fields": ["photos.copy"], "sparse": True},
            {"fields": ["photos.masked"], "sparse": True},
            {"fields": ["clip.sha256"], "sparse": True},
            DUE_INDEX,
        ],
    }

    once = BinaryField(required=True)
    number = StringField(required=True)
    category = StringField(required=True, choices=tuple(SHIPPED))
    text = EncryptedStringField(required=True, max_length=LONGEST_TEXT)
    edited = EncryptedStringField(max_length=LONGEST_TEXT)
    reported_at = DateTimeField(required=True)
    reported_on = DateTimeField(required=True)
    point = StringField(required=True)
    point_name = StringField(required=True)
    place = PointField(auto_index=False)
    cell = StringField(required=True)
    named = BooleanField(required=True, default=False)
    source = StringField(required=True, choices=("person", "volunteer", "staff", "anonymous", "open311"))
    vendor = ObjectIdField()
    media_url = StringField(max_length=500)
    photos = EmbeddedDocumentListField(Photo)
    clip = EmbeddedDocumentField(Clip)
    supports = IntField(default=0)
    hidden = BooleanField(default=False)
    reason = StringField(max_length=500)
    alert = StringField()
    alert_number = StringField()
    alerts = ListField(StringField())
    again = IntField(default=0)
    steps = ListField(DictField())
    result = StringField(max_length=500)
    handled_at = DateTimeField()
    stars = IntField(min_value=1, max_value=5)
    rating = EncryptedStringField(max_length=500)
    rated_at = DateTimeField()
    asked_again = EncryptedStringField(max_length=500)
    published_at = DateTimeField()
    published_text = StringField(max_length=LONGEST_TEXT)
    published_photos = ListField(IntField())


class Reporter(Record):
    """Who sent an exposure: JSON with account id, name and phone, opened by a custodian alone.

    Which exposure it belongs to is encrypted too, and found by a blind index. `account` stands there only for reports
    under one's own name, so that they can be listed to their owner. The time is that of the day.
    """

    meta = {
        "collection": "publicity_reporters",
        "indexes": [
            {"fields": ["exposure_index"], "unique": True},
            {"fields": ["account_index"], "sparse": True},
        ],
    }

    exposure = EncryptedStringField(required=True)
    exposure_index = BlindIndexField(of="exposure", normalise=str)
    identity = EncryptedStringField(required=True)
    account = EncryptedStringField()
    account_index = BlindIndexField(of="account", normalise=str)


class Receipt(Record):
    """What a receipt code opens: its keyed hash, and the exposure. `supporter` marks one of somebody who joined in.

    `once` is the keyed hash of who joined in, so that nobody does so twice; the reporter's receipt has the exposure's.
    """

    meta = {
        "collection": "publicity_receipts",
        "indexes": [{"fields": ["code"], "unique": True}, {"fields": ["once"], "unique": True}],
    }

    code = BinaryField(required=True)
    once = BinaryField(required=True)
    exposure = ObjectIdField(required=True)
    supporter = BooleanField(required=True, default=False)


class IdentityRequest(Flowing, PlacedRecord):
    """A request to learn who sent an exposure: `asked_by` asks with a reason, `answered_by` (a custodian) decides."""

    meta = {"collection": "publicity_identity_requests", "indexes": [("area", "-id"), ("exposure", "-id")]}

    exposure = ObjectIdField(required=True)
    asked_by = StringField(required=True)
    asked_name = StringField(required=True)
    reason = StringField(required=True, max_length=500)
    answered_by = StringField()
    answered_name = StringField()
    answer = StringField(max_length=500)


REQUEST_FLOW = Workflow(
    name="publicity.identity_request",
    title="查看举报人申请",
    initial="waiting",
    states={"waiting": "待保管人处理", "opened": "已查看", "refused": "已拒绝"},
    final=("opened", "refused"),
    transitions=(
        way("open", "查看举报人", "waiting", "opened", CUSTODIAN),
        way("refuse", "拒绝", "waiting", "refused", CUSTODIAN),
    ),
)

DOCUMENTS = (Exposure, Reporter, Receipt, IdentityRequest)


def keyed(purpose: str, *parts: str) -> bytes:
    """Return a hash of the parts under the platform's key: whoever has the whole database cannot try values out."""
    return blind_index(Reporter, "account", "\n".join((f"publicity {purpose}", *parts)))


def files_named(space: str, hashes: Sequence[str]) -> Collection[str]:
    """Return those of the hashes that an exposure of the district keeps as original, copy, masked copy or clip."""
    asked = {"$in": list(hashes)}
    places = ("photos.sha256", "photos.copy", "photos.masked", "clip.sha256")
    inside = {"area": {"$gte": space, "$lt": f"{space}0"}, "$or": [{place: asked} for place in places]}
    found: set[str] = set()
    for row in Exposure._get_collection().find(inside, {"area": 1, "photos": 1, "clip": 1}):
        if district_of(row["area"]) == space:
            for photo in row.get("photos", ()):
                found |= {photo["sha256"], photo.get("copy", ""), photo.get("masked", "")}
            found.add((row.get("clip") or {}).get("sha256", ""))
    return found & set(hashes)


BLOB_USERS = (BlobUser(name=USER, referenced=files_named),)

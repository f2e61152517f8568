"""Plans, rounds, check-ins and what belongs to them, as stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256

from bson import ObjectId
from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from backend.plugin_api import BlindIndexField, BlobUser, EncryptedStringField, PlacedRecord, Record, district_of
from plugins.alerts.patrol.vocabulary import OUTCOMES, PHOTO_RULES, POINT_KINDS, STATES, WEEKDAYS

#: What `put_blob` is told of whoever keeps the photos of patrols.
USER = "alerts.patrol"
#: An upload waits this long for the check-in that names it; half of what the platform gives a blob without a name.
PHOTO_SECONDS = 12 * 3600


def id_of(*parts: str) -> ObjectId:
    """Return the id that belongs to the parts: the same wherever and however often it is made."""
    return ObjectId(sha256("\0".join(parts).encode()).digest()[:12])


class PatrolPlan(PlacedRecord):
    """Which points are walked on which weekdays in which windows, by whom.

    Without a `supervisor` the rounds are open to every supervisor of the area; whoever checks in first has the round.
    """

    meta = {
        "collection": "patrol_plans",
        "indexes": [{"fields": ["code"], "unique": True}, ("area", "-id"), ("active", "id")],
    }

    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=60)
    area_code = StringField(required=True, max_length=32)
    active = BooleanField(required=True, default=True)
    supervisor = StringField(max_length=24)
    supervisor_name = StringField(max_length=100)
    points = ListField(StringField(max_length=32), required=True)
    weekdays = ListField(StringField(choices=tuple(WEEKDAYS)), required=True)
    windows = ListField(StringField(max_length=11), required=True)


class PatrolItem(PlacedRecord):
    """One line of the checklist of a kind of points; `points` are deducted where it is not in order."""

    meta = {"collection": "patrol_items", "indexes": [{"fields": ["area", "code"], "unique": True}]}

    code = StringField(required=True, max_length=32)
    name = StringField(required=True, max_length=60)
    area_code = StringField(required=True, max_length=32)
    active = BooleanField(required=True, default=True)
    point_kind = StringField(required=True, choices=tuple(POINT_KINDS))
    order = IntField(required=True)
    photo = StringField(required=True, choices=tuple(PHOTO_RULES))
    points = FloatField(required=True, min_value=0)
    alert_kind = StringField(max_length=32)


class PatrolSite(PlacedRecord):
    """What is special about one point: its radius, whether its code must be read, how often that was replaced.

    `code` itself is never stored: it is a keyed hash of point and `round`.
    """

    meta = {"collection": "patrol_sites", "indexes": [{"fields": ["point"], "unique": True}]}

    point = StringField(required=True, max_length=32)
    radius = IntField(min_value=5, max_value=500)
    code_required = BooleanField(required=True, default=False)
    round = IntField(required=True, default=1)
    replaced_at = DateTimeField()
    code = EncryptedStringField()
    code_index = BlindIndexField(of="code", normalise=str)


class PatrolRound(PlacedRecord):
    """One round of a plan on one day in one window.

    `stops` hold point, name, kind, area, lon and lat, and once visited check_in, checked_at, flags and findings;
    `flags` are those of all stops. `closed_by` is the person, or "platform" when the window ended.
    """

    meta = {
        "collection": "patrol_rounds",
        "indexes": [
            ("supervisor", "day"),
            ("state", "ends_at"),
            ("area", "-starts_at", "-id"),
            ("plan", "day"),
        ],
    }

    plan = ObjectIdField(required=True)
    plan_version = IntField(required=True)
    plan_name = StringField(required=True, max_length=60)
    supervisor = ObjectIdField()
    supervisor_name = StringField(max_length=100)
    day = StringField(required=True, max_length=10)
    starts_at = DateTimeField(required=True)
    ends_at = DateTimeField(required=True)
    state = StringField(required=True, choices=tuple(STATES), default="planned")
    stops = ListField(DictField())
    total = IntField(required=True)
    done = IntField(required=True, default=0)
    findings = IntField(required=True, default=0)
    reports = IntField(required=True, default=0)
    refused = IntField(required=True, default=0)
    flags = ListField(StringField())
    flagged = IntField(required=True, default=0)
    warned = BooleanField(required=True, default=False)
    started_at = DateTimeField()
    finished_at = DateTimeField()
    finish_id = StringField(max_length=64)
    closed_by = StringField(max_length=24)
    summary = StringField(max_length=500)


class PatrolCheckIn(PlacedRecord):
    """What a phone said at one point, what the platform made of it, and what was looked at there.

    `at` and `until` are the phone's times put right by `clock_offset` seconds; `phone_at` is as the phone said it.
    `answers` hold item, title, ok, note, photos and points. A refused one is kept, counts for nothing and says `why`.
    """

    meta = {
        "collection": "patrol_check_ins",
        "indexes": [("supervisor", "-at"), ("round", "at"), {"fields": ["photos"], "sparse": True}],
    }

    round = ObjectIdField(required=True)
    supervisor = ObjectIdField(required=True)
    client_id = StringField(required=True, max_length=64)
    point = StringField(required=True, max_length=32)
    at = DateTimeField(required=True)
    until = DateTimeField(required=True)
    phone_at = DateTimeField(required=True)
    received_at = DateTimeField(required=True)
    clock_offset = FloatField(required=True)
    lon = FloatField()
    lat = FloatField()
    accuracy = FloatField()
    distance = FloatField()
    speed = FloatField()
    mock = BooleanField(required=True, default=False)
    code_way = StringField()
    outcome = StringField(required=True, choices=tuple(OUTCOMES))
    flags = ListField(StringField())
    why = StringField()
    why_text = StringField()
    answers = ListField(DictField())
    photos = ListField(StringField())


class PatrolReport(PlacedRecord):
    """An event that was reported from a round; `alert` is what became of it, empty where nothing was raised."""

    meta = {
        "collection": "patrol_reports",
        "indexes": [("round", "at"), {"fields": ["photos"], "sparse": True}],
    }

    round = ObjectIdField(required=True)
    supervisor = ObjectIdField(required=True)
    client_id = StringField(required=True, max_length=64)
    point = StringField(required=True, max_length=32)
    kind = StringField(required=True, max_length=32)
    kind_name = StringField(required=True, max_length=40)
    note = StringField(max_length=500)
    photos = ListField(StringField())
    at = DateTimeField(required=True)
    alert = StringField()
    alert_number = StringField()


class PatrolPhoto(Record):
    """Who uploaded a photo that no check-in names yet: nobody can name a photo of somebody else."""

    meta = {
        "collection": "patrol_photos",
        "indexes": [{"fields": ["updated_at"], "expireAfterSeconds": PHOTO_SECONDS}],
    }

    account = ObjectIdField(required=True)
    space = StringField(required=True)
    sha256 = StringField(required=True, max_length=64)


DOCUMENTS = (PatrolPlan, PatrolItem, PatrolSite, PatrolRound, PatrolCheckIn, PatrolReport, PatrolPhoto)


def photos_named(space: str, hashes: Sequence[str]) -> Collection[str]:
    """Return those of the hashes that a check-in or a report of the district names."""
    found: set[str] = set()
    for model in (PatrolCheckIn, PatrolReport):
        inside = {"area": {"$gte": space, "$lt": f"{space}0"}, "photos": {"$in": list(hashes)}}
        for row in model._get_collection().find(inside, {"area": 1, "photos": 1}):
            if district_of(row["area"]) == space:
                found |= set(row["photos"])
    return found & set(hashes)


BLOB_USERS = (BlobUser(name=USER, referenced=photos_named),)

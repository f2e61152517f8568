"""The ledger as stored: charges say what an event means, entries are the points that were booked for them."""

from __future__ import annotations

from mongoengine import (
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
    StringField,
)

from backend.plugin_api import PlacedRecord, Record

#: What became of a charge.
STATES = {"standing": "有效", "withdrawn": "来源已撤销", "annulled": "已冲销"}
#: Why an entry was made.
KINDS = {"booked": "计分", "adjusted": "按上限调整", "reversed": "冲销"}


class Picture(EmbeddedDocument):
    """A photo, as a blob of the district."""

    sha256 = StringField(required=True)
    media_type = StringField(required=True)
    width = IntField()
    height = IntField()


class Book(Record):
    """The ledger of one compound, by its code: whoever books writes here first, so one at a time does.

    `last` is the number of its last entry: they have no gap.
    """

    meta = {"collection": "ranking_books"}

    id = StringField(primary_key=True)
    last = IntField(required=True, default=0)
    turn = IntField(required=True, default=0)


class Subject(Record):
    """What a record of another module, as `<kind>/<id>`, has told last: the event that counts."""

    meta = {"collection": "ranking_subjects"}

    id = StringField(primary_key=True)
    at = DateTimeField(required=True)
    event = StringField(required=True)


class Charge(PlacedRecord):
    """What one event means for a compound by one edition of a rule; its id follows from both.

    `points` is what the rule says, `net` what is booked now: less where a cap is reached, nothing unless it stands.
    `window` names what shares a cap. `why` says what it does not stand for. `appeal` is the state of its appeal, which
    may be filed until `appeal_by`. Points are hundredths.
    """

    meta = {
        "collection": "ranking_charges",
        "indexes": [
            ("area", "-id"),
            ("area", "-occurred_at", "-id"),
            ("organisation", "-occurred_at", "-id"),
            ("compound", "-occurred_at", "-id"),
            ("rule", "-occurred_at", "-id"),
            ("appeal", "area", "-occurred_at"),
            ("subject", "state"),
            ("window",),
            ("number",),
            {"fields": ["photos.sha256"], "sparse": True},
        ],
    }

    compound = StringField(required=True)
    organisation = ObjectIdField()
    rule = StringField(required=True)
    edition = IntField(required=True)
    title = StringField(required=True)
    points = IntField(required=True)
    net = IntField(required=True, default=0)
    cap_day = IntField(required=True)
    cap_period = IntField(required=True)
    window = StringField(required=True)
    day = StringField(required=True)
    occurred_at = DateTimeField(required=True)
    booked_at = DateTimeField(required=True)
    source = StringField(required=True)
    source_id = StringField(required=True)
    subject = StringField(required=True)
    number = StringField(required=True)
    link = StringField(max_length=300)
    event = StringField(required=True)
    given_by = StringField()
    given_name = StringField()
    note = StringField(max_length=1000)
    photos = EmbeddedDocumentListField(Picture)
    state = StringField(required=True, choices=tuple(STATES), default="standing")
    why = StringField(max_length=700)
    appeal = StringField(required=True, default="")
    appeal_by = DateTimeField(required=True)


class Entry(PlacedRecord):
    """One line of the ledger, never changed: `points` (hundredths) for or against a charge.

    `seq` counts the lines of a compound. It counts for the month of `occurred_at`, when what it is about happened;
    `created_at` is when it was booked. `standing` is by how many the charges that bear points grew: 1, 0 or -1.
    """

    meta = {
        "collection": "ranking_entries",
        "indexes": [
            {"fields": ["compound", "seq"], "unique": True},
            ("compound", "occurred_at", "seq"),
            ("area", "-id"),
            ("area", "occurred_at"),
            ("organisation", "-id"),
            ("charge",),
        ],
    }

    compound = StringField(required=True)
    seq = IntField(required=True)
    organisation = ObjectIdField()
    charge = ObjectIdField(required=True)
    kind = StringField(required=True, choices=tuple(KINDS))
    rule = StringField(required=True)
    edition = IntField(required=True)
    title = StringField(required=True)
    points = IntField(required=True)
    standing = IntField(required=True)
    occurred_at = DateTimeField(required=True)
    source = StringField(required=True)
    source_id = StringField(required=True)
    number = StringField(required=True)
    link = StringField()
    event = StringField(required=True)
    note = StringField()

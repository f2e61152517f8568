"""Captures and what was taken out of them, as stored."""

from __future__ import annotations

from datetime import timedelta

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    PointField,
    StringField,
)

from backend.plugin_api import DUE_INDEX, Flowing, PlacedRecord, Transition, Workflow

#: What a camera may report, and the Chinese words for it.
VIOLATIONS = {
    "mixed_waste": "混投垃圾",
    "waste_on_ground": "垃圾落地",
    "bag_not_broken": "未破袋投放",
    "overtime": "误时投放",
    "overflow": "满溢",
    "bulky_dumped": "偷倒大件或装修垃圾",
    "other": "其他违规",
}

#: A capture's way: what waits is extracted; what cannot be is set aside with the reason, and may be tried again.
CAPTURE_FLOW = Workflow(
    name="evidence.capture",
    title="取证",
    initial="received",
    states={"received": "待提取", "extracted": "已提取", "failed": "提取失败"},
    final=("extracted",),
    transitions=(
        Transition(verb="extract", title="提取", source="received", target="extracted"),
        Transition(verb="fail", title="提取失败", source="received", target="failed"),
        Transition(verb="retry", title="重新提取", source="failed", target="received"),
    ),
    limits={"received": timedelta(minutes=10)},
)


class Photo(EmbeddedDocument):
    """One original photo: its blob is named by the hash of its bytes."""

    sha256 = StringField(required=True)
    media_type = StringField(required=True)
    size = IntField(required=True)
    width = IntField(required=True)
    height = IntField(required=True)


class Capture(Flowing, PlacedRecord):
    """The photos of one observation, as a device sent them; `clock_offset` is receive time minus device time in s."""

    meta = {
        "collection": "evidence_captures",
        "indexes": [
            {"fields": ["device", "event_id"], "unique": True},
            ("area", "-id"),
            ("state", "-id"),
            DUE_INDEX,
            ("point", "-id"),
        ],
    }

    device = StringField(required=True)
    device_name = StringField(required=True)
    event_id = StringField(required=True)
    point = StringField(required=True)
    point_name = StringField(required=True)
    point_kind = StringField(required=True)
    place = PointField(auto_index=False)
    violation = StringField(required=True, choices=tuple(VIOLATIONS))
    device_time = DateTimeField(required=True)
    received_at = DateTimeField(required=True)
    clock_offset = FloatField(required=True)
    source_address = StringField()
    photos = EmbeddedDocumentListField(Photo, required=True)
    regions = ListField(DictField())
    thumbnail = StringField()
    found = DictField()


class Exhibit(PlacedRecord):
    """A picture derived from an original: which photo, what made it, and where it lies."""

    meta = {
        "collection": "evidence_exhibits",
        "indexes": [{"fields": ["capture", "photo", "kind", "number"], "unique": True}],
    }

    capture = ObjectIdField(required=True)
    photo = IntField(required=True)
    kind = StringField(required=True, choices=("face", "object", "masked_copy", "masked_thumbnail"))
    number = IntField(required=True)
    sha256 = StringField(required=True)
    media_type = StringField(required=True)
    box = ListField(FloatField())
    label = StringField()
    score = FloatField()
    source = StringField()
    comparable = BooleanField()
    made_by = DictField()


#: Exhibits that show no face, which everyone who may see the capture may see.
MASKED = ("masked_copy", "masked_thumbnail")

"""Captures and what was taken out of them, as stored."""

from __future__ import annotations

import json
from datetime import timedelta

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    PointField,
    StringField,
)

from backend.plugin_api import (
    DUE_INDEX,
    BlindIndexField,
    EncryptedStringField,
    Flowing,
    PlacedRecord,
    Transition,
    Workflow,
    blind_index,
)

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


#: Where a capture comes from.
SOURCES = {"device": "设备", "staff": "现场人员", "resident": "居民"}


class Photo(EmbeddedDocument):
    """One original photo, or a frame of the capture's clip: its blob is named by the hash of its bytes.

    `before` marks a photo of the place as it was before the event. `frame_at` is set on a frame: seconds into the clip;
    `made_by` then says what took it out of the clip.
    """

    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    media_type = StringField(required=True)
    size = IntField(required=True)
    width = IntField(required=True)
    height = IntField(required=True)
    before = BooleanField(default=False)
    frame_at = FloatField()
    made_by = DictField()


class Clip(EmbeddedDocument):
    """The original film of a capture (MP4); `seconds`, `width` and `height` are what its header says."""

    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    media_type = StringField(required=True)
    size = IntField(required=True)
    seconds = FloatField(required=True)
    width = IntField(required=True)
    height = IntField(required=True)


class LegalRecord(EmbeddedDocument):
    """What makes a device's pictures evidence (行政处罚法 art. 41), as it stood at intake.

    Legal review document and its date, technical standard, photo of the sign on site, where its place is published.
    """

    review_document = StringField()
    reviewed_on = StringField()
    standard = StringField()
    sign_photo = StringField()
    publication = StringField()

    @property
    def complete(self) -> bool:
        """Whether a penalty may rest on the device's pictures; without it they are a lead for a visit."""
        return all((self.review_document, self.reviewed_on, self.standard, self.sign_photo, self.publication))


def account_of(reporter: str) -> str:
    """Return the account id in a reporter's identity, which is JSON."""
    return str(json.loads(reporter)["id"])


def pseudonym(account: str) -> str:
    """Return what a resident is called wherever a report is kept or shown: always the same, told by nobody's id.

    It is a hash of the account's id under a key of the platform, so that not even the whole database leads back.
    """
    return blind_index(Capture, "reporter", json.dumps({"id": account})).hex()[:32]


class Capture(Flowing, PlacedRecord):
    """The originals of one observation as they came in: photos, or a clip whose frames become photos.

    `source` says who sent it; `sender` is the device's code, or the account's id. `event_id` is the sender's own number
    for it. `clock_offset` is receive time minus device time in seconds. `reporter` (JSON: account id, name, phone and
    address of a resident) opens to the custodian alone; the resident's `sender` is a pseudonym, see `pseudonym`.
    `findings` are sentences of the extraction on what it could not do, such as why two photos were not compared.
    """

    meta = {
        "collection": "evidence_captures",
        "indexes": [
            {"fields": ["sender", "event_id"], "unique": True},
            ("sender", "-id"),
            ("area", "-id"),
            ("state", "-id"),
            DUE_INDEX,
            ("point", "-id"),
            ("case", "received_at"),
            {"fields": ["photos.sha256"], "sparse": True},
            {"fields": ["clip.sha256"], "sparse": True},
        ],
    }

    source = StringField(required=True, choices=tuple(SOURCES), default="device")
    sender = StringField(required=True)
    device = StringField()
    device_name = StringField()
    legal = EmbeddedDocumentField(LegalRecord)
    reporter = EncryptedStringField()
    reporter_index = BlindIndexField(of="reporter", normalise=account_of)
    note = StringField(max_length=500)
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
    photos = EmbeddedDocumentListField(Photo)
    clip = EmbeddedDocumentField(Clip)
    regions = ListField(DictField())
    thumbnail = StringField()
    found = DictField()
    findings = ListField(StringField())
    case = ObjectIdField()
    shredding_at = DateTimeField()
    shredded_at = DateTimeField()


#: What is derived from a photo.
EXHIBIT_KINDS = {
    "face": "人脸",
    "object": "物品",
    "masked_copy": "脱敏图",
    "masked_thumbnail": "脱敏缩略图",
    "subject_copy": "当事人图（他人已脱敏）",
}


class Exhibit(PlacedRecord):
    """A picture derived from an original: which photo, what made it, and where it lies.

    `subject_copy` is the photo with every face masked but that of the person whom the case is about; `subject` is then
    the exhibit that shows this person. `source` says who found it: `model`, `platform`, `comparison` or `person`.
    """

    meta = {
        "collection": "evidence_exhibits",
        "indexes": [{"fields": ["capture", "photo", "kind", "number"], "unique": True}, "sha256"],
    }

    capture = ObjectIdField(required=True)
    photo = IntField(required=True)
    kind = StringField(required=True, choices=tuple(EXHIBIT_KINDS))
    number = IntField(required=True)
    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    media_type = StringField(required=True)
    box = ListField(FloatField())
    label = StringField()
    score = FloatField()
    source = StringField()
    comparable = BooleanField()
    quality = DictField()
    subject = ObjectIdField()
    made_by = DictField()
    shredding_at = DateTimeField()


#: Exhibits that show no face, which everyone who may see the capture may see.
MASKED = ("masked_copy", "masked_thumbnail")


#: Who is behind a resident's report is opened by one person at the request of another, once, or not at all.
REPORTER_FLOW = Workflow(
    name="evidence.reporter_request",
    title="查看举报人申请",
    initial="waiting",
    states={"waiting": "待保管人处理", "opened": "已查看", "refused": "已拒绝"},
    final=("opened", "refused"),
    transitions=(
        Transition(verb="open", title="查看举报人", source="waiting", target="opened"),
        Transition(verb="refuse", title="拒绝", source="waiting", target="refused"),
    ),
)


class ReporterRequest(Flowing, PlacedRecord):
    """A request to learn who sent a report: `asked_by` asks with a reason, `answered_by` (a custodian) decides."""

    meta = {"collection": "evidence_reporter_requests", "indexes": [("area", "-id"), ("capture", "-id")]}

    capture = ObjectIdField(required=True)
    asked_by = StringField(required=True)
    asked_name = StringField(required=True)
    reason = StringField(required=True, max_length=500)
    answered_by = StringField()
    answered_name = StringField()
    answer = StringField(max_length=500)

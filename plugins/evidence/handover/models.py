"""Hand-overs as stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from mongoengine import (
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from backend.plugin_api import DUE_INDEX, BlobUser, Flowing, PlacedRecord, Transition, Workflow

#: What a case is handed over as.
HAND_OVER_KINDS = {"penalty": "处罚证据", "lead": "案件线索"}

#: A hand-over's way: its package is made in the background, fetched by the recipient, and the receipt is confirmed.
HAND_OVER_FLOW = Workflow(
    name="evidence.hand_over",
    title="移送",
    initial="making",
    states={
        "making": "正在制作",
        "failed": "制作失败",
        "made": "待领取",
        "handed_over": "已领取",
        "received": "已签收",
    },
    final=("received",),
    transitions=(
        Transition(verb="make", title="制作完成", source="making", target="made"),
        Transition(verb="fail", title="制作失败", source="making", target="failed"),
        Transition(verb="retry", title="重新制作", source="failed", target="making", permission="evidence:hand_over"),
        Transition(verb="fetch", title="领取", source="made", target="handed_over"),
        Transition(
            verb="receive",
            title="签收",
            source=("made", "handed_over"),
            target="received",
            permission="evidence:receive",
        ),
    ),
    limits={"making": timedelta(hours=1)},
)


class PackageFile(EmbeddedDocument):
    """The package in the blob store, and the fingerprint of the key that signed it."""

    sha256 = StringField(required=True)
    sm3 = StringField(required=True)
    size = IntField(required=True)
    files = IntField(required=True)
    fingerprint = StringField(required=True)


class Receipt(EmbeddedDocument):
    """Who took the package over, for which unit; `hash` is the SHA-256 of the receipt as `handing.receipt_bytes`."""

    unit = StringField(required=True, max_length=100)
    by = StringField(required=True)
    name = StringField(required=True)
    at = DateTimeField(required=True)
    note = StringField(max_length=500)
    hash = StringField(required=True)


class HandOver(Flowing, PlacedRecord):
    """A case on its way to enforcement.

    A case is handed over once. `missing` says what a lead lacks to be penalty evidence.
    """

    meta = {
        "collection": "evidence_hand_overs",
        "indexes": [
            {"fields": ["case"], "unique": True},
            ("area", "-id"),
            ("state", "-id"),
            {"fields": ["package.sha256"], "sparse": True},
            DUE_INDEX,
        ],
    }

    case = ObjectIdField(required=True)
    case_number = StringField(required=True)
    violation = StringField(required=True)
    kind = StringField(required=True, choices=tuple(HAND_OVER_KINDS))
    missing = ListField(StringField())
    purpose = StringField(required=True, max_length=200)
    recipient = StringField(required=True, max_length=100)
    made_by = StringField(required=True)
    made_by_name = StringField(required=True)
    made_at = DateTimeField(required=True)
    package = EmbeddedDocumentField(PackageFile)
    receipt = EmbeddedDocumentField(Receipt)
    shredding_at = DateTimeField()


def packages_named(district: str, hashes: Sequence[str]) -> set[str]:
    """Return those of the hashes that are those of packages in the district which are to be kept."""
    inside = {"shredding_at": None, "area": {"$gte": district, "$lt": f"{district}0"}}
    rows = HandOver._get_collection().find({"package.sha256": {"$in": list(hashes)}, **inside}, {"package.sha256": 1})
    return {row["package"]["sha256"] for row in rows}


#: What `put_blob` is told of whoever keeps packages.
USER = "evidence.packages"
BLOB_USER = BlobUser(name=USER, referenced=packages_named)

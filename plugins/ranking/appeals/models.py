"""Appeals as stored, and the way they go."""

from __future__ import annotations

from mongoengine import DateTimeField, EmbeddedDocumentListField, IntField, ObjectIdField, StringField

from backend.plugin_api import DUE_INDEX, Flowing, PlacedRecord, Transition, Workflow
from plugins.ranking.ledger.models import Picture
from plugins.ranking.points import APPEAL, DECIDE

APPEAL_FLOW = Workflow(
    name="ranking.appeal",
    title="扣分申诉",
    initial="filed",
    states={
        "filed": "待裁决",
        "upheld": "申诉成立",
        "refused": "申诉不成立",
        "withdrawn": "已撤回",
        "lapsed": "扣分已撤销",
    },
    final=("upheld", "refused", "withdrawn", "lapsed"),
    transitions=(
        Transition(verb="uphold", source="filed", target="upheld", title="申诉成立，冲销扣分", permission=DECIDE),
        Transition(verb="refuse", source="filed", target="refused", title="申诉不成立", permission=DECIDE),
        Transition(verb="withdraw", source="filed", target="withdrawn", title="撤回申诉", permission=APPEAL),
        # What it was about stands no longer, so there is nothing to decide.
        Transition(verb="lapse", source="filed", target="lapsed", title="扣分已撤销"),
    ),
)


class Appeal(Flowing, PlacedRecord):
    """An appeal against a charge, whose id it has: there is one for each. `points` (hundredths) are what was booked."""

    meta = {
        "collection": "ranking_appeals",
        "indexes": [
            ("area", "-id"),
            ("state", "area", "filed_at"),
            ("area", "-filed_at", "-id"),
            ("organisation", "-filed_at", "-id"),
            {"fields": ["photos.sha256"], "sparse": True},
            DUE_INDEX,
        ],
    }

    compound = StringField(required=True)
    organisation = ObjectIdField()
    rule = StringField(required=True)
    title = StringField(required=True)
    number = StringField(required=True)
    points = IntField(required=True)
    reason = StringField(required=True, max_length=1000)
    photos = EmbeddedDocumentListField(Picture)
    filed_by = StringField(required=True)
    filed_name = StringField(required=True)
    filed_at = DateTimeField(required=True)
    decision = StringField(max_length=500)
    decided_by = StringField()
    decided_name = StringField()
    decided_at = DateTimeField()

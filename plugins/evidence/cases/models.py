"""Cases as stored."""

from __future__ import annotations

from datetime import timedelta

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
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
    EncryptedStringField,
    Flowing,
    PlacedRecord,
    Transition,
    Workflow,
)
from plugins.evidence.captures.models import VIOLATIONS

#: A case's way. Four eyes (四眼): what leads to a penalty is countersigned by a second person.
CASE_FLOW = Workflow(
    name="evidence.case",
    title="案件",
    initial="waiting",
    states={
        "waiting": "待复核",
        "countersigning": "待会签",
        "confirmed": "已确认",
        "handed_over": "已移送",
        "received": "已签收",
        "rejected": "已排除",
        "merged": "已并入",
    },
    final=("received", "merged"),
    transitions=(
        Transition(verb="confirm", title="确认（不处罚）", source="waiting", target="confirmed"),
        Transition(verb="propose_penalty", title="确认并建议处罚", source="waiting", target="countersigning"),
        Transition(verb="countersign", title="会签同意", source="countersigning", target="confirmed"),
        Transition(verb="send_back", title="退回复核", source="countersigning", target="waiting"),
        Transition(verb="reject", title="排除", source=("waiting", "countersigning"), target="rejected"),
        Transition(verb="reopen", title="重新复核", source=("confirmed", "rejected"), target="waiting"),
        Transition(verb="hand_over", title="移送执法", source="confirmed", target="handed_over"),
        Transition(verb="receive", title="签收", source="handed_over", target="received"),
        Transition(verb="merge", title="并入其他案件", source="waiting", target="merged"),
    ),
    limits={"waiting": timedelta(hours=24), "countersigning": timedelta(hours=24)},
)

#: What a case is kept as; how long is a setting of each.
RETENTION_CLASSES = {
    "open": "未办结",
    "lead": "线索（不处罚）",
    "rejected": "已排除",
    "penalty": "处罚证据",
}


class Decision(EmbeddedDocument):
    """One person's judgement: the verb of the workflow, with the reason; `by` is an account's id, `name` its name."""

    verb = StringField(required=True)
    by = StringField(required=True)
    name = StringField(required=True)
    at = DateTimeField(required=True)
    reason = StringField(max_length=500)


class Case(Flowing, PlacedRecord):
    """What cameras or people saw at one place in one span, with what people made of it.

    `number` is the case number (案号). `subject` and `waste` are the exhibits that show the person whom it is about and
    what was thrown; `penalty` says that it goes to enforcement. `notice_index` finds the case by the code that the
    person concerned holds. `holds` are legal holds: while there is one nothing is deleted. `delete_after` is when
    retention ends, `retention` the class that says so.
    """

    meta = {
        "collection": "evidence_cases",
        "indexes": [
            {"fields": ["number"], "unique": True},
            ("area", "-id"),
            ("state", "-id"),
            ("point", "-id"),
            {"fields": ["notice_index"], "sparse": True},
            {"fields": ["delete_after"], "sparse": True},
            DUE_INDEX,
        ],
    }

    number = StringField(required=True)
    point = StringField(required=True)
    point_name = StringField(required=True)
    place = PointField(auto_index=False)
    violation = StringField(required=True, choices=tuple(VIOLATIONS))
    captures = ListField(ObjectIdField(), required=True)
    first_at = DateTimeField(required=True)
    last_at = DateTimeField(required=True)
    thumbnail = StringField()
    subject = ObjectIdField()
    waste = ObjectIdField()
    penalty = BooleanField(default=False)
    legal_complete = BooleanField(default=False)
    decisions = EmbeddedDocumentListField(Decision)
    merged_into = ObjectIdField()
    repeats = ListField(DictField())
    defences = IntField(default=0)
    notice_code = EncryptedStringField()
    notice_index = BlindIndexField(of="notice_code")
    holds = ListField(DictField())
    retention = StringField(required=True, choices=tuple(RETENTION_CLASSES), default="open")
    delete_after = DateTimeField()
    shredded_at = DateTimeField()

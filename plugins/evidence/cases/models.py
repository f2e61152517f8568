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
    Record,
    Transition,
    Workflow,
)
from plugins.evidence.captures.models import VIOLATIONS

#: Who may take a case on: the permissions of the steps below.
REVIEW, COUNTERSIGN, HAND_OVER = "evidence:review", "evidence:countersign", "evidence:hand_over"
#: Who may put a legal hold on a case, and lift it.
HOLD = "evidence:hold"

#: How long a case may wait for a person.
REVIEW_LIMIT = timedelta(hours=24)


def way(verb: str, title: str, source: str | tuple[str, ...], target: str, permission: str) -> Transition:
    """Return one step of a case."""
    return Transition(verb=verb, title=title, source=source, target=target, permission=permission)


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
        way("confirm", "确认（不处罚）", "waiting", "confirmed", REVIEW),
        way("propose_penalty", "确认并建议处罚", "waiting", "countersigning", REVIEW),
        way("countersign", "会签同意", "countersigning", "confirmed", COUNTERSIGN),
        way("send_back", "退回复核", "countersigning", "waiting", COUNTERSIGN),
        way("reject", "排除", "waiting", "rejected", REVIEW),
        way("reject", "排除", "countersigning", "rejected", COUNTERSIGN),
        way("reopen", "重新复核", ("confirmed", "rejected"), "waiting", REVIEW),
        way("hand_over", "移送执法", "confirmed", "handed_over", HAND_OVER),
        way("receive", "签收", "handed_over", "received", HAND_OVER),
        way("merge", "并入其他案件", "waiting", "merged", REVIEW),
    ),
    limits={"waiting": REVIEW_LIMIT, "countersigning": REVIEW_LIMIT},
)

#: Only what a person has judged is told to the person concerned; a case that was told before stays told.
TELLABLE = ("confirmed", "handed_over", "received")

#: What a case is kept as; how long is a setting of each.
RETENTION_CLASSES = {
    "open": "未办结",
    "lead": "线索（不处罚）",
    "rejected": "已排除",
    "penalty": "处罚证据",
}


class Decision(EmbeddedDocument):
    """One person's judgement: the verb of the workflow, with the reason; `by` is an account's id, `name` its name.

    `site_visit` says how the person looked for himself or herself, where no camera with a legal record saw it.
    """

    verb = StringField(required=True)
    by = StringField(required=True)
    name = StringField(required=True)
    at = DateTimeField(required=True)
    reason = StringField(max_length=500)
    site_visit = StringField(max_length=500)


class Case(Flowing, PlacedRecord):
    """What cameras or people saw at one place in one span, with what people made of it.

    `number` is the case number (案号). `captures` of a case that was merged into another are none: they went with it.
    `subject` and `waste` are the exhibits that show the person whom it is about and what was thrown; `penalty` says
    that it goes to enforcement. `notice_index` finds the case by the code that the person concerned holds, who may
    defend from `noticed_at` to `defence_until`. `holds` are legal holds: while there is one nothing is deleted.
    `delete_after` is when retention ends, `retention` the class that says so.
    """

    meta = {
        "collection": "evidence_cases",
        "indexes": [
            {"fields": ["number"], "unique": True},
            ("area", "-id"),
            ("state", "-id"),
            ("point", "-id"),
            ("point", "violation", "state", "last_at"),
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
    captures = ListField(ObjectIdField())
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
    noticed_at = DateTimeField()
    defence_until = DateTimeField()
    holds = ListField(DictField())
    retention = StringField(required=True, choices=tuple(RETENTION_CLASSES), default="open")
    delete_after = DateTimeField()
    shredding_at = DateTimeField()
    shredded_at = DateTimeField()


class CaseSeries(Record):
    """How many numbers a district has given out in a year; the id is `<district>-<year>`.

    It counts on in the transaction that opens the case, so no number is lost or given twice.
    """

    meta = {"collection": "evidence_case_series"}

    id = StringField(primary_key=True)
    last = IntField(required=True, default=0)


class CaseSpan(Record):
    """One violation at one point, as `<point>/<violation>`: who adds to its cases writes here first.

    So of two workers with captures of one span the second one waits, and finds the case that the first one opened.
    """

    meta = {"collection": "evidence_case_spans"}

    id = StringField(primary_key=True)
    turn = IntField(required=True, default=0)

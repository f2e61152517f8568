"""Work orders as stored, and the way they go (after 数字城管: 立案、派遣、处置、反馈、核查、结案)."""

from __future__ import annotations

from mongoengine import (
    BooleanField,
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    PointField,
    StringField,
)

from backend.plugin_api import BACK, DUE_INDEX, Flowing, PlacedRecord, Record, Transition, Workflow

VIEW, HANDLE, REPORT = "dispatch:view", "dispatch:handle", "dispatch:report"
DISPATCH, VERIFY, FORCE = "dispatch:dispatch", "dispatch:verify", "dispatch:force_close"

SOURCES = {
    "alert": "预警事件",
    "evidence": "取证案件",
    "patrol": "巡检",
    "exposure": "监督曝光",
    "booking": "上门预约",
    "person": "人工上报",
}
SEVERITIES = {1: "提示", 2: "一般", 3: "较重", 4: "紧急"}
#: Where the handler's clock runs.
HANDLING = ("dispatched", "in_progress", "rework")
OPEN = ("reported", "filed", *HANDLING, "returned", "replied", "verifying", "suspended")
#: How an order ended, beside those that are open.
RESULTS = {"closed": "结案", "forced_closed": "强制结案", "dismissed": "不予立案", "merged": "已并入"}


def way(verb: str, title: str, source: str | tuple[str, ...], target: str, permission: str) -> Transition:
    """Return one step of an order."""
    return Transition(verb=verb, title=title, source=source, target=target, permission=permission)


ORDER_FLOW = Workflow(
    name="work_order",
    title="派单",
    initial="reported",
    states={
        "reported": "待立案",
        "filed": "待派遣",
        "dispatched": "待接单",
        "in_progress": "处置中",
        "returned": "已退回",
        "replied": "待核查",
        "verifying": "核查中",
        "rework": "返工中",
        "suspended": "已挂账",
        "closed": "已结案",
        "forced_closed": "强制结案",
        "dismissed": "不予立案",
        "merged": "已并入",
    },
    final=("merged",),
    suspended=("suspended",),
    transitions=(
        way("file", "立案", "reported", "filed", DISPATCH),
        way("dismiss", "不予立案", ("reported", "filed", "returned"), "dismissed", DISPATCH),
        way("dispatch", "派遣", ("filed", "returned"), "dispatched", DISPATCH),
        way("reassign", "改派", HANDLING, "dispatched", DISPATCH),
        way("take", "接单", "dispatched", "in_progress", HANDLE),
        way("return", "退回", HANDLING, "returned", HANDLE),
        way("reply", "回单", ("in_progress", "rework"), "replied", HANDLE),
        way("inspect", "开始核查", "replied", "verifying", VERIFY),
        way("close", "核查通过，结案", ("replied", "verifying"), "closed", VERIFY),
        way("send_back", "核查不通过，返工", ("replied", "verifying"), "rework", VERIFY),
        way("suspend", "挂账", ("filed", "returned", "replied", "verifying", *HANDLING), "suspended", DISPATCH),
        way("resume", "恢复办理", "suspended", BACK, DISPATCH),
        way("merge", "并入其他派单", ("reported", "filed", "returned", *HANDLING), "merged", DISPATCH),
        way("force_close", "强制结案", tuple(each for each in OPEN if each != "reported"), "forced_closed", FORCE),
        way("reopen", "重新立案", ("closed", "forced_closed", "dismissed"), "filed", DISPATCH),
        *(way("ask_extension", "申请延期", each, each, HANDLE) for each in ("in_progress", "rework")),
        *(way("grant_extension", "同意延期", each, each, DISPATCH) for each in HANDLING),
        *(way("refuse_extension", "不同意延期", each, each, DISPATCH) for each in HANDLING),
    ),
)


class Picture(EmbeddedDocument):
    """A photo of a reply, as a blob of the order's district."""

    sha256 = StringField(required=True)
    media_type = StringField(required=True)
    width = IntField()
    height = IntField()
    stage = StringField(required=True, choices=("before", "after", "check"))


class Reply(EmbeddedDocument):
    """A handler's answer (回单): what was done, shown by photos and a place; `distance` in metres from the order's."""

    by = StringField(required=True)
    name = StringField(required=True)
    at = DateTimeField(required=True)
    note = StringField(max_length=1000)
    pictures = EmbeddedDocumentListField(Picture)
    place = PointField(auto_index=False)
    accuracy = FloatField()
    distance = FloatField()


class Check(EmbeddedDocument):
    """A verifier's judgement of the reply before it."""

    by = StringField(required=True)
    name = StringField(required=True)
    at = DateTimeField(required=True)
    passed = BooleanField(required=True)
    note = StringField(max_length=500)


class Extension(EmbeddedDocument):
    """A handler's wish for more time, in minutes as the order's limit counts them, and what became of it."""

    by = StringField(required=True)
    name = StringField(required=True)
    at = DateTimeField(required=True)
    minutes = IntField(required=True)
    reason = StringField(required=True, max_length=500)
    granted = BooleanField()
    decided_by = StringField()
    decided_at = DateTimeField()


class WorkOrder(Flowing, PlacedRecord):
    """What somebody is sent for, to whom it was given, by when it is to be done, and how it ended.

    It is addressed to a person (`handler`), to an organisation, or to whoever has `handler_role` where it lies; whoever
    takes it becomes `handler`. `unit` is what statistics count it for. The handler's clock: `limit_minutes` are
    allowed, `used_minutes` were used until `running_since`, since when it runs; `unit_of_time` says whether in working
    time. `escalated` is the highest share of the limit, in per cent, that was told up the area tree, `escalate_at` when
    the next one will be; `untaken_at` when the street is told that nobody has taken it; `late` says that the limit was
    once over; `provisional` that holidays were not known.
    `source_key` is `<source>/<source_id>` of what it was made from.
    """

    meta = {
        "collection": "work_orders",
        "indexes": [
            {"fields": ["number"], "unique": True},
            {"fields": ["source_key"], "unique": True, "sparse": True},
            ("area", "-id"),
            ("state", "-id"),
            ("state", "due_at", "id"),
            ("state", "kind", "area", "-id"),
            ("handler", "state", "due_at"),
            ("handler_organisation", "state", "due_at"),
            ("unit", "state"),
            ("-updated_at",),
            {"fields": ["replies.pictures.sha256"], "sparse": True},
            {"fields": ["escalate_at"], "sparse": True},
            {"fields": ["untaken_at"], "sparse": True},
            {"fields": [("place", "2dsphere")], "2dsphereIndexVersion": 3},
            DUE_INDEX,
        ],
    }

    number = StringField(required=True)
    source = StringField(required=True, choices=tuple(SOURCES))
    source_id = StringField()
    source_key = StringField()
    link = StringField(max_length=300)
    kind = StringField(required=True, max_length=32)
    title = StringField(required=True, max_length=100)
    severity = IntField(required=True, default=2)
    description = StringField(max_length=1000)
    point = StringField()
    point_name = StringField()
    place = PointField(auto_index=False)
    reporter = StringField()
    reporter_name = StringField()

    handler = ObjectIdField()
    handler_name = StringField()
    handler_organisation = ObjectIdField()
    handler_role = StringField()
    unit = StringField()
    unit_name = StringField()
    rule = StringField()

    proof = ListField(StringField())
    far_metres = IntField(default=300)
    unit_of_time = StringField(required=True, choices=("clock", "working"))
    respond_minutes = IntField(required=True)
    limit_minutes = FloatField(required=True)
    used_minutes = FloatField(required=True, default=0)
    running_since = DateTimeField()
    respond_by = DateTimeField()
    untaken_at = DateTimeField()
    escalated = IntField(required=True, default=0)
    escalate_at = DateTimeField()
    late = BooleanField(required=True, default=False)
    provisional = BooleanField(required=True, default=False)

    filed_at = DateTimeField()
    dispatched_at = DateTimeField()
    taken_at = DateTimeField()
    replied_at = DateTimeField()
    ended_at = DateTimeField()
    on_time = BooleanField()
    duration_class = IntField()
    rework = IntField(required=True, default=0)
    replies = EmbeddedDocumentListField(Reply)
    checks = EmbeddedDocumentListField(Check)
    extensions = EmbeddedDocumentListField(Extension)
    merged_into = ObjectIdField()
    merged = ListField(ObjectIdField())


class OrderSeries(Record):
    """How many numbers a district has given out in a year; the id is `<district>-<year>`."""

    meta = {"collection": "work_order_series"}

    id = StringField(primary_key=True)
    last = IntField(required=True, default=0)

"""What phones send and what people see of patrols."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_smorest.fields import Upload
from marshmallow import Schema, ValidationError, fields, validate

from backend.plugin_api import PageArgs
from plugins.alerts.patrol.vocabulary import CODE_WAYS, FLAGS, OUTCOMES, POINT_KINDS, STATES

RECORD_ID = validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号应为 24 位十六进制。")
AREA = validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域路径有误。")
SHA256 = validate.Regexp(r"^[0-9a-f]{64}\Z", error="应为照片的 SHA-256。")
CLIENT_ID = validate.Regexp(r"^[0-9A-Za-z_-]{8,64}\Z", error="应为 8 至 64 位字母、数字、下划线或短横。")
POINT = validate.Regexp(r"^[0-9A-Za-z]{1,32}\Z", error="点位编码有误。")
DAY = validate.Regexp(r"^\d{4}-\d{2}-\d{2}\Z", error="应为 2026-01-31 这样的日期。")
MOST_ENTRIES, MOST_PHOTOS, MOST_ANSWERS = 50, 9, 60
KINDS = {"check_in": "打卡", "report": "上报事件", "finish": "完成巡检"}
#: No clock that works says less or more.
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def told(text: str) -> dict[str, str]:
    """Return the description of a parameter."""
    return {"description": text}


def moment(text: str, **options: Any) -> fields.AwareDateTime:
    """Return a field for a time by a phone's clock."""
    check = validate.Range(EARLIEST, LATEST, error="时间有误。")
    return fields.AwareDateTime(validate=check, metadata=told(text), **options)


def photos() -> fields.List:
    """Return a field for photos that were uploaded before."""
    return fields.List(
        fields.String(validate=SHA256), validate=validate.Length(0, MOST_PHOTOS), metadata=told("已上传照片的 SHA-256")
    )


class PatrolAnswerSchema(Schema):
    """What was found of one item."""

    item = fields.String(required=True, validate=POINT, metadata=told("检查项编码"))
    ok = fields.Boolean(required=True, metadata=told("是否正常"))
    note = fields.String(validate=validate.Length(0, 200), metadata=told("说明"))
    photos = photos()


class PatrolEntrySchema(Schema):
    """One entry of a phone's queue; which fields count depends on `kind`."""

    client_id = fields.String(required=True, validate=CLIENT_ID, metadata=told("手机生成的唯一编号"))
    kind = fields.String(
        required=True, validate=validate.OneOf(tuple(KINDS)), metadata=told("打卡、上报事件或完成巡检")
    )
    round = fields.String(required=True, validate=RECORD_ID, metadata=told("巡检编号"))
    at = moment("手机时钟的时刻；打卡为到达时", required=True)
    until = moment("打卡：离开（检查完）的时刻")
    point = fields.String(validate=POINT, metadata=told("点位编码"))
    longitude = fields.Float(validate=validate.Range(-180, 180), metadata=told("经度"))
    latitude = fields.Float(validate=validate.Range(-90, 90), metadata=told("纬度"))
    accuracy = fields.Float(validate=validate.Range(0, 1_000_000), metadata=told("定位误差（米）"))
    mock = fields.Boolean(metadata=told("系统报告为模拟定位"))
    code = fields.String(validate=validate.Length(0, 100), metadata=told("扫到的点位码"))
    code_way = fields.String(validate=validate.OneOf(tuple(CODE_WAYS)), metadata=told("点位码的读取方式"))
    answers = fields.List(
        fields.Nested(PatrolAnswerSchema), validate=validate.Length(0, MOST_ANSWERS), metadata=told("检查结果")
    )
    event = fields.String(validate=validate.Length(1, 32), metadata=told("上报事件：类型编码"))
    note = fields.String(validate=validate.Length(0, 500), metadata=told("说明，或完成时的小结"))
    photos = photos()


class Entry(fields.Nested):
    """An entry that is looked at by itself: one that cannot be read does not hold up the others."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            entry = super()._deserialize(value, *args, **kwargs)
            needed = {"check_in": ("point",), "report": ("point", "event"), "finish": ()}[entry["kind"]]
            faults = {name: ["必填。"] for name in needed if name not in entry}
            if ("longitude" in entry) != ("latitude" in entry):
                faults["longitude"] = ["经度和纬度须同时填写。"]
            if faults:
                raise ValidationError(faults)
        except ValidationError as error:
            client_id = value.get("client_id") if isinstance(value, dict) else None
            return {"client_id": client_id if isinstance(client_id, str) else "", "faults": error.messages}
        return entry


class PatrolBatchSchema(Schema):
    """A phone's queue, the oldest first."""

    sent_at = moment("手机时钟此刻的时间", required=True)
    entries = fields.List(
        Entry(PatrolEntrySchema), required=True, validate=validate.Length(1, MOST_ENTRIES), metadata=told("按先后顺序")
    )


class PatrolFlagSchema(Schema):
    """What makes something doubtful."""

    code = fields.String(validate=validate.OneOf(tuple(FLAGS)))
    title = fields.String()


class PatrolProblemSchema(Schema):
    """Why an entry was refused."""

    code = fields.String()
    title = fields.String()
    detail = fields.String()
    fields_ = fields.Dict(data_key="fields")


class PatrolResultSchema(Schema):
    """What became of one entry."""

    client_id = fields.String()
    outcome = fields.String(validate=validate.OneOf(tuple(OUTCOMES)))
    repeated = fields.Boolean(metadata=told("此前已收到，本次未改变任何内容"))
    flags = fields.List(fields.Nested(PatrolFlagSchema))
    problem = fields.Nested(PatrolProblemSchema, allow_none=True)
    alert = fields.String()
    alert_number = fields.String()


class PatrolBatchResultSchema(Schema):
    """What became of each entry, in the order in which they were sent."""

    received_at = fields.DateTime()
    clock_offset = fields.Float(metadata=told("手机时钟比平台慢的秒数"))
    results = fields.List(fields.Nested(PatrolResultSchema))


class PatrolPhotoForm(Schema):
    """A photo."""

    photo = Upload(required=True, metadata=told("照片"))


class PatrolPhotoSchema(Schema):
    """A photo that was kept."""

    sha256 = fields.String()
    media_type = fields.String()


class PatrolStopSchema(Schema):
    """A point of a round."""

    point = fields.String()
    name = fields.String()
    kind = fields.String(validate=validate.OneOf(tuple(POINT_KINDS)))
    kind_title = fields.String()
    longitude = fields.Float()
    latitude = fields.Float()
    radius = fields.Float(metadata=told("打卡范围（米）"))
    code_required = fields.Boolean()
    checked_at = fields.DateTime(allow_none=True)
    flags = fields.List(fields.Nested(PatrolFlagSchema))
    findings = fields.Integer()


class PatrolRoundSchema(Schema):
    """A round in a list, and a line of an export."""

    id = fields.String(metadata={"label": "编号"})
    etag = fields.String(metadata={"label": "版本"})
    plan = fields.String()
    plan_name = fields.String(metadata={"label": "巡检计划"})
    area = fields.String(metadata={"label": "区域路径"})
    area_name = fields.String(metadata={"label": "区域"})
    supervisor = fields.String(allow_none=True)
    supervisor_name = fields.String(allow_none=True, metadata={"label": "专管员"})
    day = fields.String(metadata={"label": "日期"})
    starts_at = fields.DateTime(metadata={"label": "时段起"})
    ends_at = fields.DateTime(metadata={"label": "时段止"})
    state = fields.String()
    state_title = fields.String(metadata={"label": "状态"})
    done = fields.Integer(metadata={"label": "已打卡"})
    total = fields.Integer(metadata={"label": "点位数"})
    findings = fields.Integer(metadata={"label": "发现问题"})
    reports = fields.Integer(metadata={"label": "上报事件"})
    refused = fields.Integer(metadata={"label": "未采信打卡"})
    flagged = fields.Integer(metadata={"label": "存疑点位"})
    flags = fields.List(fields.Nested(PatrolFlagSchema))
    doubts = fields.String(metadata={"label": "存疑原因"})
    started_at = fields.DateTime(allow_none=True, metadata={"label": "开始时间"})
    finished_at = fields.DateTime(allow_none=True, metadata={"label": "结束时间"})
    summary = fields.String(allow_none=True, metadata={"label": "小结"})


class PatrolTableSchema(PatrolRoundSchema):
    """A line of an exported table: what people read."""

    class Meta:
        """Codes that have a title beside them stay out."""

        exclude = ("id", "etag", "plan", "supervisor", "state", "flags")


class PatrolAnswerShownSchema(PatrolAnswerSchema):
    """What was found of one item, with its title and what it costs."""

    title = fields.String()
    points = fields.Float()


class PatrolCheckInSchema(Schema):
    """A check-in as staff see it."""

    id = fields.String()
    point = fields.String()
    point_name = fields.String()
    at = fields.DateTime()
    until = fields.DateTime()
    received_at = fields.DateTime()
    clock_offset = fields.Float()
    longitude = fields.Float(allow_none=True)
    latitude = fields.Float(allow_none=True)
    accuracy = fields.Float(allow_none=True)
    distance = fields.Float(allow_none=True, metadata=told("距点位（米）"))
    speed = fields.Float(allow_none=True, metadata=told("从上一点位起的速度（km/h）"))
    code_way = fields.String(allow_none=True)
    outcome = fields.String()
    outcome_title = fields.String()
    flags = fields.List(fields.Nested(PatrolFlagSchema))
    problem = fields.Nested(PatrolProblemSchema, allow_none=True)
    answers = fields.List(fields.Nested(PatrolAnswerShownSchema))
    photos = fields.List(fields.String())


class PatrolReportSchema(Schema):
    """An event that was reported from a round."""

    id = fields.String()
    point = fields.String()
    kind = fields.String()
    kind_name = fields.String()
    note = fields.String(allow_none=True)
    photos = fields.List(fields.String())
    at = fields.DateTime()
    alert = fields.String()
    alert_number = fields.String()


class PatrolRouteSchema(PatrolRoundSchema):
    """A round with its stops."""

    stops = fields.List(fields.Nested(PatrolStopSchema))


class PatrolRoundDetailSchema(PatrolRouteSchema):
    """A round as a report: its stops, every check-in, and what was reported."""

    check_ins = fields.List(fields.Nested(PatrolCheckInSchema))
    reported = fields.List(fields.Nested(PatrolReportSchema))


class PatrolItemChoiceSchema(Schema):
    """An item of a checklist as a phone shows it."""

    code = fields.String()
    name = fields.String()
    photo = fields.String()
    alert_kind = fields.String(allow_none=True)


class PatrolKindChoiceSchema(Schema):
    """A kind of event that may be reported."""

    code = fields.String()
    name = fields.String()


class PatrolTodaySchema(Schema):
    """All that a phone needs to walk the rounds of today and tomorrow without a network."""

    account = fields.String()
    name = fields.String()
    server_time = fields.DateTime()
    rounds = fields.List(fields.Nested(PatrolRouteSchema))
    checklists = fields.Dict(
        keys=fields.String(), values=fields.List(fields.Nested(PatrolItemChoiceSchema)), metadata=told("按点位类型")
    )
    kinds = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(PatrolKindChoiceSchema)))


class PatrolRoundFilters(Schema):
    """Search conditions for rounds."""

    within = fields.String(validate=AREA, metadata=told("区域路径"))
    state = fields.String(validate=validate.OneOf(tuple(STATES)), metadata=told("状态"))
    flagged = fields.Boolean(metadata=told("true：只要存疑的"))
    supervisor = fields.String(validate=RECORD_ID, metadata=told("专管员账号编号"))
    since = fields.String(validate=DAY, metadata=told("日期起"))
    until = fields.String(validate=DAY, metadata=told("日期止（含）"))


class PatrolRoundListArgs(PageArgs, PatrolRoundFilters):
    """The query of the list."""


class PatrolRoundExportArgs(PatrolRoundFilters):
    """The query of an export."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class PatrolSupervisorArgs(Schema):
    """Where supervisors are looked for."""

    area = fields.String(required=True, validate=AREA, metadata=told("区域路径"))


class PatrolSupervisorSchema(Schema):
    """A supervisor who may be given a plan."""

    id = fields.String()
    name = fields.String()


class PatrolSiteSchema(Schema):
    """What is special about a point."""

    point = fields.String(dump_only=True)
    etag = fields.String(dump_only=True)
    radius = fields.Integer(
        allow_none=True, strict=True, validate=validate.Range(5, 500), metadata=told("打卡范围（米），空为默认")
    )
    code_required = fields.Boolean(metadata=told("打卡必须扫码"))
    round = fields.Integer(dump_only=True, metadata=told("第几张码"))
    replaced_at = fields.DateTime(dump_only=True, allow_none=True)


class PatrolReasonSchema(Schema):
    """Why a code is replaced."""

    reason = fields.String(required=True, validate=validate.Length(2, 200), metadata=told("原因"))

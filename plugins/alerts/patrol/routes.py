"""The API of patrols: a phone's day and its queue, rounds for the offices, points and their codes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from bson import ObjectId
from flask import Response
from marshmallow import Schema, fields

from backend.plugin_api import (
    Blueprint,
    Problem,
    audit,
    current_principal,
    district_of,
    if_match,
    if_match_version,
    may_answer,
    open_blob,
    paged,
    read_page,
    require,
    requires,
    write_table,
)
from plugins.alerts.patrol import codes, reading
from plugins.alerts.patrol.claims import Sending
from plugins.alerts.patrol.models import PatrolRound
from plugins.alerts.patrol.photos import is_named, keep_photo
from plugins.alerts.patrol.plans import supervisors_in
from plugins.alerts.patrol.schemas import (
    PatrolBatchResultSchema,
    PatrolBatchSchema,
    PatrolPhotoForm,
    PatrolPhotoSchema,
    PatrolReasonSchema,
    PatrolRoundDetailSchema,
    PatrolRoundExportArgs,
    PatrolRoundListArgs,
    PatrolRoundSchema,
    PatrolSiteSchema,
    PatrolSupervisorArgs,
    PatrolSupervisorSchema,
    PatrolTableSchema,
    PatrolTodaySchema,
)
from plugins.alerts.patrol.taking import Result, find_round, take_batch
from plugins.alerts.patrol.vocabulary import EDIT, EXPORT, PATROL, VIEW

phone = Blueprint("patrol", __name__, url_prefix="/api/v1/patrol", description="巡检打卡")
rounds = Blueprint("patrol-rounds", __name__, url_prefix="/api/v1/patrol-rounds", description="巡检记录")
sites = Blueprint("patrol-points", __name__, url_prefix="/api/v1/patrol-points", description="巡检点位")

NEWEST_FIRST = (("starts_at", -1), ("_id", -1))
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Problems that an entry of a batch may be answered with; the batch itself is answered with 200.
OF_ENTRIES = (
    "invalid", "not_found", "unknown_kind", "patrol_not_your_round", "patrol_point_not_in_round",
    "patrol_unknown_item", "patrol_photo_missing", "patrol_photo_needed", "patrol_from_future",
    "patrol_window_closed", "patrol_mock_location", "patrol_wrong_code", "patrol_place_unproven", "patrol_too_far",
    "patrol_already_finished", "patrol_nothing_done",
)  # fmt: skip


@phone.route("/today", methods=["GET"])
@requires(PATROL)
@phone.response(200, PatrolTodaySchema, ready=True)
def get_today() -> dict[str, Any]:
    """本人今明两天的巡检，含检查项和可上报的事件类型，供离线使用."""
    return reading.today(current_principal())


@phone.route("/batches", methods=["POST"])
@requires(PATROL)
@phone.arguments(PatrolBatchSchema)
@phone.response(200, PatrolBatchResultSchema, ready=True)
def send_batch(asked: dict[str, Any]) -> dict[str, Any]:
    """按先后顺序提交打卡、上报和完成；逐条给出结果，重复提交不改变任何内容.

    Each entry is known by its `client_id`: send the queue again until it was answered.
    """
    sending = Sending(by=current_principal(), sent_at=asked["sent_at"])
    readable = [entry for entry in asked["entries"] if "faults" not in entry]
    results = iter(take_batch(sending, readable))
    return {
        "received_at": sending.received_at,
        "clock_offset": (sending.received_at - sending.sent_at).total_seconds(),
        "results": [shown(unreadable(entry) if "faults" in entry else next(results)) for entry in asked["entries"]],
    }


def unreadable(entry: dict[str, Any]) -> Result:
    """Return the result of an entry that breaks the rules of its fields."""
    faults = {name: [str(each) for each in flat(messages)] for name, messages in entry["faults"].items()}
    return Result(entry["client_id"], "refused", problem=Problem("invalid", fields=faults))


def flat(messages: Any) -> Iterator[Any]:
    """Yield every sentence of a tree of messages."""
    parts = messages.values() if isinstance(messages, dict) else messages if isinstance(messages, list) else None
    if parts is None:
        yield messages
    else:
        for part in parts:
            yield from flat(part)


def shown(result: Result) -> dict[str, Any]:
    """Return a result as it is answered."""
    return {
        "client_id": result.client_id,
        "outcome": result.outcome,
        "repeated": result.repeated,
        "flags": reading.flags_of(result.flags),
        "problem": reading.problem(result.problem),
        "alert": result.alert,
        "alert_number": result.alert_number,
    }


@rounds.route("", methods=["GET"])
@requires(VIEW)
@rounds.arguments(PatrolRoundListArgs, location="query")
@rounds.response(200, paged(PatrolRoundSchema), ready=True)
def list_rounds(asked: dict[str, Any]) -> dict[str, Any]:
    """查询巡检记录，新的在前."""
    paging = {name: asked.pop(name) for name in ("cursor", "limit", "count") if name in asked}
    query = reading.conditions(current_principal(), asked)
    page = read_page(
        PatrolRound._get_collection(), query, sort=NEWEST_FIRST, projection=reading.WITHOUT_STOPS, **paging
    )
    names = reading.names_for(page.items)
    return page.shown(lambda row: reading.summary(row, names))


@rounds.route("/export", methods=["GET"])
@requires(EXPORT)
@rounds.arguments(PatrolRoundExportArgs, location="query")
@rounds.response(200, content_type=XLSX)
@rounds.doc(responses={"200": {"content": {kind: {"schema": {"type": "string"}} for kind in (XLSX, "text/csv")}}})
def export_rounds(asked: dict[str, Any]) -> Response:
    """导出巡检记录（xlsx 或 csv）."""
    kind = asked.pop("format")
    query = reading.conditions(current_principal(), asked, EXPORT)
    audit.record(
        "alerts.patrol_round.export", subject="alerts.patrol_round", subject_id="", area=asked.get("within", "")
    )
    found = PatrolRound._get_collection().find(query, reading.WITHOUT_STOPS).sort(list(NEWEST_FIRST)).batch_size(1000)
    return write_table(PatrolTableSchema, lines(found), title="巡检记录", kind=kind)


def lines(rows: Any) -> Iterator[dict[str, Any]]:
    """Yield the lines of an export; the names of areas are read a thousand rounds at a time."""
    while part := list(islice(rows, 1000)):
        names = reading.names_for(part)
        yield from (reading.summary(row, names) for row in part)


@rounds.route("/<record_id:round_id>", methods=["GET"])
@requires()
@rounds.response(200, PatrolRoundDetailSchema, ready=True)
def get_round(round_id: ObjectId) -> dict[str, Any]:
    """查看一次巡检：点位、打卡、检查结果和上报；专管员可看本人的."""
    return reading.report(reading.find_visible(current_principal(), round_id))


@rounds.route("/<record_id:round_id>/photos", methods=["POST"])
@requires(PATROL)
@may_answer("unreadable_image", "image_too_large", "patrol_not_your_round")
@rounds.arguments(PatrolPhotoForm, location="files")
@rounds.response(201, PatrolPhotoSchema, ready=True)
def add_photo(files: dict[str, Any], round_id: ObjectId) -> dict[str, str]:
    """上传一张巡检照片；随后提交的打卡或上报以 SHA-256 引用它，重复上传结果相同."""
    by = current_principal()
    return keep_photo(by, files["photo"].read(), find_round(by, str(round_id))["area"])


@rounds.route("/<record_id:round_id>/photos/<string(length=64):sha256>", methods=["GET"])
@requires()
@rounds.response(200, content_type="image/jpeg")
def get_photo(round_id: ObjectId, sha256: str) -> Response:
    """查看巡检照片；每次查看均留痕."""
    row = reading.find_visible(current_principal(), round_id)
    if not is_named(row["_id"], sha256):
        raise Problem("not_found")
    audit.record(
        "alerts.patrol_round.reveal",
        subject="alerts.patrol_round",
        subject_id=str(row["_id"]),
        area=row["area"],
        detail={"photo": sha256},
    )
    answer = Response(open_blob(sha256, space=district_of(row["area"])), mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def listed(name: str, item: type[Schema]) -> type[Schema]:
    """Return the schema of a short list that has no pages."""
    items: dict[str, fields.Field[Any]] = {"items": fields.List(fields.Nested(item))}
    return Schema.from_dict(items, name=name)


@sites.route("/supervisors", methods=["GET"])
@requires(EDIT)
@sites.arguments(PatrolSupervisorArgs, location="query")
@sites.response(200, listed("PatrolSupervisors", PatrolSupervisorSchema), ready=True)
def list_supervisors(asked: dict[str, Any]) -> dict[str, Any]:
    """可以指派到某区域巡检的专管员."""
    require(current_principal(), EDIT, asked["area"])
    return {"items": [{"id": str(each.id), "name": each.name} for each in supervisors_in(asked["area"])]}


@sites.route("/<string(maxlength=32):point>", methods=["GET"])
@requires(EDIT)
@sites.response(200, PatrolSiteSchema, ready=True)
def get_site(point: str) -> Any:
    """查看点位的打卡范围和点位码要求."""
    return site_answer(codes.site_of(codes.place_for(current_principal(), point)))


@sites.route("/<string(maxlength=32):point>", methods=["PATCH"])
@requires(EDIT)
@if_match
@sites.arguments(PatrolSiteSchema)
@sites.response(200, PatrolSiteSchema, ready=True)
def change_site(values: dict[str, Any], point: str) -> Any:
    """设置点位的打卡范围，以及打卡是否必须扫码."""
    by = current_principal()
    version = if_match_version(codes.site_of(codes.place_for(by, point))["_id"])
    return site_answer(codes.change_site(by, point, version, values))


@sites.route("/<string(maxlength=32):point>/replace-code", methods=["POST"])
@requires(EDIT)
@if_match
@sites.arguments(PatrolReasonSchema)
@sites.response(200, PatrolSiteSchema, ready=True)
def replace_code(asked: dict[str, str], point: str) -> Any:
    """更换点位码（泄露或损坏时）；旧码立即失效，须重新打印张贴."""
    by = current_principal()
    version = if_match_version(codes.site_of(codes.place_for(by, point))["_id"])
    return site_answer(codes.replace_code(by, point, version, asked["reason"]))


def site_answer(row: dict[str, Any]) -> dict[str, Any]:
    """Return a point as it is answered."""
    told = {name: row.get(name) for name in ("point", "radius", "code_required", "round", "replaced_at")}
    return {**told, "etag": f"{row['_id']}-{row['version']}"}

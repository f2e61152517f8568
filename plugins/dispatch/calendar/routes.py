"""The API of duty calendars."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bson import ObjectId
from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema

from backend.plugin_api import (
    Blueprint,
    Problem,
    current_principal,
    etag_of,
    idempotent,
    if_match,
    if_match_version,
    may_answer,
    read_table,
    require,
    requires,
    utcnow,
    write_template,
)
from plugins.dispatch.calendar.hours import due
from plugins.dispatch.calendar.keeping import (
    KEEP,
    VIEW,
    add_year,
    calendar_from,
    calendar_of,
    change_year,
    find_year,
    unknown_soon,
    years_seen,
)
from plugins.dispatch.calendar.models import DutyYearRecord
from plugins.dispatch.calendar.schemas import (
    DaysImportArgs,
    DaysImportedSchema,
    DueArgs,
    DueSchema,
    DutyYearChangeSchema,
    DutyYearSchema,
    DutyYearsSchema,
    NamedDaySchema,
    NewDutyYearSchema,
)

blueprint = Blueprint("duty_calendar", __name__, url_prefix="/api/v1/duty-years", description="工作日历")

#: How far ahead limits of today may reach.
AHEAD = timedelta(days=60)


class DaysFile(Schema):
    """A table of days."""

    file = Upload(required=True, metadata={"description": "xlsx 或 csv 文件"})


def shown(record: DutyYearRecord) -> dict[str, Any]:
    """Return a year as clients see it."""
    names = ("area", "year", "week", "days", "source", "updated_at")
    return {**{name: record[name] for name in names}, "id": str(record.id), "etag": etag_of(record).strip('"')}


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, DutyYearsSchema)
def list_duty_years() -> dict[str, Any]:
    """查询工作日历；unknown_years 为尚未录入节假日的年份，其间的时限暂按星期计算."""
    records = years_seen(current_principal())
    calendar = calendar_from([each.to_mongo() for each in records])
    now = utcnow()
    return {"items": [shown(each) for each in records], "unknown_years": unknown_soon(calendar, now, now + AHEAD)}


@blueprint.route("", methods=["POST"])
@requires(KEEP)
@idempotent
@may_answer("duplicate")
@blueprint.arguments(NewDutyYearSchema)
@blueprint.response(201, DutyYearSchema)
def create_duty_year(values: dict[str, Any]) -> dict[str, Any]:
    """录入一年的工作日历."""
    return shown(add_year(current_principal(), values))


@blueprint.route("/<record_id:year_id>", methods=["PATCH"])
@requires(KEEP)
@if_match
@blueprint.arguments(DutyYearChangeSchema)
@blueprint.response(200, DutyYearSchema)
def change_duty_year(values: dict[str, Any], year_id: ObjectId) -> dict[str, Any]:
    """修改一年的工作日历；未结案的时限随之重新计算."""
    return shown(change_year(current_principal(), year_id, if_match_version(year_id), values))


@blueprint.route("/<record_id:year_id>/days", methods=["POST"])
@requires(KEEP)
@if_match
@may_answer("unreadable_table", "table_too_large", "table_header")
@blueprint.arguments(DaysImportArgs, location="query")
@blueprint.arguments(DaysFile, location="files")
@blueprint.response(200, DaysImportedSchema)
def import_days(asked: dict[str, str], files: dict[str, Any], year_id: ObjectId) -> dict[str, Any]:
    """导入一年的节假日和调休上班日."""
    by, version = current_principal(), if_match_version(year_id)
    record = find_year(by, year_id, KEEP)
    table = read_table(files["file"], NamedDaySchema)
    faults = [asdict(each) for each in table.located(table.faults)]
    written = 0
    if asked["mode"] == "all" and not faults:
        record = change_year(by, year_id, version, {"days": [row for _, row in table.rows]})
        written = len(table.rows)
    return {"total": table.total, "written": written, "faults": faults, "etag": etag_of(record).strip('"')}


@blueprint.route("/template", methods=["GET"])
@requires(KEEP)
@blueprint.response(200, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def get_days_template() -> Response:
    """下载节假日导入模板."""
    return write_template(NamedDaySchema, title="节假日和调休")


@blueprint.route("/due", methods=["GET"])
@requires(VIEW)
@blueprint.arguments(DueArgs, location="query")
@blueprint.response(200, DueSchema)
def try_due(asked: dict[str, Any]) -> dict[str, Any]:
    """试算时限：从某时起若干工作分钟之后."""
    require(current_principal(), VIEW, asked["area"])
    calendar = calendar_of(asked["area"])
    try:
        due_at = due(asked["start"], asked["minutes"], calendar)
    except (OverflowError, ValueError) as error:
        raise Problem("invalid", fields={"start": ["时间超出范围。"]}) from error
    unknown = calendar.unknown_years(asked["start"], due_at)
    return {"due_at": due_at, "provisional": bool(unknown), "unknown_years": unknown}

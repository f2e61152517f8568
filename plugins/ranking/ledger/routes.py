"""The API of the ledger: charges, entries, statements and balances."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Response, request

from backend.plugin_api import (
    Blueprint,
    audit,
    check_if_match,
    current_principal,
    idempotent,
    idempotent_in_portions,
    if_match,
    may_answer,
    paged,
    read_page,
    requires,
    write_table,
)
from plugins.ranking.ledger import photos, statements
from plugins.ranking.ledger.entering import annul, enter
from plugins.ranking.ledger.models import Charge, Entry
from plugins.ranking.ledger.reading import (
    charge_line,
    charge_of,
    charge_view,
    conditions,
    entry_line,
    exported,
    names_for,
)
from plugins.ranking.ledger.schemas import (
    AssessmentPhotosForm,
    BalanceArgs,
    BalancesSchema,
    ChargeDetailSchema,
    ChargeExport,
    ChargeFilters,
    ChargeReasonSchema,
    ChargeSchema,
    ChargeTableSchema,
    EnterChargeForm,
    EntryExport,
    EntryFilters,
    LedgerEntrySchema,
    LedgerTableSchema,
    StatementArgs,
    StatementExport,
    StatementSchema,
)
from plugins.ranking.points import ENTER, EXPORT, VIEW

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
charges = Blueprint("assessment_charges", __name__, url_prefix="/api/v1/assessment-charges", description="小区考核计分")
entries = Blueprint("assessment_entries", __name__, url_prefix="/api/v1/assessment-entries", description="小区考核台账")
accounts = Blueprint(
    "assessment_statements", __name__, url_prefix="/api/v1/assessment-statements", description="小区考核月度对账单"
)

#: The latest first.
NEWEST = (("occurred_at", -1), ("_id", -1))
AS_BOOKED = (("_id", -1),)


@charges.route("", methods=["GET"])
@requires(VIEW)
@charges.arguments(ChargeFilters, location="query")
@charges.response(200, paged(ChargeSchema))
def list_charges(asked: dict[str, Any]) -> dict[str, Any]:
    """查询计分项，最近发生的在前."""
    by = current_principal()
    cursor, limit, count = asked.pop("cursor", None), asked.pop("limit"), asked.pop("count")
    query = conditions(by, asked)
    page = read_page(Charge._get_collection(), query, sort=NEWEST, cursor=cursor, limit=limit, count=count)
    names = names_for(page.items)
    return page.shown(lambda row: charge_line(by, row, names))


@charges.route("", methods=["POST"])
@requires(ENTER)
@idempotent_in_portions
@may_answer("rule_unknown", "photo_missing", "unreadable_image", "image_too_large", "forbidden", "module_off")
@charges.arguments(EnterChargeForm, location="form")
@charges.arguments(AssessmentPhotosForm, location="files")
@charges.response(201, ChargeDetailSchema)
def enter_charge(form: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    """人工计分：须写明情况并附现场照片."""
    by = current_principal()
    key = request.headers.get("Idempotency-Key", "")
    return charge_view(by, enter(by, form, [photo.read() for photo in files["photos"]], key))


@charges.route("/export", methods=["GET"])
@requires(EXPORT)
@charges.arguments(ChargeExport, location="query")
@charges.response(200, content_type=XLSX)
def export_charges(asked: dict[str, Any]) -> Response:
    """导出计分项."""
    by, kind = current_principal(), asked.pop("format")
    query = conditions(by, asked, EXPORT)
    audit.record("ranking.charge.export", subject="ranking.charge", subject_id="", area=asked.get("within", ""))
    rows = exported(by, Charge._get_collection(), query, charge_line)
    return write_table(ChargeTableSchema, rows, title="小区考核计分", kind=kind)


@charges.route("/<record_id:charge_id>", methods=["GET"])
@requires(VIEW)
@charges.response(200, ChargeDetailSchema)
def get_charge(charge_id: ObjectId) -> dict[str, Any]:
    """查看计分项、分录和证据所在."""
    by = current_principal()
    return charge_view(by, charge_of(by, charge_id))


@charges.route("/<record_id:charge_id>/annul", methods=["POST"])
@requires(VIEW)
@idempotent
@if_match
@may_answer("conflict", "forbidden", "module_off")
@charges.arguments(ChargeReasonSchema)
@charges.response(200, ChargeDetailSchema)
def annul_charge(asked: dict[str, str], charge_id: ObjectId) -> dict[str, Any]:
    """冲销计分项：记一笔相反的分录，原分录不变."""
    by = current_principal()
    charge = charge_of(by, charge_id)
    check_if_match(charge)
    return charge_view(by, annul(by, charge, asked["reason"]))


@charges.route("/<record_id:charge_id>/photos/<int:number>", methods=["GET"])
@requires(VIEW)
@charges.response(200, content_type="image/jpeg")
def get_charge_photo(charge_id: ObjectId, number: int) -> Response:
    """查看人工检查的照片."""
    charge = charge_of(current_principal(), charge_id)
    return photos.answer(charge.photos, number, charge.area)


@entries.route("", methods=["GET"])
@requires(VIEW)
@entries.arguments(EntryFilters, location="query")
@entries.response(200, paged(LedgerEntrySchema))
def list_entries(asked: dict[str, Any]) -> dict[str, Any]:
    """查询台账分录，最近记入的在前."""
    by = current_principal()
    cursor, limit, count = asked.pop("cursor", None), asked.pop("limit"), asked.pop("count")
    query = conditions(by, asked)
    page = read_page(Entry._get_collection(), query, sort=AS_BOOKED, cursor=cursor, limit=limit, count=count)
    names = names_for(page.items)
    return page.shown(lambda row: entry_line(by, row, names))


@entries.route("/export", methods=["GET"])
@requires(EXPORT)
@entries.arguments(EntryExport, location="query")
@entries.response(200, content_type=XLSX)
def export_entries(asked: dict[str, Any]) -> Response:
    """导出台账分录."""
    by, kind = current_principal(), asked.pop("format")
    query = conditions(by, asked, EXPORT)
    audit.record("ranking.entry.export", subject="ranking.entry", subject_id="", area=asked.get("within", ""))
    rows = exported(by, Entry._get_collection(), query, entry_line)
    return write_table(LedgerTableSchema, rows, title="小区考核台账", kind=kind)


@accounts.route("", methods=["GET"])
@requires(VIEW)
@may_answer("not_found")
@accounts.arguments(StatementArgs, location="query")
@accounts.response(200, StatementSchema)
def get_statement(asked: dict[str, str]) -> dict[str, Any]:
    """查看一个小区一个月的对账单."""
    return statements.statement(current_principal(), asked["compound"], asked["month"])


@accounts.route("/export", methods=["GET"])
@requires(VIEW)
@may_answer("not_found")
@accounts.arguments(StatementExport, location="query")
@accounts.response(200, content_type=XLSX)
def export_statement(asked: dict[str, Any]) -> Response:
    """导出一个小区一个月的对账单."""
    found = statements.statement(current_principal(), asked["compound"], asked["month"])
    where = {"subject": "ranking.statement", "subject_id": asked["compound"]}
    audit.record("ranking.statement.export", **where, detail={"month": asked["month"]})
    title = f"{found['compound_name']}{asked['month']}考核对账单"
    return write_table(LedgerTableSchema, found["lines"], title=title, kind=asked["format"])


@accounts.route("/balances", methods=["GET"])
@requires(VIEW)
@accounts.arguments(BalanceArgs, location="query")
@accounts.response(200, BalancesSchema)
def list_balances(asked: dict[str, str]) -> dict[str, Any]:
    """查询各小区一个月的得分，扣分多的在前；由预先汇总得出."""
    return {"items": statements.balances(current_principal(), asked["month"], asked.get("within", ""))}

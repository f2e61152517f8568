"""Export, template and import of base records: the same table out and in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend import records
from backend.http.access import requires
from backend.http.api import Blueprint
from backend.http.describing import may_answer
from backend.http.idempotency import idempotent_in_portions
from backend.http.tables import read_table, write_table, write_template
from backend.http.tables.writing import XLSX
from backend.identity import current_principal
from backend.protection import audit
from backend.records import Resource

View = Callable[..., Any]
Route = Callable[[str, str, str, str], Callable[[View], View]]
BATCH = 1000


class ExportArgs(Schema):
    """Which kind of file."""

    format = fields.String(load_default="xlsx", validate=validate.OneOf(["xlsx", "csv"]))


class ImportArgs(Schema):
    """What to do with the rows."""

    mode = fields.String(
        load_default="check",
        validate=validate.OneOf(["check", "all", "good"]),
        metadata={"description": "check 只检查；all 全部正确才写入；good 只写入正确的行"},
    )
    update = fields.Boolean(load_default=False, metadata={"description": "编码已存在时更新该记录"})


class ImportFile(Schema):
    """The file to import."""

    file = Upload(required=True, metadata={"description": "xlsx 或 csv 文件"})


class CellFaultSchema(Schema):
    """What is wrong with one cell."""

    line = fields.Integer()
    field = fields.String()
    cell = fields.String()
    label = fields.String()
    reason = fields.String()


class ImportReportSchema(Schema):
    """What an import found and did; at most 1000 faults are listed."""

    total = fields.Integer()
    added = fields.Integer()
    changed = fields.Integer()
    fault_count = fields.Integer()
    faults = fields.List(fields.Nested(CellFaultSchema))


def add_table_routes(resource: Resource, route: Route, blueprint: Blueprint, search: type[Schema]) -> None:
    """Add /export, /template and /import to the routes of a resource."""
    exporting = type(f"{resource.document.__name__}Export", (search, ExportArgs), {})

    @route("/export", "GET", "export", "导出")
    @requires(resource.permission("export"))
    @blueprint.arguments(exporting, location="query")
    @blueprint.response(200, content_type=XLSX)
    @blueprint.doc(
        responses={"200": {"content": {kind: {"schema": {"type": "string"}} for kind in (XLSX, "text/csv")}}}
    )
    def export_records(asked: dict[str, Any]) -> Response:
        kind, within = asked.pop("format"), asked.pop("within", "")
        query = records.search(resource, current_principal(), asked, within, action="export")
        audit.record(f"{resource.subject}.export", subject=resource.subject, subject_id="", area=within)
        return write_table(resource.schema, exported(resource, query), title=resource.title, kind=kind)

    @route("/template", "GET", "template", "导入模板：")
    @requires(resource.permission("import"))
    @blueprint.response(200, content_type=XLSX)
    def get_template() -> Response:
        return write_template(resource.schema, title=resource.title)

    @route("/import", "POST", "import", "导入")
    @requires(resource.permission("import"))
    @idempotent_in_portions
    @may_answer("unreadable_table", "table_too_large", "table_header")
    @blueprint.arguments(ImportArgs, location="query")
    @blueprint.arguments(ImportFile, location="files")
    @blueprint.response(200, ImportReportSchema)
    def import_records(asked: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
        table = read_table(files["file"], resource.schema(keep_masked=asked["update"]))
        report = records.import_rows(
            resource, current_principal(), table.rows, faults=table.faults, total=table.total, **asked
        )
        return {
            "total": report.total,
            "added": report.added,
            "changed": report.changed,
            "fault_count": len(report.faults),
            "faults": [asdict(fault) for fault in table.located(report.faults)[:1000]],
        }


def exported(resource: Resource, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the records as tables show them, read in batches while the file is sent."""
    rows = resource.document._get_collection().find(query).sort("_id", 1).batch_size(BATCH)
    return (records.present(resource, row) for row in rows)

"""Write tables for people: exports as xlsx or csv, and the template of an import."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import IO, Any, Literal
from urllib.parse import quote

import xlsxwriter
from flask import Response
from marshmallow import Schema, fields
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from backend.http.tables.columns import Column, columns_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
REQUIRED_MARK = "*"

#: A spreadsheet program runs a csv cell that begins so as a formula; GUARD before it makes it plain text.
STARTS_FORMULA = frozenset("=+-@\t\r\n'＝＋－＠")
GUARD = "'"

DATA_SHEET = "数据"
NOTES_SHEET = "填写说明"
CHOICES_SHEET = "选项"
ROWS_WITH_CHOICES = 50_000
#: Excel takes no longer list inside a rule.
LONGEST_LIST = 255
IN_MEMORY = 2_000_000
CHUNK = 64 * 1024


def write_table(
    schema: Schema | type[Schema],
    rows: Iterable[Mapping[str, Any]],
    *,
    title: str,
    kind: Literal["xlsx", "csv"] = "xlsx",
) -> Response:
    """Answer with the rows as a file named `title`, in columns by the schema's labels; memory stays small."""
    columns = columns_of(schema)
    if kind == "csv":
        return download(csv_chunks(columns, rows), title, "csv", CSV)
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    write_xlsx(file, columns, rows)
    return download(chunks(file), title, "xlsx", XLSX)


def write_template(schema: Schema | type[Schema], *, title: str) -> Response:
    """Answer with an empty workbook to fill in: marked required columns, lists to choose from, and a page of notes."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    columns = [column for column in columns_of(schema) if not column.fixed]
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet(DATA_SHEET)
        write_header(book, sheet, columns)
        write_notes(book, columns)
        add_choices(book, sheet, columns)
    return download(chunks(file), f"{title}导入模板", "xlsx", XLSX)


def write_xlsx(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a workbook with one sheet; texts are texts, whatever they look like."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(DATA_SHEET)
        write_header(book, sheet, columns)
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for line, row in enumerate(rows, 1):
            for position, column in enumerate(columns):
                value = column.show(row.get(column.name))
                if isinstance(value, str):
                    if value:
                        sheet.write_string(line, position, value)
                elif isinstance(value, datetime):
                    sheet.write_datetime(line, position, value, moment)
                elif isinstance(value, date):
                    sheet.write_datetime(line, position, value, day)
                else:
                    sheet.write_number(line, position, value)


def csv_chunks(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield a csv file, UTF-8 with the mark by which Excel knows that."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([guarded(column.label) for column in columns])
    for row in rows:
        writer.writerow([guarded(column.show(row.get(column.name))) for column in columns])
        if buffer.tell() > CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def guarded(value: Any) -> Any:
    """Return a cell that no spreadsheet program runs as a formula."""
    return GUARD + value if isinstance(value, str) and value[:1] in STARTS_FORMULA and value else value


def write_header(book: Workbook, sheet: Worksheet, columns: Sequence[Column]) -> None:
    """Write the line of labels and keep it in sight; required columns are marked."""
    plain = book.add_format({"bold": True, "bg_color": "#E3F1EE", "border": 1})
    required = book.add_format({"bold": True, "bg_color": "#FBE3D6", "border": 1})
    for position, column in enumerate(columns):
        must = column.required and not column.fixed
        sheet.set_column(position, position, max(12, 2 * len(column.label) + 4), None)
        sheet.write_string(0, position, column.label + (REQUIRED_MARK if must else ""), required if must else plain)
    sheet.freeze_panes(1, 0)


def write_notes(book: Workbook, columns: Sequence[Column]) -> None:
    """Write the page that explains every column."""
    sheet = book.add_worksheet(NOTES_SHEET)
    bold = book.add_format({"bold": True, "bg_color": "#E3F1EE", "border": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for position, (label, width) in enumerate({"列名": 18, "是否必填": 10, "填写要求": 60, "示例": 24}.items()):
        sheet.set_column(position, position, width)
        sheet.write_string(0, position, label, bold)
    for line, column in enumerate(columns, 1):
        texts = (column.label, "必填" if column.required else "选填", column.hint, column.example)
        for position, text in enumerate(texts):
            sheet.write_string(line, position, text, wrapped)
    notes = (
        f"请在“{DATA_SHEET}”表中填写，从第 2 行开始，每行一条；不要改动表头。",
        "带 * 的列必填。电话、编码等请保持文本格式，以免丢失开头的 0。",
    )
    for line, text in enumerate(notes, len(columns) + 2):
        sheet.write_string(line, 0, text)


def add_choices(book: Workbook, sheet: Worksheet, columns: Sequence[Column]) -> None:
    """Let people pick from a list where a column takes only certain names; keep the other text columns text."""
    as_text = book.add_format({"num_format": "@"})
    hidden: Worksheet | None = None
    for position, column in enumerate(columns):
        names = list(column.choices.values()) or (["是", "否"] if isinstance(column.field, fields.Boolean) else [])
        if isinstance(column.field, fields.String):
            sheet.set_column(position, position, max(12, 2 * len(column.label) + 4), as_text)
        if not names or isinstance(column.field, fields.List):
            continue
        source: list[str] | str = names
        if len(",".join(names)) > LONGEST_LIST:
            if hidden is None:
                hidden = book.add_worksheet(CHOICES_SHEET)
                hidden.hide()
            hidden.write_column(0, position, names)
            letter = xlsxwriter.utility.xl_col_to_name(position)
            source = f"={CHOICES_SHEET}!${letter}$1:${letter}${len(names)}"
        rule = {
            "validate": "list",
            "source": source,
            "error_title": "内容不在选项中",
            "error_message": f"“{column.label}”请从下拉列表中选择。",
        }
        sheet.data_validation(1, position, ROWS_WITH_CHOICES, position, rule)


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file from its beginning and close it."""
    with file:
        file.seek(0)
        while part := file.read(CHUNK):
            yield part


def download(content: Iterator[bytes], title: str, ending: str, media_type: str) -> Response:
    """Return a streamed answer that browsers save under a Chinese name."""
    answer = Response(content, content_type=media_type)
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"table.{ending}\"; filename*=UTF-8''{quote(title)}.{ending}"
    )
    return answer

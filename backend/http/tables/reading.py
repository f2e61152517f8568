"""Read a table that a person uploads: find its columns, check every cell, say what is wrong where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from marshmallow import Schema, ValidationError, missing
from werkzeug.datastructures import FileStorage

from backend import settings
from backend.http.messages import flattened
from backend.http.problems import Problem
from backend.http.tables.columns import Column, cell_name, columns_of
from backend.http.tables.files import read_rows
from backend.http.tables.writing import REQUIRED_MARK
from backend.records import RowFault

LONGEST_CELL = 5000
LOST_DIGITS = "数字超过 15 位，末尾几位已经丢失；请先把这一列设为文本格式，再重新填写。"


@dataclass(frozen=True)
class CellFault:
    """What is wrong with one cell, with its address as the spreadsheet program shows it."""

    line: int
    field: str
    cell: str
    label: str
    reason: str


@dataclass(frozen=True)
class Table:
    """A table as read: the good rows as (line, loaded values), every fault, and how many rows there were."""

    rows: list[tuple[int, dict[str, Any]]]
    faults: list[RowFault]
    total: int
    columns: Sequence[Column]
    positions: Mapping[str, int]

    def located(self, faults: Iterable[RowFault]) -> list[CellFault]:
        """Return the faults with the address and the label of their cell, in the order of the file."""
        labels = {column.name: column.label for column in self.columns}
        found = [
            CellFault(
                fault.line,
                fault.field,
                cell_name(fault.line, self.positions[fault.field]) if fault.field in self.positions else "",
                labels.get(fault.field, ""),
                fault.reason,
            )
            for fault in faults
        ]
        return sorted(found, key=lambda each: (each.line, self.positions.get(each.field, -1)))


def read_table(file: FileStorage | BinaryIO, schema: Schema | type[Schema]) -> Table:
    """Read an xlsx or csv file (UTF-8 or GB18030) whose header names the schema's labels.

    Cells are text to the schema's fields, as if typed; empty ones are missing. Raises Problem `unreadable_table`,
    `table_too_large` or `table_header`.
    """
    instance = schema() if isinstance(schema, type) else schema
    rows, lost = read_rows(file.read())
    numbered = ((line, row) for line, row in enumerate(rows, 1) if any(row))
    _, header = next(numbered, (0, []))
    columns = columns_of(instance)
    found = find_columns(columns, header)
    whole_rows = any(instance._hooks.values())
    good: list[tuple[int, dict[str, Any]]] = []
    bad: list[RowFault] = []
    total = 0
    for line, row, faults, values in check_cells(instance, found, limited(numbered), lost):
        total += 1
        if whole_rows and not faults:
            faults, values = load_row(instance, found, row)
        if faults:
            bad.extend(RowFault(line, name, reason) for name, reason in faults)
        else:
            good.append((line, values))
    return Table(good, bad, total, columns, {column.name: position for position, column in found.items()})


def find_columns(columns: Sequence[Column], header: Sequence[str]) -> dict[int, Column]:
    """Return which column stands at which position; raises Problem `table_header`."""
    by_label = {column.label: column for column in columns}
    titles = [title.removesuffix(REQUIRED_MARK).strip() for title in header]
    named = [title for title in titles if title]
    missing_labels = [column.label for column in columns if column.required and column.label not in named]
    unknown = [title[:50] for title in named if title not in by_label]
    repeated = sorted({title for title in named if named.count(title) > 1})
    if missing_labels or unknown or repeated:
        parts = [
            f"{text}：{'、'.join(labels[:10])}"
            for text, labels in (("缺少列", missing_labels), ("没有这些列", unknown), ("重复的列", repeated))
            if labels
        ]
        raise Problem("table_header", detail=f"表头与模板不一致。{'；'.join(parts)}。")
    return {at: by_label[title] for at, title in enumerate(titles) if title and not by_label[title].fixed}


Faults = list[tuple[str, str]]


def check_cells(
    schema: Schema, found: dict[int, Column], rows: Iterable[tuple[int, list[str]]], lost: set[tuple[int, int]]
) -> Iterator[tuple[int, list[str], Faults, dict[str, Any]]]:
    """Yield (line, cells, faults, values) of each row, loading cell by cell; a text is loaded once in each column.

    Several times faster than `Schema.load` for each row, and it says which cell is at fault.
    """
    read = {column.name for column in found.values()}
    absent = {name: each for name, each in schema.load_fields.items() if name not in read}
    seen: dict[int, dict[str, tuple[Any, str]]] = {position: {} for position in found}
    columns = [(at, column, column.field.attribute or column.name, seen[at]) for at, column in found.items()]
    for line, row in rows:
        faults: Faults = []
        values: dict[str, Any] = {}
        for position, column, name, known in columns:
            text = row[position] if position < len(row) else ""
            if (loaded := known.get(text)) is None:
                if len(known) > 5000:
                    known.clear()
                loaded = known[text] = load_cell(column, text)
            value, reason = loaded
            if lost and (line - 1, position) in lost:
                reason = LOST_DIGITS
            if reason:
                faults.append((column.name, reason))
            elif value is not missing:
                values[name] = value.copy() if isinstance(value, list) else value
        for name, each in absent.items():
            if (default := each.deserialize(missing)) is not missing:
                values[each.attribute or name] = default
        yield line, row, faults, values


def load_cell(column: Column, text: str) -> tuple[Any, str]:
    """Return the value of a cell, and the Chinese reason when it has none."""
    if len(text) > LONGEST_CELL:
        return missing, f"内容过长，最多 {LONGEST_CELL} 字。"
    if not text.isprintable() and any(ord(char) < 32 and char not in "\n\r\t" for char in text):
        return missing, "含有不可见的控制字符。"
    try:
        return (column.load(text) if text else column.field.deserialize(missing, column.name, {})), ""
    except ValidationError as error:
        return missing, first_sentence(error.messages)


def load_row(schema: Schema, found: dict[int, Column], row: list[str]) -> tuple[Faults, dict[str, Any]]:
    """Load a row whose cells are good by themselves through a schema that has rules over several fields."""
    given = {
        column.field.data_key or column.name: column.parse(row[position])
        for position, column in found.items()
        if position < len(row) and row[position]
    }
    try:
        return [], schema.load(given)
    except ValidationError as error:
        return [(path.split(".")[0], first_sentence(texts)) for path, texts in flattened(error.messages)], {}


def limited(rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Pass rows on up to `max_table_rows`; raises Problem `table_too_large`."""
    most = settings.current().max_table_rows
    for count, row in enumerate(rows, 1):
        if count > most:
            raise Problem("table_too_large", detail=f"一次最多导入 {most} 行，请拆分后重试。")
        yield row


def first_sentence(messages: Any) -> str:
    """Return one text for a cell's messages."""
    return "".join(dict.fromkeys(text for _, texts in flattened(messages) for text in texts))

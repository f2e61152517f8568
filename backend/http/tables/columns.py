"""The columns of a table, from the `label`, `example` and `choices` that a schema's fields carry."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from marshmallow import Schema, fields, validate

from backend.storage import LOCAL_ZONE

LIST_MARK = "、"

YES = frozenset({"是", "true", "1", "yes", "y", "√"})
NO = frozenset({"否", "false", "0", "no", "n", "×"})


@dataclass(frozen=True)
class Column:
    """One column: the schema field it fills, the Chinese label in the header, and what may stand in its cells.

    `choices` maps stored codes to the names that people read. A `fixed` column is written and never read.
    """

    name: str
    label: str
    field: fields.Field[Any]
    required: bool = False
    fixed: bool = False
    example: str = ""
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @cached_property
    def parse(self) -> Callable[[str], Any]:
        """Turn a cell into what the field is to load; text that cannot be one passes, for the field to refuse."""
        kind = self.field
        if isinstance(kind, fields.List):
            return self._codes
        if self.choices:
            return self._code
        if isinstance(kind, fields.Boolean):
            return _boolean
        if isinstance(kind, fields.DateTime) and not isinstance(kind, fields.Date | fields.Time):
            return _moment
        return _date if isinstance(kind, fields.Date) else str

    @cached_property
    def load(self) -> Callable[[str], Any]:
        """Return the field's value of a cell that is not empty, or raise ValidationError.

        `Field.deserialize` does the same, but puts its list of checks together anew for each of a million cells.
        """
        kind, parse, name = self.field, self.parse, self.name
        if kind.pre_load or kind.post_load:
            return lambda text: kind.deserialize(parse(text), name, {})
        read, checks = kind._deserialize, kind.validators

        def load(text: str) -> Any:
            value = read(parse(text), name, {})
            for check in checks:
                check(value)
            return value

        return load

    def _code(self, text: str) -> str:
        for code, title in self.choices.items():
            if text == title:
                return code
        return text

    def _codes(self, text: str) -> list[str]:
        for mark in ",，;；":
            text = text.replace(mark, LIST_MARK)
        return [self._code(part.strip()) for part in text.split(LIST_MARK) if part.strip()]

    def show(self, value: Any) -> str | int | float | datetime:
        """Return what to write into a cell for a record's value; times are local and without a zone."""
        match value:
            case None:
                return ""
            case bool():
                return "是" if value else "否"
            case list() | tuple() | set():
                return LIST_MARK.join(self.choices.get(each, str(each)) for each in value)
            case datetime():
                return value.astimezone(LOCAL_ZONE).replace(tzinfo=None, microsecond=0)
            case str():
                return self.choices.get(value, value)
            case int() | float():
                return value
        return str(value)

    @property
    def hint(self) -> str:
        """Say in Chinese what may stand in the cells."""
        kind = self.field
        if self.choices:
            joined = LIST_MARK.join(self.choices.values())
            return f"可填多项，以“{LIST_MARK}”分开：{joined}" if isinstance(kind, fields.List) else f"只能是：{joined}"
        named = {
            fields.Boolean: "是 或 否",
            fields.Integer: "整数",
            fields.Number: "数字",
            fields.Date: "日期，如 2026-01-31",
            fields.DateTime: "北京时间，如 2026-01-31 08:30",
        }
        text = next((text for each, text in named.items() if isinstance(kind, each)), "文字")
        for check in kind.validators:
            if isinstance(check, validate.Length) and check.max:
                text += f"，最多 {check.max} 字"
            if isinstance(check, validate.Range) and check.min is not None and check.max is not None:
                text += f"，{check.min} 至 {check.max}"
        return text


def columns_of(schema: Schema | type[Schema]) -> tuple[Column, ...]:
    """Return the columns of a schema's fields that have a `label`, in their order; `table=False` leaves one out."""
    instance = schema() if isinstance(schema, type) else schema
    return tuple(
        Column(
            name=name,
            label=each.metadata["label"],
            field=each,
            required=each.required,
            fixed=each.dump_only,
            example=str(each.metadata.get("example", "")),
            choices=choices_of(each),
        )
        for name, each in instance.fields.items()
        if each.metadata.get("label") and each.metadata.get("table", True)
    )


def choices_of(each: fields.Field[Any]) -> dict[str, str]:
    """Return the codes that a field takes and their names, from its metadata or its OneOf."""
    if given := each.metadata.get("choices"):
        return dict(given)
    for check in each.validators:
        if isinstance(check, validate.OneOf) and check.labels:
            return {str(code): str(title) for code, title in zip(check.choices, check.labels, strict=False)}
    return {}


def cell_name(line: int, position: int) -> str:
    """Return the address of a cell, lines from 1 and columns from 0: (5, 2) is `C5`."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{line}"


def _boolean(text: str) -> Any:
    lower = text.lower()
    return True if lower in YES else False if lower in NO else text


def _date(text: str) -> str:
    """Make `2026/1/31` and `2026年1月31日` of the shape that the field knows."""
    plain = text.replace("年", "-").replace("月", "-").replace("日", "").replace("/", "-").replace(".", "-")
    parts = plain.split(" ")[0].split("-")
    if len(parts) == 3 and all(part.isdigit() for part in parts) and len(parts[0]) == 4:
        return f"{parts[0]}-{parts[1]:0>2}-{parts[2]:0>2}"
    return text


def _moment(text: str) -> str:
    day, _, time = text.replace("T", " ").partition(" ")
    try:
        moment = datetime.fromisoformat(f"{_date(day)}T{f'{time.strip():0>5}' if time.strip() else '00:00'}")
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)).isoformat()

"""Tables go out and come back the same, and a hostile or broken one is refused with a sentence."""

from __future__ import annotations

import csv
import io
import os
import resource
import struct
import zipfile
from datetime import UTC, date, datetime
from time import process_time

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from PIL import Image
from python_calamine import CalamineWorkbook

from backend.http import Problem, columns_of, read_table, write_table, write_template

pytestmark = pytest.mark.usefixtures("store")

KINDS = {"residential": "住宅", "mixed": "商住"}


class CompoundSchema(Schema):
    """A compound as people fill it in."""

    id = fields.String(dump_only=True, metadata={"label": "编号"})
    code = fields.String(
        required=True,
        validate=validate.Regexp(r"^[0-9A-Za-z]{1,32}\Z"),
        metadata={"label": "编码", "example": "C00042"},
    )
    name = fields.String(required=True, validate=validate.Length(1, 500), metadata={"label": "小区名称"})
    phone = fields.String(metadata={"label": "电话"})
    kind = fields.String(validate=validate.OneOf(tuple(KINDS)), metadata={"label": "类型", "choices": KINDS})
    streams = fields.List(
        fields.String(validate=validate.OneOf(["food", "residual"])),
        metadata={"label": "类别", "choices": {"food": "易腐垃圾", "residual": "其他垃圾"}},
    )
    households = fields.Integer(validate=validate.Range(0, 100_000), metadata={"label": "户数"})
    area = fields.Float(metadata={"label": "面积"})
    gated = fields.Boolean(metadata={"label": "封闭管理"})
    built = fields.Date(metadata={"label": "建成日期"})
    opened_at = fields.AwareDateTime(metadata={"label": "启用时间"})
    score = fields.Integer(load_default=100)
    secret = fields.String()


def refused(data: bytes, code: str, says: str = "") -> None:
    with pytest.raises(Problem) as raised:
        read_table(io.BytesIO(data), CompoundSchema)
    assert raised.value.kind.code == code, raised.value
    assert says in raised.value.detail


def sent(rows, kind: str, schema=CompoundSchema) -> bytes:
    return write_table(schema, rows, title="小区", kind=kind).get_data()


def sheet(*rows: tuple, **formats) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        page = book.add_worksheet()
        for line, row in enumerate(rows):
            page.write_row(line, 0, row)
    return file.getvalue()


HEADER = ("编码", "小区名称", "电话")

# What a cell can hold: no control characters, and no space at its ends.
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), min_size=1, max_size=30
).filter(lambda text: text == text.strip() and text.isprintable())
rows = st.lists(
    st.fixed_dictionaries(
        {"code": st.from_regex(r"[0-9A-Za-z]{1,32}", fullmatch=True), "name": texts},
        optional={
            "phone": st.one_of(texts, st.builds("{}{}".format, st.sampled_from("=+-@'＝"), texts)),
            "kind": st.sampled_from(sorted(KINDS)),
            "streams": st.lists(st.sampled_from(["food", "residual"]), min_size=1, unique=True),
            "households": st.integers(0, 100_000),
            "area": st.floats(-1e12, 1e12).map(lambda number: float(f"{number:.12g}")),
            "gated": st.booleans(),
            "built": st.dates(date(1950, 1, 1), date(2100, 1, 1)),
            "opened_at": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
                lambda time: time.replace(microsecond=0)
            ),
        },
    ),
    max_size=6,
)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
def test_what_was_written_is_read_again(kind, rows):
    table = read_table(io.BytesIO(sent(rows, kind)), CompoundSchema)
    assert table.faults == []
    assert [{**values, "score": 100} for values in rows] == [values for _, values in table.rows]
    assert [line for line, _ in table.rows] == list(range(2, len(rows) + 2))


@settings(max_examples=100, deadline=None)
@given(texts)
def test_no_csv_cell_runs_as_a_formula(text):
    data = sent([{"code": "A1", "name": text, "phone": f"={text}"}], "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) for cell in row)


def test_what_excel_does_to_cells():
    data = sheet(
        (*HEADER, "户数", "面积", "建成日期", "启用时间", "封闭管理", "类型"),
        ("007", "甲", 13812345678, 12.0, 0.1 + 0.2, datetime(2020, 5, 1), datetime(2026, 1, 31, 8, 30), True, "住宅"),
        ("A2", "乙", "0571-88888888", "5", "1.5", "2020/5/1", "2026/1/31 8:30", "否", "mixed"),
        ("A3", "丙", "010", 0, 0, "2020年5月1日", datetime(2026, 1, 31), "√", ""),
    )
    table = read_table(io.BytesIO(data), CompoundSchema)
    assert table.faults == []
    one, two, three = (values for _, values in table.rows)
    assert (one["code"], one["phone"], one["households"], one["area"]) == ("007", "13812345678", 12, 0.3)
    assert one["gated"] is True and two["gated"] is False and three["gated"] is True
    assert one["built"] == two["built"] == three["built"] == date(2020, 5, 1)
    assert one["opened_at"] == two["opened_at"] == datetime(2026, 1, 31, 0, 30, tzinfo=UTC)
    assert three["opened_at"] == datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
    assert (one["kind"], two["kind"]) == ("residential", "mixed") and "kind" not in three


def test_every_fault_has_its_cell():
    data = sheet(
        ("小区名称*", "编码*", "户数", "类型", "电话"),
        ("甲", "A1", 1, "住宅", "1"),
        (),
        ("", "A 2", "many", "别墅", 123456789012345678),
        ("丙", "A3", 100001, "", "x" * 5001),
    )
    table = read_table(io.BytesIO(data), CompoundSchema)
    assert (table.total, len(table.rows)) == (3, 1)
    faults = {fault.cell: (fault.label, fault.reason) for fault in table.located(table.faults)}
    assert faults == {
        "A4": ("小区名称", "必填。"),
        "B4": ("编码", "格式不正确。"),
        "C4": ("户数", "应为整数。"),
        "D4": ("类型", "只能是：residential, mixed。"),
        "E4": ("电话", "数字超过 15 位，末尾几位已经丢失；请先把这一列设为文本格式，再重新填写。"),
        "C5": ("户数", "应不小于 0 且不大于 100000。"),
        "E5": ("电话", "内容过长，最多 5000 字。"),
    }


def test_a_table_that_begins_further_in():
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        page.write_row(2, 1, HEADER)
        page.write_row(3, 1, ("A 1", "甲"))
    table = read_table(io.BytesIO(file.getvalue()), CompoundSchema)
    assert [each.cell for each in table.located(table.faults)] == ["B4"]


def test_rules_over_several_fields():
    class Pair(Schema):
        low = fields.Integer(required=True, metadata={"label": "低"})
        high = fields.Integer(required=True, metadata={"label": "高"})

        @validates_schema
        def check(self, data, **_options):
            if data["low"] > data["high"]:
                raise ValidationError("不能小于“低”。", "high")

    table = read_table(io.BytesIO("低,高\r\n1,2\r\n3,2\r\nx,1\r\n".encode()), Pair)
    assert [values for _, values in table.rows] == [{"low": 1, "high": 2}]
    assert [(each.cell, each.reason) for each in table.located(table.faults)] == [
        ("B3", "不能小于“低”。"),
        ("A4", "应为整数。"),
    ]


def test_headers():
    refused(sheet(("编码", "颜色")), "table_header", "缺少列：小区名称；没有这些列：颜色")
    refused(sheet(("编码", "小区名称", "编码")), "table_header", "重复的列：编码")
    refused(b"", "table_header")
    # What an export adds is passed over when it comes back.
    assert read_table(io.BytesIO(sheet(("编号", *HEADER), ("1", "A1", "甲", ""))), CompoundSchema).rows == [
        (2, {"code": "A1", "name": "甲", "score": 100})
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_encodings(encoding):
    data = "编码,小区名称\nA1,阳光小区䶮\n".encode(encoding)
    assert read_table(io.BytesIO(data), CompoundSchema).rows[0][1]["name"] == "阳光小区䶮"


def test_other_content():
    picture = io.BytesIO()
    Image.new("RGB", (10, 10)).save(picture, "PNG")
    refused(picture.getvalue(), "unreadable_table")
    refused(b"\xd0\xcf\x11\xe0" + bytes(600), "unreadable_table", "密码")
    refused("编码,小区名称".encode("utf-16"), "unreadable_table")
    refused(os.urandom(100).replace(b"\0", b"") + b"\xff", "unreadable_table")
    whole = sheet(HEADER, ("A1", "甲"))
    refused(whole[: len(whole) // 2], "unreadable_table")
    refused(repacked(whole, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"), "unreadable_table")
    refused(repacked(whole, "xl/workbook.xml", b"\0\1\2"), "unreadable_table")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("hello.txt", "hello")
    refused(other.getvalue(), "unreadable_table")


def repacked(data: bytes, name: str, *parts: bytes) -> bytes:
    """Return a workbook with one of its files replaced."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry))
        with new.open(name, "w") as content:
            for part in parts:
                content.write(part)
    return file.getvalue()


SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = f'<worksheet xmlns="{SPACE}"><sheetData>%s</sheetData></worksheet>'


def test_zip_bombs():
    whole = sheet(HEADER, ("A1", "甲"))
    megabyte = b" " * 1_000_000
    bomb = bytearray(repacked(whole, "xl/worksheets/sheet1.xml", b"<", *[megabyte] * 300))
    refused(bytes(bomb), "table_too_large")
    # The same with a directory that says it is small.
    for at in found(bomb, struct.pack("<I", 300_000_001)):
        bomb[at : at + 4] = struct.pack("<I", 1000)
    refused(bytes(bomb), "unreadable_table")

    many = io.BytesIO(whole)
    with zipfile.ZipFile(many, "a") as archive:
        for number in range(1500):
            archive.writestr(f"x/{number}", b"")
    refused(many.getvalue(), "table_too_large")


def test_small_files_that_ask_for_much_memory():
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of processes that other tests started
    whole = sheet(HEADER, ("A1", "甲"))
    corners = SHEET % '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    refused(repacked(whole, "xl/worksheets/sheet1.xml", corners.encode()), "table_too_large")

    cells = '<c t="s"><v>0</v></c>' * 100
    shared = SHEET % "".join(f'<row r="{line}">{cells}</row>' for line in range(1, 2000))
    text = f'<sst xmlns="{SPACE}"><si><t>{"x" * 100_000}</t></si></sst>'
    sharing = repacked(whole, "xl/worksheets/sheet1.xml", shared.encode())
    refused(repacked(sharing, "xl/sharedStrings.xml", text.encode()), "table_too_large")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 1_100_000)  # kB


def found(data: bytes, part: bytes) -> list[int]:
    places, at = [], data.find(part)
    while at >= 0:
        places.append(at)
        at = data.find(part, at + 1)
    return places


def test_too_many_rows_and_columns(store):
    line = "A1,甲\n"
    refused(
        f"编码,小区名称\n{line * (store.max_table_rows + 1)}".encode(), "table_too_large", str(store.max_table_rows)
    )
    refused(("编码," * 300).encode(), "table_too_large")
    refused(b"a" * 200_000, "unreadable_table")


def test_the_template_says_what_to_do():
    data = write_template(CompoundSchema, title="小区").get_data()
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names[:2] == ["数据", "填写说明"]
    header, *_ = book.get_sheet_by_index(0).to_python()
    assert header[:3] == ["编码*", "小区名称*", "电话"] and "编号" not in header
    notes = {row[0]: row[1:] for row in book.get_sheet_by_index(1).to_python()}
    assert notes["编码"] == ["必填", "文字", "C00042"]
    assert notes["类型"][1] == "只能是：住宅、商住"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "住宅,商住".encode() in archive.read("xl/worksheets/sheet1.xml")
    assert read_table(io.BytesIO(data), CompoundSchema).total == 0


def test_long_lists_of_choices():
    choices = {f"c{number}": f"第{number}个很长的选项名称" for number in range(60)}

    class Long(Schema):
        kind = fields.String(required=True, metadata={"label": "种类", "choices": choices})

    data = write_template(Long, title="长").get_data()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "选项!$A$1:$A$60".encode() in archive.read("xl/worksheets/sheet1.xml")


def test_downloads_have_chinese_names():
    answer = write_table(CompoundSchema, [], title="小区 一览")
    assert "filename*=UTF-8''%E5%B0%8F%E5%8C%BA%20%E4%B8%80%E8%A7%88.xlsx" in answer.headers["Content-Disposition"]


def test_columns():
    assert [column.name for column in columns_of(CompoundSchema)][:2] == ["id", "code"]
    assert "secret" not in {column.name for column in columns_of(CompoundSchema)}


def test_twenty_thousand_rows_are_quick():
    rows = [
        {
            "code": f"C{number:05}", "name": f"阳光小区{number}", "phone": f"138{number:08}", "kind": "mixed",
            "streams": ["food"], "households": number, "area": number * 1.5, "gated": True, "built": date(2020, 5, 1),
            "opened_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for number in range(20_000)
    ]  # fmt: skip
    data = sent(rows, "xlsx")
    started = process_time()
    table = read_table(io.BytesIO(data), CompoundSchema)
    spent = process_time() - started
    assert len(table.rows) == 20_000
    assert spent < 3

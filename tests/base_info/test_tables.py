"""Import and export of the registers, through the API."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from backend.storage import database
from tests.district import COMPOUND, EAST, District

HEADER = ["小区编码*", "小区名称*", "所属社区编码*", "经度", "纬度", "户数", "联系电话", "备注"]
GOOD = ["C1", "阳光花园", "33101", 120.1, 30.27, 800, "13812345678", "=1+1"]


def workbook(*rows: list[Any], header: list[str] | None = None) -> io.BytesIO:
    """Return an xlsx file with these rows."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([header or HEADER, *rows]):
            sheet.write_row(line, 0, row)
    file.seek(0)
    return file


def send(caller: Any, file: io.BytesIO, name: str = "小区.xlsx", **query: str) -> Any:
    """Import a file into the register of compounds."""
    return caller.call("POST", "/api/v1/compounds/import", query_string=query, data={"file": (file, name)})


def test_the_check_writes_nothing_and_names_every_bad_cell(district: District) -> None:
    staff = district.sign_in()
    rows = (
        GOOD,
        ["C2", "", "33101", 120.1, 30.27, 10, "", ""],
        ["C3", "翡翠", "33101", 120.1, 30.27, -5, "123", ""],
        ["C1", "重复", "33101", 120.1, "", 10, "", ""],
        ["C4", "银杏", "99999", "", "", "", "", ""],
    )
    report = send(staff, workbook(*rows)).json
    assert (report["total"], report["added"], report["fault_count"]) == (5, 0, 6)
    cells = {(fault["cell"], fault["label"]) for fault in report["faults"]}
    assert cells == {
        ("B3", "小区名称"),
        ("C6", "所属社区编码"),
        ("F4", "户数"),
        ("G4", "联系电话"),
        ("A5", "小区编码"),
        ("D5", "经度"),
    }
    assert database()["compounds"].count_documents({}) == 0


def test_all_takes_all_or_nothing_and_good_takes_the_good_rows(district: District) -> None:
    staff = district.sign_in()
    rows = (GOOD, ["C2", "翡翠", "99999", "", "", "", "", ""])
    report = send(staff, workbook(*rows), mode="all").json
    assert (report["added"], database()["compounds"].count_documents({})) == (0, 0)
    report = send(staff, workbook(*rows), mode="good").json
    assert (report["added"], report["fault_count"]) == (1, 1)
    [row] = staff.get("/api/v1/compounds")["items"]
    assert (row["code"], row["contact_phone"], row["households"], row["note"]) == ("C1", "138****5678", 800, "=1+1")
    history = staff.get(f"/api/v1/compounds/{row['id']}/history")["items"]
    assert history[0]["detail"]["import"] is True
    assert staff.get("/api/v1/drop-off-points")["items"] == []


def test_an_export_comes_back_unchanged(district: District) -> None:
    staff = district.sign_in()
    for number in range(1, 4):
        staff.add("compounds", **{**COMPOUND, "code": f"C{number}", "note": "=cmd|' /C calc'!A0"})
    before = list(database()["compounds"].find({}, {"version": 0, "updated_at": 0}))
    for kind in ("xlsx", "csv"):
        exported = staff.call("GET", "/api/v1/compounds/export", query_string={"format": kind})
        assert exported.status_code == 200
        assert "13812345678" not in exported.text if kind == "csv" else True
        refused = send(staff, io.BytesIO(exported.data), mode="all").json
        assert {fault["label"] for fault in refused["faults"]} >= {"联系电话"}
        report = send(staff, io.BytesIO(exported.data), mode="all", update="true").json
        assert (report["fault_count"], report["changed"], report["added"]) == (0, 3, 0), report
    assert list(database()["compounds"].find({}, {"version": 0, "updated_at": 0})) == before


def test_an_update_changes_what_the_row_names_and_no_more(district: District) -> None:
    staff = district.sign_in()
    made = staff.add("compounds", **COMPOUND)
    file = workbook(["C1", "新名字", "33101", 900], header=["小区编码*", "小区名称*", "所属社区编码*", "户数"])
    assert send(staff, file, mode="all", update="true").json["changed"] == 1
    row = staff.get(f"/api/v1/compounds/{made['id']}")
    assert (row["name"], row["households"], row["address"]) == ("新名字", 900, COMPOUND["address"])
    assert row["contact_phone"] == "138****5678" and row["longitude"] == 120.1
    assert row["etag"].endswith("-2")


def test_rows_outside_the_own_area_are_refused(district: District) -> None:
    street = district.sign_in("street_staff", EAST)
    other = ["C2", "西边", "33201", "", "", "", "", ""]
    report = send(street, workbook(GOOD, other), mode="good").json
    assert (report["added"], report["faults"][0]["cell"]) == (1, "C3")


def test_the_template_can_be_filled_in_and_imported(district: District) -> None:
    staff = district.sign_in()
    template = staff.call("GET", "/api/v1/compounds/template")
    header = CalamineWorkbook.from_filelike(io.BytesIO(template.data)).get_sheet_by_index(0).to_python()[0]
    values = {"小区编码*": "C7", "小区名称*": "紫荆公寓", "所属社区编码*": "33101"}
    file = workbook([values.get(label, "") for label in header], header=header)
    assert send(staff, file, mode="all").json["added"] == 1


def bomb() -> io.BytesIO:
    """Return a small zip that unpacks to 400 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 400_000_000)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "unreadable_table"),
        (b"<html></html>\0", "unreadable_table"),
        (b"PK\x03\x04 and nothing more", "unreadable_table"),
        (b"", "table_header"),
        ("甲,乙\n1,2\n".encode(), "table_header"),
    ],
)
def test_files_that_are_no_tables_are_refused_in_chinese(district: District, content: bytes, code: str) -> None:
    answer = send(district.sign_in(), io.BytesIO(content), mode="all")
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert any("\u4e00" <= sign <= "\u9fff" for sign in answer.json["detail"])


def test_a_zip_bomb_is_refused(district: District) -> None:
    answer = send(district.sign_in(), bomb(), mode="all")
    assert (answer.status_code, answer.json["code"]) == (422, "table_too_large")

"""From the bytes of an uploaded table to its cells as text, whatever the bytes ask for."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import orjson

from backend import settings
from backend.http.problems import Problem
from backend.http.tables.writing import GUARD, STARTS_FORMULA

MOST_COLUMNS = 200
MOST_UNPACKED = 256_000_000
MOST_RATIO = 200
#: Below this size a high ratio is no danger.
SMALL_UNPACKED = 20_000_000
MOST_ENTRIES = 1000
SECONDS = 60
READER = Path(__file__).with_name("sheet_reader.py")

SHEET_REFUSALS = {
    "encrypted": ("unreadable_table", "表格设有密码，请取消密码后重试。"),
    "broken": ("unreadable_table", "表格已损坏或不是 xlsx，请用模板另存为 xlsx 或 csv 后重试。"),
    "too_large": ("table_too_large", ""),
}


def read_rows(data: bytes) -> tuple[list[list[str]], set[tuple[int, int]]]:
    """Return all cells as text, and the (row, column) of numbers that lost digits before they came here."""
    if data.startswith(b"PK\x03\x04"):
        check_archive(data)
        return read_xlsx(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Problem("unreadable_table", detail="表格设有密码，或是旧的 xls 格式；请取消密码并另存为 xlsx 后重试。")
    return read_csv(data), set()


def check_archive(data: bytes) -> None:
    """Refuse a zip that is no workbook, or that says it unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise refusal("broken") from error
    unpacked = sum(entry.file_size for entry in entries)
    ratio = unpacked / max(1, len(data))
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or (unpacked > SMALL_UNPACKED and ratio > MOST_RATIO):
        raise refusal("too_large")
    if any(entry.flag_bits & 1 for entry in entries):
        raise refusal("encrypted")
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise refusal("broken")


def read_xlsx(data: bytes) -> tuple[list[list[str]], set[tuple[int, int]]]:
    """Return the cells of the first visible sheet, read by a process whose memory and time are limited."""
    most_rows = settings.current().max_table_rows + 100  # blank rows do not count, but not without end
    command = [sys.executable, "-I", str(READER), str(most_rows), str(MOST_COLUMNS)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise refusal("too_large") from error
    if done.returncode:
        # The reader answers by itself whatever it can; it dies only of its limits.
        raise refusal("too_large")
    answer = orjson.loads(done.stdout)
    if "refused" in answer:
        raise refusal(answer["refused"])
    return answer["rows"], {tuple(each) for each in answer["lost"]}


def read_csv(data: bytes) -> list[list[str]]:
    """Return the cells of a csv file, without the marks that keep formulas from running."""
    if b"\0" in data:
        raise Problem("unreadable_table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise Problem("unreadable_table", detail="文件编码无法识别，请另存为 UTF-8 编码的 csv 或 xlsx。") from error
    most_rows = settings.current().max_table_rows + 100
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if len(rows) >= most_rows or len(row) > MOST_COLUMNS:
                raise refusal("too_large")
            rows.append([unguarded(cell) for cell in row])
    except csv.Error as error:
        raise refusal("broken") from error
    return rows


def unguarded(cell: str) -> str:
    """Undo what `writing.guarded` did, and trim."""
    if cell[:1] == GUARD and cell[1:2] in STARTS_FORMULA:
        cell = cell[1:]
    return cell.strip()


def refusal(reason: str) -> Problem:
    """Return the problem for a sheet that cannot be taken."""
    code, detail = SHEET_REFUSALS[reason]
    return Problem(code, detail=detail)

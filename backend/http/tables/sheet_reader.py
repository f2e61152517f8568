"""Read the first visible sheet of an xlsx file into text, as a process of its own: `sheet_reader.py ROWS COLUMNS`.

A small file can ask for very much memory: a bomb in the zip, one cell at the far corner of the grid, one long text that
a million cells share. Here the system's limits hold whatever the file asks for, and the web server goes on meanwhile.
The file comes on stdin. JSON goes to stdout: `rows`, and `lost` with the [row, column] of numbers whose digits Excel
had already thrown away; or `refused` with the reason `encrypted`, `broken` or `too_large`.
"""

from __future__ import annotations

import datetime as dt
import io
import resource
import sys
from typing import Any

import orjson
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

MEMORY_BYTES = 1_000_000_000
CPU_SECONDS = 30
MOST_TEXT = 60_000_000
#: Excel keeps 15 digits of a number.
EXACT = 10**15


def main() -> None:
    """Read stdin, write stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        answer = read(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2]))
    except PasswordError:
        answer = {"refused": "encrypted"}
    except MemoryError:
        answer = {"refused": "too_large"}
    except (CalamineError, ValueError, OSError, IndexError, KeyError):
        answer = {"refused": "broken"}
    sys.stdout.buffer.write(orjson.dumps(answer))


def read(data: bytes, most_rows: int, most_columns: int) -> dict[str, Any]:
    """Return what `main` writes."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    visible = [each.name for each in book.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
    sheet = book.get_sheet_by_name(visible[0])
    (_, left), (height, width) = sheet.start or (0, 0), sheet.end or (0, 0)
    if height + 1 > most_rows or width + 1 > most_columns:
        return {"refused": "too_large"}
    rows: list[list[str]] = []
    lost: list[tuple[int, int]] = []
    length = 0
    for row, values in enumerate(sheet.iter_rows()):
        texts = [""] * left
        for column, value in enumerate(values, left):
            text = value.strip() if isinstance(value, str) else written(value)
            if isinstance(value, float) and abs(value) >= EXACT:
                lost.append((row, column))
            length += len(text)
            texts.append(text)
        if length > MOST_TEXT:
            return {"refused": "too_large"}
        rows.append(texts)
    return {"rows": rows, "lost": lost}


def written(value: Any) -> str:
    """Return a cell as a person would write it: 13812345678 and not 13812345678.0."""
    match value:
        case bool():
            return "是" if value else "否"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < EXACT else format(value, ".15g")
        case dt.datetime():
            return value.isoformat(" ", "seconds")
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat("minutes") if value.second == 0 else value.isoformat("seconds")
    return str(value)


if __name__ == "__main__":
    main()

"""Import of 20,000 compounds from xlsx, against openpyxl and one `save()` a row of the same document class.

Ours is the real route with all that belongs to it: every cell checked, the codes looked up, then records, areas, audit
entries and marks written. The peer reads a cell's value and saves it; it looks nothing up and writes the record alone.
Saving gets slower as the register grows, so 1,000 rows are saved before the import and 1,000 after it, and the mean
stands for all 20,000.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import openpyxl

from plugins.base_info.models import Compound
from tests.benchmarks import ground
from tests.benchmarks.ratio import Ratio

RECORDS = 20_000
SAVED = 1000


def measure() -> Iterator[Ratio]:
    """Measure both."""
    with ground.platform() as settings:
        app = ground.app_of(settings)
        headers = ground.sign_in(app, "district")
        ground.send_workbook(app, headers, ground.workbook(ground.compounds(20, "W")))  # everything is loaded by then
        before = save_rows(ground.workbook(ground.compounds(SAVED, "S")))
        file = ground.workbook(ground.compounds(RECORDS))
        started = time.perf_counter()
        report = ground.send_workbook(app, headers, file)
        ours = time.perf_counter() - started
        assert report["added"] == RECORDS, report
        after = save_rows(ground.workbook(ground.compounds(SAVED, "T")))
    peer = (before + after) / 2 * RECORDS / SAVED
    yield Ratio(
        name="import of 20,000 compounds",
        ours=f"{ours:.1f} s",
        peer=f"openpyxl and save() {peer:.0f} s ({before:.1f} and {after:.1f} s for 1,000)",
        ratio=peer / ours,
        at_least=10,
    )


def save_rows(file: bytes) -> float:
    """Save each row as a record and return the seconds it took."""
    paths = ground.communities()
    started = time.perf_counter()
    sheet = openpyxl.load_workbook(io.BytesIO(file), read_only=True).active
    for row in sheet.iter_rows(min_row=2, values_only=True):
        values = dict(zip(ground.COLUMNS, row, strict=True))
        place = [values.pop("longitude"), values.pop("latitude")]
        Compound(**values, place=place, area=f"{paths[values['area_code']]}/{values['code']}").save()
    return time.perf_counter() - started

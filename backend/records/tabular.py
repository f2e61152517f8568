"""Import of many records at once: all faults are found first, then the good rows are written, portion by portion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from os.path import commonpath
from typing import Any, Literal

from pymongo import UpdateOne

from backend.events import publish
from backend.identity import Principal, community_of, reach
from backend.protection import audit
from backend.records.faults import DuplicateCode, StaleVersion
from backend.records.present import organisation_of
from backend.records.resource import Resource
from backend.records.storing import new_row
from backend.records.verbs import changed_fields, collection, difference, open_values, write_whole
from backend.rollups import mark_many
from backend.storage import in_transaction, utcnow

#: Rows of one transaction. A store holds only so much of one in its cache, and takes longer for each further row.
PORTION = 500
#: Portions written at the same time.
WRITERS = 2

OVERTAKEN = "写入时该批记录正被他人改动，本行未写入；请重新导入这些行。"

#: `check` writes nothing, `all` writes only when every row is good, `good` writes the good rows.
Mode = Literal["check", "all", "good"]


@dataclass(frozen=True)
class RowFault:
    """What is wrong with one cell: the line of the file, the schema field, a Chinese sentence."""

    line: int
    field: str
    reason: str


@dataclass
class ImportReport:
    """What an import did: rows read, records added and changed, and every fault."""

    total: int = 0
    added: int = 0
    changed: int = 0
    faults: list[RowFault] = field(default_factory=list)


def import_rows(
    resource: Resource,
    by: Principal,
    rows: Sequence[tuple[int, dict[str, Any]]],
    *,
    mode: Mode,
    update: bool,
    faults: Sequence[RowFault] = (),
    total: int | None = None,
) -> ImportReport:
    """Add checked rows (line number, values); with `update` rows whose code exists change that record.

    `faults` are those that reading the file found; they count as bad rows. Each portion of PORTION rows is written
    whole or, when another person writes one of its records at the same moment, not at all: then its rows get a fault.
    What an earlier portion wrote stays, also should the store or this process end in between. Raises RuntimeError
    inside `atomically`.
    """
    if in_transaction():
        raise RuntimeError("import_rows() makes transactions of its own: call it outside atomically().")
    report = ImportReport(total=len(rows) if total is None else total, faults=list(faults))
    existing = stored_by_code(resource, [values["code"] for _, values in rows])
    if update:
        for _, values in rows:
            merge_missing(resource, values, existing.get(values["code"]))
    report.faults += find_faults(resource, by, rows, existing, update)
    bad = {fault.line for fault in report.faults}
    good = [(line, values) for line, values in rows if line not in bad]
    if mode == "good" or (mode == "all" and not bad):
        write_portions(
            resource, [good[start : start + PORTION] for start in range(0, len(good), PORTION)], existing, report
        )
    report.faults.sort(key=lambda fault: fault.line)
    return report


def write_portions(
    resource: Resource,
    portions: Sequence[Sequence[tuple[int, Mapping[str, Any]]]],
    existing: Mapping[str, Mapping[str, Any]],
    report: ImportReport,
) -> None:
    """Write good rows, each portion in a transaction of its own; while the store writes, the next are made ready."""
    now, tasks = utcnow(), []
    with ThreadPoolExecutor(WRITERS) as pool:
        for rows in portions:
            added = [(new_row(resource, values, now), values) for _, values in rows if values["code"] not in existing]
            changed = [(existing[values["code"]], values) for _, values in rows if values["code"] in existing]
            work = partial(write, resource, added, changed)
            tasks.append((rows, added, changed, pool.submit(copy_context().run, write_whole, work, "")))
        try:
            for rows, added, changed, task in tasks:
                try:
                    task.result()
                except (DuplicateCode, StaleVersion):
                    report.faults += [RowFault(line, "code", OVERTAKEN) for line, _ in rows]
                else:
                    report.added += len(added)
                    report.changed += len(changed)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def write(
    resource: Resource,
    added: Sequence[tuple[dict[str, Any], Mapping[str, Any]]],
    changed: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> None:
    """Write all rows with their audit entries, one event and the marks on the figures."""
    records = collection(resource)
    if added:
        records.insert_many([row for row, _ in added], ordered=False)
        told = [(row, {"import": True, **open_values(resource, values)}) for row, values in added]
        record_by_community(resource, f"{resource.subject}.create", told)
    if changed:
        now, updates, told = utcnow(), [], []
        for before, values in changed:
            given = {name: value for name, value in values.items() if name not in resource.private or value}
            new = changed_fields(resource, before, given)
            updates.append(
                UpdateOne(
                    {"_id": before["_id"], "version": before["version"]},
                    {"$set": {**new, "updated_at": now}, "$inc": {"version": 1}},
                )
            )
            told.append(({**before, **new}, {"import": True, **difference(resource, before, new)}))
        if records.bulk_write(updates, ordered=False).modified_count != len(updates):
            raise StaleVersion("import")
        record_by_community(resource, f"{resource.subject}.change", told)
    rows = [row for row, _ in added] + [{**before, **values} for before, values in changed]
    if resource.follow:
        earlier: list[Mapping[str, Any] | None] = [*[None] * len(added), *(before for before, _ in changed)]
        resource.follow(list(zip(earlier, rows, strict=True)))
    areas = sorted({row["area"] for row in rows} | {before["area"] for before, _ in changed})
    publish(f"{resource.noun}.imported", {"added": len(added), "changed": len(changed)}, area=common_area(areas))
    for metric in resource.metrics:
        mark_many(metric, [(area, None) for area in areas])


def record_by_community(
    resource: Resource, action: str, told: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Write to the audit trail what an import did to each row, in one entry for each community."""
    communities: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row, detail in told:
        communities[community_of(row["area"])][str(row["_id"])] = detail
    for area, details in communities.items():
        audit.record_many(action, subject=resource.subject, area=area, details=details)


def find_faults(
    resource: Resource,
    by: Principal,
    rows: Sequence[tuple[int, dict[str, Any]]],
    existing: Mapping[str, Mapping[str, Any]],
    update: bool,
) -> Iterator[RowFault]:
    """Yield what the module's rules, the codes and the person's area say against each row."""
    completed = resource.complete([values for _, values in rows])
    first_line: dict[str, int] = {}
    reached = reach(by, resource.permission("import"))
    for (line, values), found in zip(rows, completed, strict=True):
        code = values["code"]
        yield from (RowFault(line, name, reason) for name, reason in found.items())
        if (values.get("longitude") is None) != (values.get("latitude") is None):
            yield RowFault(line, "longitude", "经度和纬度须同时填写。")
        if first_line.setdefault(code, line) != line:
            yield RowFault(line, "code", f"与第 {first_line[code]} 行的编码重复。")
        elif code in existing and not update:
            yield RowFault(line, "code", "该编码已存在；如需修改已有记录，请选择“更新已有记录”。")
        if found or "area" not in values:
            continue
        touched = [values, existing[code]] if code in existing else [values]
        if not all(reached.holds(row["area"], organisation_of(resource, row)) for row in touched):
            yield RowFault(line, "area_code", "不在您的管理区域内。")


def stored_by_code(resource: Resource, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the records that have one of the codes, by code."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(codes), 5000):
        for row in collection(resource).find({"code": {"$in": list(codes[start : start + 5000])}}):
            found[row["code"]] = row
    return found


def merge_missing(resource: Resource, values: dict[str, Any], before: Mapping[str, Any] | None) -> None:
    """Take from the stored record what the row leaves empty, so that an update changes only what it names."""
    if before is None:
        return
    for name in resource.writable:
        if name not in values and name not in resource.private and before.get(name) is not None:
            values[name] = before[name]
    if "longitude" not in values and before.get("place"):
        values["longitude"], values["latitude"] = before["place"]["coordinates"]


def common_area(areas: Sequence[str]) -> str:
    """Return the smallest area that holds all of them."""
    return commonpath(areas) if areas else ""

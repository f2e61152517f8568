"""Recomputing dirty buckets from the records themselves: never by adding up, so late and corrected data come right.

No change is lost: a mark is stored with its change, read before the records are, and removed only once the sums that
were computed after reading it are written. When two recomputations of a bucket overlap, the one that began last
writes; it has seen everything the other one has.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from bson import ObjectId
from pymongo import DeleteOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from backend import storage
from backend.jobs import Job
from backend.monitoring import guard
from backend.rollups.buckets import (
    bucket_of,
    cut_area,
    cut_time,
    district_of,
    end_of,
    frame_of,
    in_area,
    in_buckets,
    start_of,
)
from backend.rollups.marking import insert_marks
from backend.rollups.records import Metric, cut
from backend.rollups.registry import all_installed, installed
from backend.rollups.tables import Sums, add_to, lines_of, table_of, total_of

# Marks read at a time, areas in one aggregation and sums at once; from so many areas on one range is read, not each.
MARKS = 5000
AREAS = 200
CELLS = 2000
MOST_RANGES = 20

#: The marks that dirty a sum, by where it begins and by area.
Dirty = dict[datetime | None, dict[str, set[ObjectId]]]
#: Areas whose sums are computed at once, by where the sums begin.
Cells = Mapping[datetime | None, Sequence[str]]
#: The sums' columns, by area and by where they begin.
Tables = dict[tuple[str, datetime | None], dict[str, list[Any]]]


def recompute_dirty() -> int:
    """Bring all figures up to date; returns how many buckets were written.

    A metric that fails is counted as a fault of its plugin and does not keep the others from theirs.
    """
    written = 0
    definitions = storage.database()["rollup_definitions"]
    known = {definition["_id"]: definition["digest"] for definition in definitions.find()}
    for metric in all_installed():
        with guard(metric.name.partition(".")[0], f"metric {metric.name}"):
            if known.get(metric.name) != metric.digest():
                rebuild(metric.name)
                definitions.update_one({"_id": metric.name}, {"$set": {"digest": metric.digest()}}, upsert=True)
            written += _recompute(metric)
    return written


def rebuild(name: str) -> None:
    """Forget the sums of a metric and mark everything that it counts, to be recomputed by the next job."""
    metric = installed(name)
    storage.database()["rollups"].delete_many({"metric": name})
    key: dict[str, Any] = {"area": cut_area(metric.finest)}
    if metric.time_field:
        key["at"] = cut_time(metric)
    places = storage.database()[metric.source].aggregate([{"$match": dict(metric.match)}, {"$group": {"_id": key}}])
    insert_marks(name, ((place["_id"]["area"], place["_id"].get("at")) for place in places))


def background_jobs() -> tuple[Job, ...]:
    """Return the recomputation, as a job for the scheduler."""
    return (
        Job(
            name="rollups.recompute",
            title="汇总指标重算",
            run=recompute_dirty,
            every_seconds=5,
            timeout_seconds=120,
        ),
    )


def _recompute(metric: Metric) -> int:
    written, marks = 0, storage.database()["rollup_marks"]
    while found := _oldest_marks(metric):
        dirty: Dirty = defaultdict(lambda: defaultdict(set))
        for mark in found:
            if metric.time_field and mark["at"] is None:
                # From before the metric was counted by time; declaring it anew has marked everything since.
                continue
            for area in mark["areas"]:
                dirty[bucket_of(metric, mark["at"])][cut(area, metric.finest)].add(mark["_id"])
        overtaken: set[ObjectId] = set()
        written += _recompute_span(metric, metric.spans[0], dirty, overtaken)
        for shorter, span in pairwise(metric.spans):
            # What is longer is put together from what is shorter, which is right by now unless it was overtaken.
            longer: Dirty = defaultdict(lambda: defaultdict(set))
            for at, by_area in dirty.items():
                for area, of in by_area.items():
                    longer[start_of(span, at) if at else None][area] |= of
            dirty = longer
            written += _recompute_span(metric, span, dirty, overtaken, shorter)
        finished = [mark["_id"] for mark in found if mark["_id"] not in overtaken]
        if not finished or not marks.delete_many({"_id": {"$in": finished}}).deleted_count:
            # Another process is at it; what it leaves is for the next run.
            break
    return written


def _recompute_span(metric: Metric, span: str, dirty: Dirty, overtaken: set[ObjectId], shorter: str = "") -> int:
    """Write all dirty sums of one length, from those of the `shorter` one if there is one, else from the records.

    Returns how many; the marks of those that another recomputation overtook go into `overtaken`.
    """
    written = 0
    for cells in _together(span, dirty):
        count = _recompute_cells(metric, span, cells, shorter)
        if count is None:
            overtaken.update(mark for at, areas in cells.items() for area in areas for mark in dirty[at][area])
        else:
            written += count
    return written


def _together(span: str, dirty: Dirty) -> Iterator[dict[datetime | None, Sequence[str]]]:
    """Yield what is computed at once: sums of one day, month or year, so that little else is read along with them."""
    cells: dict[datetime | None, Sequence[str]] = {}
    count, frame = 0, None
    for at in sorted(dirty, key=lambda each: each or datetime.min):
        inside = frame_of(span, at) if at else None
        for areas in _portions(sorted(dirty[at])):
            if cells and (inside != frame or at in cells or count + len(areas) > CELLS):
                yield cells
                cells, count = {}, 0
            cells[at] = areas
            count, frame = count + len(areas), inside
    if cells:
        yield cells


def _oldest_marks(metric: Metric) -> list[dict[str, Any]]:
    """Return the oldest marks, up to so many different areas that what is computed is soon kept."""
    found: list[dict[str, Any]] = []
    areas: set[str] = set()
    for mark in storage.database()["rollup_marks"].find({"metric": metric.name}).sort("_id", 1).limit(MARKS):
        found.append(mark)
        areas.update(mark["areas"])
        if len(areas) >= AREAS:
            break
    return found


def _recompute_cells(metric: Metric, span: str, cells: Cells, shorter: str) -> int | None:
    """Write the sums of these areas and of those above them; None when another recomputation overtook this one."""
    token = uuid.uuid4().hex
    buckets = {
        (level, area, at): f"{metric.name}|{level}|{area}|{span}|{at.isoformat() if at else ''}"
        for at, finest in cells.items()
        for level in metric.levels
        for area in {cut(each, level) for each in finest}
    }
    rollups = storage.database()["rollups"]
    known = {row["_id"] for row in rollups.find({"_id": {"$in": list(buckets.values())}}, {"_id": 1})}
    common: dict[str, Any] = {"metric": metric.name, "span": span, "rows": {}, "total": {}, "token": token}
    fresh: list[dict[str, Any]] = [
        {"_id": key, "level": level, "district": district_of(area), "area": area, "at": at, **common}
        for (level, area, at), key in buckets.items()
        if key not in known
    ]
    known |= _inserted(rollups, fresh)
    if known:
        rollups.update_many({"_id": {"$in": list(known)}}, {"$set": {"token": token}})
    written: dict[tuple[str, str, datetime | None], dict[str, Any]] = {}
    for level in metric.levels:
        areas = sorted({area for of_level, area, _ in buckets if of_level == level})
        tables = (
            _put_together(metric, shorter, span, list(cells), level, areas)
            if shorter
            else _summed(metric, list(cells), level, areas)
        )
        for place, table in tables.items():
            if (level, *place) in buckets:
                written[level, *place] = {"rows": table, "total": total_of(metric, table)}
    done = _written_fresh(
        rollups,
        token,
        [{**each, **written.get((each["level"], each["area"], each["at"]), {})} for each in fresh],
        known,
    )
    changes = [
        UpdateOne({"_id": key, "token": token}, {"$set": written[bucket]})
        if bucket in written
        else DeleteOne({"_id": key, "token": token})
        for bucket, key in buckets.items()
        if key in known
    ]
    if changes:
        result = rollups.bulk_write(changes)
        done += result.matched_count + result.deleted_count
    return done if done == len(buckets) else None


def _inserted(rollups: Collection[dict[str, Any]], fresh: Sequence[dict[str, Any]]) -> set[str]:
    """Insert buckets and return the ids of those that another recomputation has made in the meantime.

    Many at once cost a small part of what changing them one by one does.
    """
    try:
        if fresh:
            rollups.insert_many(fresh, ordered=False)
    except BulkWriteError as error:
        refused = error.details["writeErrors"]
        if any(each["code"] != storage.DUPLICATE_KEY for each in refused):
            raise
        return {fresh[each["index"]]["_id"] for each in refused}
    return set()


def _written_fresh(
    rollups: Collection[dict[str, Any]], token: str, fresh: Sequence[dict[str, Any]], known: Container[str]
) -> int:
    """Write the sums of buckets that this recomputation made, and return how many were still its own.

    They were empty, so nobody misses them for the moment in which they are exchanged; killed in it, the marks are
    still there.
    """
    own = [each for each in fresh if each["_id"] not in known]
    if not own:
        return 0
    gone = rollups.delete_many({"_id": {"$in": [each["_id"] for each in own]}, "token": token}).deleted_count
    taken = _inserted(rollups, [each for each in own if each["rows"]])
    return min(gone, len(own) - len(taken))


def _summed(metric: Metric, starts: Sequence[datetime | None], level: str, areas: Sequence[str]) -> Tables:
    """Return the tables of the buckets that begin so, from the records themselves."""
    names = [*map(str, range(len(metric.dimensions))), *metric.measures]
    tables: Tables = defaultdict(lambda: {name: [] for name in names})
    for row in storage.database()[metric.source].aggregate(_pipeline(metric, starts, level, areas)):
        line = {**row["_id"], **row}
        for name, column in tables[row["_id"]["area"], row["_id"].get("at")].items():
            column.append(line[name])
    return tables


def _put_together(
    metric: Metric, shorter: str, span: str, starts: Sequence[datetime | None], level: str, areas: Sequence[str]
) -> Tables:
    """Return the tables of the spans that begin so, from the sums of the shorter ones in them."""
    wanted = set(areas)
    districts = sorted({district_of(area) for area in areas})
    # Everything but the time is equal to something: a second range would keep the embedded store from using an index.
    place = (
        {"area": areas[0]}
        if len(areas) == 1
        else {"district": districts[0] if len(districts) == 1 else {"$in": districts}}
    )
    query: dict[str, Any] = {"metric": metric.name, "level": level, "span": shorter, **place}
    if starts[0] is not None and starts[-1] is not None:
        query["at"] = {"$gte": starts[0], "$lt": end_of(span, starts[-1])}
    sums: dict[tuple[str, datetime | None], Sums] = defaultdict(dict)
    dimensions = [str(number) for number in range(len(metric.dimensions))]
    for row in storage.database()["rollups"].find(query, {"area": 1, "at": 1, "rows": 1}).sort("at", 1):
        if row["area"] in wanted:
            begins = start_of(span, row["at"])
            for key, measured in lines_of(row["rows"], dimensions, metric):
                add_to(metric, sums[row["area"], begins], key, measured)
    return {place: table_of(dimensions, metric, total) for place, total in sums.items()}


def _pipeline(
    metric: Metric, starts: Sequence[datetime | None], level: str, areas: Sequence[str]
) -> list[dict[str, Any]]:
    wanted = [dict(metric.match), in_buckets(metric, starts), _in_any(areas, level)]
    key: dict[str, Any] = {
        str(number): {"$ifNull": [f"${name}", None]} for number, name in enumerate(metric.dimensions)
    }
    if metric.time_field:
        key["at"] = cut_time(metric)
    return [
        {"$match": {"$and": [each for each in wanted if each]}},
        {"$group": {"_id": {"area": cut_area(level), **key}, **{name: dict(m) for name, m in metric.measures.items()}}},
    ]


def _in_any(areas: Sequence[str], level: str) -> dict[str, Any]:
    """Return the filter of the records in any of the areas, or of a little more where there are many of them.

    One range over all is read much faster than a choice of many; what lies between them is left out afterwards.
    """
    if len(areas) > MOST_RANGES:
        return {"area": {"$gte": areas[0], "$lt": f"{areas[-1]}0"}}
    places = [in_area(area, level) for area in areas]
    return {"$or": places} if len(places) > 1 else places[0]


def _portions(areas: Sequence[str]) -> Iterable[Sequence[str]]:
    return (areas[start : start + AREAS] for start in range(0, len(areas), AREAS))

"""Recomputing dirty buckets from the records themselves: never by adding up, so late and corrected data come right.

No change is lost: a mark is stored with its change, read before the records are, and removed only once the sums that
were computed after reading it are written. When two recomputations of a bucket overlap, the one that began last
writes; it has seen everything the other one has.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
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
from backend.rollups.buckets import bucket_of, cut_area, end_of, in_area, in_bucket, start_of
from backend.rollups.marking import insert_marks
from backend.rollups.records import Metric, cut
from backend.rollups.registry import all_installed, installed
from backend.rollups.tables import Sums, add_to, lines_of, table_of, total_of
from backend.storage import LOCAL_ZONE

# Marks read at a time, and areas in one aggregation; from so many on one range is read instead of each.
MARKS = 5000
AREAS = 200
MOST_RANGES = 20

#: The marks that dirty a sum, by where it begins and by area.
Dirty = dict[datetime | None, dict[str, set[ObjectId]]]


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
        key["at"] = {
            "$dateTrunc": {"date": f"${metric.time_field}", "unit": metric.bucket, "timezone": str(LOCAL_ZONE)}
        }
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
    for at, by_area in dirty.items():
        for areas in _portions(sorted(by_area)):
            count = _recompute_areas(metric, span, at, areas, shorter)
            if count is None:
                overtaken.update(mark for area in areas for mark in by_area[area])
            else:
                written += count
    return written


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


def _recompute_areas(metric: Metric, span: str, at: datetime | None, finest: Sequence[str], shorter: str) -> int | None:
    """Write the sums of these areas and of those above them; None when another recomputation overtook this one."""
    token = uuid.uuid4().hex
    buckets = {
        (level, area): f"{metric.name}|{level}|{area}|{span}|{at.isoformat() if at else ''}"
        for level in metric.levels
        for area in {cut(each, level) for each in finest}
    }
    rollups = storage.database()["rollups"]
    known = {row["_id"] for row in rollups.find({"_id": {"$in": list(buckets.values())}}, {"_id": 1})}
    common: dict[str, Any] = {"metric": metric.name, "span": span, "at": at, "rows": {}, "total": {}, "token": token}
    fresh: list[dict[str, Any]] = [
        {"_id": key, "level": level, "area": area, **common}
        for (level, area), key in buckets.items()
        if key not in known
    ]
    known |= _inserted(rollups, fresh)
    if known:
        rollups.update_many({"_id": {"$in": list(known)}}, {"$set": {"token": token}})
    tables: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for level in metric.levels:
        areas = sorted({area for of_level, area in buckets if of_level == level})
        summed = (
            _put_together(metric, shorter, span, at, level, areas) if shorter else _summed(metric, at, level, areas)
        )
        tables |= {(level, area): table for area, table in summed.items()}
    written = {key: {"rows": table, "total": total_of(metric, table)} for key, table in tables.items()}
    done = _written_fresh(
        rollups, token, [{**each, **written.get((each["level"], each["area"]), {})} for each in fresh], known
    )
    changes = [
        UpdateOne({"_id": key, "token": token}, {"$set": written[bucket]})
        if bucket in tables
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


def _summed(metric: Metric, at: datetime | None, level: str, areas: Sequence[str]) -> dict[str, dict[str, list[Any]]]:
    """Return the table of each area in one bucket, from the records themselves."""
    names = [*map(str, range(len(metric.dimensions))), *metric.measures]
    tables: dict[str, dict[str, list[Any]]] = defaultdict(lambda: {name: [] for name in names})
    for row in storage.database()[metric.source].aggregate(_pipeline(metric, at, level, areas)):
        line = {**row["_id"], **row}
        for name, column in tables[row["_id"]["area"]].items():
            column.append(line[name])
    return tables


def _put_together(
    metric: Metric, shorter: str, span: str, at: datetime | None, level: str, areas: Sequence[str]
) -> dict[str, dict[str, list[Any]]]:
    """Return the table of each area in one span, from the sums of the shorter ones in it."""
    wanted = set(areas)
    places = {"$in": list(areas)} if len(areas) <= MOST_RANGES else {"$gte": areas[0], "$lte": areas[-1]}
    query: dict[str, Any] = {"metric": metric.name, "level": level, "span": shorter, "area": places}
    if at is not None:
        query["at"] = {"$gte": at, "$lt": end_of(span, at)}
    sums: dict[str, Sums] = defaultdict(dict)
    dimensions = [str(number) for number in range(len(metric.dimensions))]
    for row in storage.database()["rollups"].find(query, {"area": 1, "rows": 1}).sort("at", 1):
        if row["area"] in wanted:
            for key, measured in lines_of(row["rows"], dimensions, metric):
                add_to(metric, sums[row["area"]], key, measured)
    return {area: table_of(dimensions, metric, total) for area, total in sums.items()}


def _pipeline(metric: Metric, at: datetime | None, level: str, areas: Sequence[str]) -> list[dict[str, Any]]:
    wanted = [dict(metric.match), in_bucket(metric, at), _in_any(areas, level)]
    key = {str(number): {"$ifNull": [f"${name}", None]} for number, name in enumerate(metric.dimensions)}
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

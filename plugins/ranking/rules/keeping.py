"""Keep the rules of a district: the editions that there are, which of them counts on a day, and the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from bson import ObjectId
from pymongo.errors import BulkWriteError, DuplicateKeyError

from backend.plugin_api import Principal, Problem, atomically, audit, require, settle, utcnow
from plugins.ranking.points import EDIT, local_day
from plugins.ranking.rules.defaults import defaults
from plugins.ranking.rules.models import Rule

Row = dict[str, Any]
DUPLICATE_KEY = 11000


def editions_of(district: str) -> list[Row]:
    """Return all editions of a district's rules by code, the first one first; a new district begins with the default.

    One round trip; there are some dozens.
    """
    rows = read(district)
    if not rows:
        begin_with_the_default(district)
        rows = read(district)
    return rows


def read(district: str) -> list[Row]:
    """Return what is stored."""
    return list(Rule._get_collection().find({"area": district}).sort([("code", 1), ("edition", 1)]))


def begin_with_the_default(district: str) -> None:
    """Give a district its first rules; of several processes at once one writes each."""
    now = utcnow()
    own = {"version": 1, "created_at": now, "updated_at": now, "area": district}
    rows = [{"_id": id_of("rule", district, row["code"], "1"), **own, **row} for row in defaults()]
    try:
        Rule._get_collection().insert_many(rows, ordered=False)
    except BulkWriteError as error:
        if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise


def in_force(editions: Iterable[Mapping[str, Any]], day: str) -> list[Mapping[str, Any]]:
    """Return the edition of each rule that counts for what happened on a day of Shanghai, unless it is off."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in editions:
        known = found.get(row["code"])
        if row["effective_from"] <= day and (known is None or known["edition"] < row["edition"]):
            found[row["code"]] = row
    return [row for _, row in sorted(found.items()) if row["active"]]


def add_rule(by: Principal, district: str, values: Mapping[str, Any]) -> Row:
    """Add a rule; raises Forbidden, and Problem `invalid` or `duplicate`."""
    editions_of(district)
    try:
        return write(by, district, {**values, "edition": 1}, "add")
    except DuplicateKeyError:
        raise Problem("duplicate", fields={"code": ["已有这个细则。"]}) from None


def next_edition(by: Principal, rule: Mapping[str, Any], values: Mapping[str, Any]) -> Row:
    """Change a rule by a new edition of the one that was seen; raises Problem `stale_version` for an old one."""
    latest = [row for row in read(rule["area"]) if row["code"] == rule["code"]][-1]
    if latest["_id"] != rule["_id"]:
        raise Problem("stale_version")
    fixed = {"code": rule["code"], "event": rule["event"], "edition": rule["edition"] + 1}
    try:
        return write(by, rule["area"], {**values, **fixed}, "change")
    except DuplicateKeyError:
        raise Problem("stale_version") from None


def write(by: Principal, district: str, values: Mapping[str, Any], verb: str) -> Row:
    """Store one edition. It counts from tomorrow on at the earliest: what has happened is judged by what was known."""
    require(by, EDIT, district)
    tomorrow = local_day(utcnow() + timedelta(days=1))
    if values["effective_from"] < tomorrow:
        raise Problem("invalid", fields={"effective_from": [f"最早自 {tomorrow} 起生效，不溯及既往。"]})
    rule = Rule(area=district, made_by=str(by.id), made_name=by.name, **values)
    rule.validate()
    row: Row = rule.to_mongo().to_dict()
    told = {name: row[name] for name in ("code", "edition", "title", "points", "effective_from", "active", "reason")}

    def work() -> Row:
        Rule._get_collection().insert_one(dict(row))
        where = {"subject": "ranking.rule", "subject_id": row["code"], "area": district}
        if verb == "add":
            audit.record("ranking.rule.add", **where, detail=told)
        else:
            audit.record("ranking.rule.change", **where, detail=told)
        settle()
        return row

    return atomically(work)


def id_of(*names: str) -> ObjectId:
    """Return an id that is the same wherever it is made."""
    return ObjectId(sha256("\0".join(names).encode()).digest()[:12])

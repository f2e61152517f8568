"""Keep the duty years of a district, and read its calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bson import ObjectId
from mongoengine.errors import NotUniqueError

from backend.plugin_api import (
    InvalidValues,
    Principal,
    Problem,
    StaleVersion,
    area_names,
    atomically,
    audit,
    district_of,
    enqueue,
    publish,
    require,
    scope_filter,
    utcnow,
)
from plugins.dispatch.calendar.hours import OFFICE_WEEK, DutyCalendar, DutyYear, Windows, texts_of, windows_of
from plugins.dispatch.calendar.models import DutyYearRecord

VIEW, KEEP = "dispatch:view", "dispatch:calendar"
RECOUNT = "dispatch.recount"
OFFICE_TEXTS = [texts_of(each) for each in OFFICE_WEEK]


def calendar_of(area: str) -> DutyCalendar:
    """Return the calendar of the district that an area lies in, in one round trip."""
    rows = DutyYearRecord._get_collection().find({"area": district_of(area)}).batch_size(200)
    return calendar_from(list(rows))


def calendar_from(rows: Sequence[Mapping[str, Any]]) -> DutyCalendar:
    """Return what stored years make; a year that nobody entered has the week of the latest that somebody did."""
    years = {row["year"]: duty_year(row) for row in rows}
    return DutyCalendar(years, years[max(years)].week) if years else DutyCalendar()


def duty_year(row: Mapping[str, Any]) -> DutyYear:
    """Return a stored year as it is counted with."""
    named: dict[str, set[date]] = {"holiday": set(), "workday": set()}
    for day in row.get("days", ()):
        named[day["kind"]].add(date.fromisoformat(day["date"]))
    week: tuple[Windows, ...] = tuple(windows_of(each) for each in row["week"])
    return DutyYear(week, frozenset(named["holiday"]), frozenset(named["workday"]))


def years_seen(by: Principal) -> list[DutyYearRecord]:
    """Return the years of the districts that a person works in, the latest first."""
    areas = {grant.area for grant in by.grants if VIEW in grant.permissions}
    query = {} if "" in areas else {"area": {"$in": sorted({district_of(area) for area in areas})}}
    return list(DutyYearRecord.objects(__raw__=query).order_by("-year"))


def add_year(by: Principal, values: Mapping[str, Any]) -> DutyYearRecord:
    """Enter a year; raises InvalidValues, Forbidden, or Problem `duplicate` for one that is there."""
    district = values["area"]
    require(by, KEEP, district)
    if "/" in district or not area_names([district]):
        raise InvalidValues({"area": "须为区县的区域编码。"})
    checked = check(values["year"], values)
    record = DutyYearRecord(area=district, year=values["year"], **checked)

    def write() -> DutyYearRecord:
        record.save(force_insert=True)
        told(record, "create", {"days": len(record.days), "source": record.source})
        return record

    try:
        return atomically(write)
    except NotUniqueError as error:
        raise Problem("duplicate", detail=f"{values['year']} 年的日历已存在。") from error


def change_year(by: Principal, record_id: ObjectId, version: int, values: Mapping[str, Any]) -> DutyYearRecord:
    """Change a year that is still as it was read; raises InvalidValues, StaleVersion or Problem `not_found`."""
    before = find_year(by, record_id, KEEP)
    kept = {"week": before.week, "days": before.days, "source": before.source}
    checked = check(before.year, {**kept, **values})

    def write() -> DutyYearRecord:
        update = {"$set": {**checked, "updated_at": utcnow()}, "$inc": {"version": 1}}
        after = DutyYearRecord.objects(id=record_id, version=version).modify(__raw__=update, new=True)
        if after is None:
            raise StaleVersion(f"The duty year {record_id} was changed by somebody else.")
        changed = {name: [kept[name], value] for name, value in checked.items() if kept[name] != value}
        told(after, "change", changed)
        return after

    return atomically(write)


def find_year(by: Principal, record_id: ObjectId, permission: str = VIEW) -> DutyYearRecord:
    """Return a year that the person may treat with `permission`; raises Problem `not_found`."""
    query = {"$and": [{"_id": record_id}, scope_filter(by, permission)]}
    found = DutyYearRecord.objects(__raw__=query).first()
    if found is None:
        raise Problem("not_found")
    return found


def check(year: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a year as they are kept; raises InvalidValues."""
    faults: dict[str, str] = {}
    week = values.get("week") or OFFICE_TEXTS
    try:
        parsed = [windows_of(each) for each in week]
    except ValueError as error:
        faults["week"] = f"时段“{error}”有误，应为 09:00-12:00 且互不重叠。"
    else:
        week = [texts_of(each) for each in parsed]
        if len(week) != 7 or not any(week):
            faults["week"] = "须给出周一至周日七天的时段，且至少一天有时段。"
    days = sorted((dict(each) for each in values.get("days") or ()), key=lambda each: each["date"])
    dates = [each["date"] for each in days]
    if any(not each.startswith(f"{year:04d}-") for each in dates):
        faults["days"] = f"日期须在 {year} 年内。"
    elif len(set(dates)) < len(dates):
        faults["days"] = "同一日期出现了两次。"
    if faults:
        raise InvalidValues(faults)
    return {"week": week, "days": days, "source": values.get("source") or ""}


def told(record: DutyYearRecord, verb: str, detail: Mapping[str, Any]) -> None:
    """Write a change into the audit trail, tell others, and have open limits counted anew."""
    where = {"subject": "dispatch.duty_year", "subject_id": str(record.id), "area": record.area}
    if verb == "create":
        audit.record("dispatch.duty_year.create", **where, detail=detail)
    else:
        audit.record("dispatch.duty_year.change", **where, detail=detail)
    publish("duty_calendar.changed", {"year": record.year, "district": record.area}, area=record.area)
    enqueue(RECOUNT, district=record.area)


def unknown_soon(calendar: DutyCalendar, now: datetime, ahead: datetime) -> list[int]:
    """Return the years that limits of today may reach into and whose holidays are not known."""
    return calendar.unknown_years(now, ahead)

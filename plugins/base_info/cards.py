"""What people find of the registers on the map, and what the registers say on cards: facts, changes, whom to call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    CardLine,
    CardPart,
    CardPerson,
    CardSection,
    MapRecord,
    Principal,
    Resource,
    Subject,
    Tone,
    View,
    area_names,
    areas_above,
    audit,
    present,
    reveal,
)
from plugins.base_info.models import DEVICE_KINDS, DEVICE_STATES, STATE_TONES, STREAMS, Device
from plugins.base_info.service import COMPOUNDS, DEVICES, DROP_OFF_POINTS, PROPERTY_COMPANIES, STATIONS

VIEW, REVEAL = "base_info:view", "base_info:reveal"
PURPOSE = "驾驶舱地图上联系现场"
MOST_CHANGES, MOST_DEVICES = 5, 8
VERBS = {
    "create": "新增",
    "change": "修改",
    "disable": "停用",
    "enable": "启用",
    "import": "导入",
    "reveal": "查看联系方式",
}
#: The map's records by name, in the order of search results.
KINDS: Mapping[str, Resource] = {
    "base_info.compound": COMPOUNDS,
    "base_info.drop_off_point": DROP_OFF_POINTS,
    "base_info.station": STATIONS,
    "base_info.device": DEVICES,
    "base_info.property_company": PROPERTY_COMPANIES,
}
#: Facts on the card: field of the register and its label, where it differs from the register's own.
FACTS = {"code": "编码", "address": "地址", "households": "户数", "residents": "常住人口", "model": "型号"}


def subject_of(resource: Resource, row: Mapping[str, Any], names: Mapping[str, str]) -> Subject:
    """Return a record as the map knows it."""
    lon, lat = (row.get("place") or {}).get("coordinates", (None, None))
    place = resource in (DROP_OFF_POINTS, STATIONS)
    device = resource is DEVICES
    where = " ".join(names[path] for path in areas_above(row["area"])[1:3] if path in names)
    return Subject(
        key=str(row["_id"]),
        title=row["name"],
        kind=DEVICE_KINDS[row["kind"]] if device else resource.title,
        area=row["area"],
        lon=lon,
        lat=lat,
        point=row["code"] if place else (row.get("point") or "") if device else "",
        device=row["code"] if device else "",
        tone=tone_of(row),
        note=row.get("address") or where,
    )


def tone_of(row: Mapping[str, Any]) -> Tone:
    """Return the colour of a record: that of a device's state, or that it is out of use."""
    return STATE_TONES.get(row.get("state", ""), "plain") if row.get("active") else "off"


def reader(resource: Resource) -> Callable[[View, str], Subject | None]:
    """Return what reads a record of a register by its id."""

    def read(view: View, key: str) -> Subject | None:
        row = row_of(resource, view, key)
        return subject_of(resource, row, named([row])) if row else None

    return read


def finder(resource: Resource) -> Callable[[View, str, int], Sequence[Subject]]:
    """Return what finds records in use by part of a name, an address or a code."""

    def find(view: View, words: str, limit: int) -> Sequence[Subject]:
        pattern = {"$regex": re.escape(words), "$options": "i"}
        asked = {"active": True, "$or": [{name: pattern} for name in ("name", "code", "address")]}
        rows = list(resource.document._get_collection().find({"$and": [dict(view.scope), asked]}).limit(limit))
        names = named(rows)
        return [subject_of(resource, row, names) for row in rows]

    return find


def named(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of all areas that the rows lie in."""
    return area_names(path for row in rows for path in areas_above(row["area"]))


def row_of(resource: Resource, view: View, key: str) -> dict[str, Any] | None:
    """Return a record of the view's scope by its id."""
    if not ObjectId.is_valid(key):
        return None
    query = {"$and": [{"_id": ObjectId(key)}, dict(view.scope)]}
    found: dict[str, Any] | None = resource.document._get_collection().find_one(query)
    return found


def facts(name: str) -> Callable[[View, Subject], CardSection | None]:
    """Return the part that tells what a register says of its record."""
    resource = KINDS[name]

    def show(view: View, about: Subject) -> CardSection | None:
        row = row_of(resource, view, about.key)
        if row is None:
            return None
        names = named([row])
        lines = [(label, str(row[field])) for field, label in FACTS.items() if row.get(field) not in (None, "")]
        lines.insert(1, ("区域", " ".join(names[path] for path in areas_above(row["area"]) if path in names)))
        if row.get("streams"):
            lines.append(("类别", "、".join(STREAMS[each] for each in row["streams"])))
        if row.get("opening_hours"):
            lines.append(("开放时间", row["opening_hours"]))
        if row.get("capacity_kg") is not None:
            lines.append(("容量", f"{row['capacity_kg']:g} 千克"))
        if resource is DEVICES:
            lines.append(("状态", DEVICE_STATES[row["state"]]))
        if not row.get("active"):
            lines.append(("使用", "已停用"))
        return CardSection(facts=lines)

    return show


def changes(name: str) -> Callable[[View, Subject], CardSection | None]:
    """Return the part that tells the last changes of a record."""
    resource = KINDS[name]

    def show(view: View, about: Subject) -> CardSection | None:
        entries = audit.history(resource.subject, about.key, limit=MOST_CHANGES)
        verbs = [(VERBS.get(each.action.rpartition(".")[2], "变更"), each) for each in entries]
        lines = [CardLine(verb, each.at, each.actor.name) for verb, each in verbs]
        return CardSection(lines=lines) if lines else None

    return show


def devices(view: View, about: Subject) -> CardSection | None:
    """Return the devices at a point, those that do not run first."""
    if not about.point:
        return None
    query = {"$and": [{"point": about.point, "active": True}, dict(view.scope)]}
    rows = sorted(Device._get_collection().find(query), key=lambda row: (row["state"] == "running", row["code"]))
    lines = [
        CardLine(
            row["name"],
            note=DEVICE_STATES[row["state"]],
            tone=STATE_TONES[row["state"]],
            record="base_info.device",
            key=str(row["_id"]),
        )
        for row in rows
        if str(row["_id"]) != about.key
    ]
    return CardSection(lines=lines[:MOST_DEVICES], more=max(0, len(lines) - MOST_DEVICES)) if lines else None


def responsible(view: View, about: Subject) -> list[tuple[Resource, dict[str, Any]]]:
    """Return the records whose contacts are in charge of a place: the point or station, its compound, the company."""
    wanted: list[tuple[Resource, dict[str, Any]]] = []
    if about.point:
        wanted += [(DROP_OFF_POINTS, {"code": about.point}), (STATIONS, {"code": about.point})]
    if about.area.count("/") >= 3:
        wanted.append((COMPOUNDS, {"code": about.area.rpartition("/")[2]}))
    found: list[tuple[Resource, dict[str, Any]]] = []
    for resource, query in wanted:
        row = resource.document._get_collection().find_one({"$and": [query, dict(view.scope)]})
        if row is not None and row.get("contact_phone") is not None:
            found.append((resource, row))
    own = row_of(PROPERTY_COMPANIES, view, about.key) if about.kind == PROPERTY_COMPANIES.title else None
    return [*found, (PROPERTY_COMPANIES, own)] if own and own.get("contact_phone") is not None else found


def people(view: View, about: Subject) -> CardSection | None:
    """Return whom to call about a place, masked."""
    shown = [(resource, present(resource, row)) for resource, row in responsible(view, about)]
    contacts = [
        CardPerson(
            row["contact_name"] or "", f"{resource.title}联系人", row["contact_phone"], f"{resource.noun}:{row['id']}"
        )
        for resource, row in shown
    ]
    return CardSection(people=contacts) if contacts else None


def dial(by: Principal, about: Subject, key: str) -> str:
    """Return the number of one of these people in the clear; the look is recorded."""
    noun, _, record_id = key.partition(":")
    everything = View(area=about.area, scope={})
    for resource, row in responsible(everything, about):
        if (resource.noun, str(row["_id"])) == (noun, record_id):
            return reveal(resource, by, row, PURPOSE)["contact_phone"] or ""
    return ""


RECORDS = [
    MapRecord(
        name=name,
        title=resource.title,
        permission=VIEW,
        read=reader(resource),
        find=finder(resource),
        order=10 + number,
    )
    for number, (name, resource) in enumerate(KINDS.items())
]
PARTS = [
    *(
        CardPart(name=f"{name}_facts", title="基本信息", permission=VIEW, show=facts(name), records=(name,), order=10)
        for name in KINDS
    ),
    CardPart(
        name="base_info.people",
        title="联系人",
        permission=VIEW,
        show=people,
        order=20,
        dial=dial,
        dial_permission=REVEAL,
    ),
    CardPart(name="base_info.devices", title="现场设备", permission=VIEW, show=devices, order=60),
    *(
        CardPart(
            name=f"{name}_changes", title="最近变动", permission=VIEW, show=changes(name), records=(name,), order=90
        )
        for name in KINDS
    ),
]

"""The rules of the registers: where a record lies follows from the area, point or compound that it names."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from mongoengine import Document

from backend.plugin_api import (
    CompoundFacts,
    Contains,
    DeviceFacts,
    Equals,
    Filter,
    LegalFacts,
    PhoneIs,
    PlaceFacts,
    Principal,
    Resource,
    Written,
    area_paths,
    change,
    decrypt_field,
    district_of,
    find,
    keep_areas,
    keep_organisations,
    move_area,
    publish,
    put_blob,
    read_photo,
)
from plugins.base_info.models import (
    DEVICE_KINDS,
    DEVICE_STATES,
    Compound,
    Device,
    DropOffPoint,
    PropertyCompany,
    Station,
)
from plugins.base_info.schemas import (
    CompoundSchema,
    DeviceSchema,
    DropOffPointSchema,
    PropertyCompanySchema,
    StationSchema,
)

Values = dict[str, Any]
#: Where waste is put down, and what that is called on screen.
PLACES = {DropOffPoint: "投放点", Station: "集置点"}
Faults = Mapping[str, str]


def complete_company(rows: Sequence[Values]) -> list[Faults]:
    """Put a company into the area that it names."""
    return place_in_area(rows, area_paths(codes(rows, "area_code")))


def complete_compound(rows: Sequence[Values]) -> list[Faults]:
    """Put a compound below its community, under its own code."""
    found = place_in_area(rows, area_paths(codes(rows, "area_code"), "community"), "没有这个社区。")
    for row, faults in zip(rows, found, strict=True):
        if not faults:
            row["area"] = f"{row['area']}/{row['code']}"
    return check_companies(rows, found)


def complete_drop_off_point(rows: Sequence[Values]) -> list[Faults]:
    """Put a drop-off point into its compound."""
    compounds = area_paths(codes(rows, "area_code"), "compound")
    return check_companies(rows, place_in_area(rows, compounds, "没有这个小区。"))


def complete_station(rows: Sequence[Values]) -> list[Faults]:
    """Put a station into its compound or community."""
    return check_companies(rows, place_in_area(rows, area_paths(codes(rows, "area_code"), "community", "compound")))


def complete_device(rows: Sequence[Values]) -> list[Faults]:
    """Put a device where the point is that it watches, or into the area that it names."""
    wanted = codes(rows, "point")
    points = {row["code"]: row for model in (DropOffPoint, Station) for row in by_code(model, wanted)}
    for row in rows:
        if row.get("point") in points:
            row["area_code"] = points[row["point"]]["area"].rsplit("/", 1)[-1]
            row["organisation"] = points[row["point"]].get("organisation")
    areas = area_paths(codes(rows, "area_code"), "community", "compound")
    found = place_in_area(rows, areas, "没有这个区域；请填写投放点、集置点或区域编码。")
    return [
        {**faults, "point": "没有这个投放点或集置点。"} if row.get("point") and row["point"] not in points else faults
        for row, faults in zip(rows, found, strict=True)
    ]


def place_in_area(rows: Sequence[Values], paths: Mapping[str, str], missing: str = "没有这个区域。") -> list[Faults]:
    """Set each row's area path; the rows whose code is not known get a fault."""
    found: list[Faults] = []
    for row in rows:
        path = paths.get(row.get("area_code") or "")
        if path:
            row["area"] = path
        found.append({} if path else {"area_code": missing})
    return found


def check_companies(rows: Sequence[Values], found: Sequence[Faults]) -> list[Faults]:
    """Set the organisation that the property company is; add a fault where it is not known."""
    known = {row["code"]: row["_id"] for row in by_code(PropertyCompany, codes(rows, "property_company"))}
    checked = []
    for row, faults in zip(rows, found, strict=True):
        company = row.get("property_company")
        row["organisation"] = known.get(company)
        checked.append({**faults, "property_company": "没有这家物业。"} if company and company not in known else faults)
    return checked


def codes(rows: Sequence[Values], field: str) -> list[str]:
    """Return the distinct codes that the rows name in `field`."""
    return sorted({row[field] for row in rows if row.get(field)})


def by_code(model: type[Document], wanted: Sequence[str]) -> list[Values]:
    """Return id, code, area and organisation of the records that have one of the codes."""
    if not wanted:
        return []
    return list(
        model._get_collection().find({"code": {"$in": list(wanted)}}, {"code": 1, "area": 1, "organisation": 1})
    )


def keep_companies(written: Written) -> None:
    """Keep the organisations that accounts and grants refer to in step with the companies' register."""
    keep_organisations("property_company", [after for _, after in written])


def keep_compounds(written: Written) -> None:
    """Keep the area tree in step with the compounds' register; what lies in a compound moves with it."""
    changed = []
    for before, after in written:
        if before is not None and before["area"] != after["area"]:
            move_area(before["area"], after["area"])
            move_contents(before["area"], after["area"])
        if before is None or any(before[name] != after[name] for name in ("area", "name", "active")):
            changed.append(after)
    keep_areas({row["area"]: row["name"] for row in changed if row["active"]})
    keep_areas({row["area"]: row["name"] for row in changed if not row["active"]}, active=False)


def move_contents(old: str, new: str) -> None:
    """Take along what lies in a compound that now belongs to another community."""
    for model in (DropOffPoint, Station, Device):
        model._get_collection().update_many({"area": old}, {"$set": {"area": new}, "$inc": {"version": 1}})
    publish("compound.moved", {"from": old, "to": new}, area=new)


COMMON: dict[str, Filter] = {
    "q": Contains(("name", "address", "code"), "名称、地址或编码包含"),
    "code": Equals("code", "编码"),
    "active": Equals("active", "是否启用", boolean=True),
    "contact_phone": PhoneIs("contact_phone", "联系电话"),
}
OF_COMPANY: dict[str, Filter] = {"property_company": Equals("property_company", "物业编码")}

PROPERTY_COMPANIES = Resource(
    name="property-companies",
    noun="property_company",
    title="物业",
    module="base_info",
    document=PropertyCompany,
    schema=PropertyCompanySchema,
    complete=complete_company,
    filters=COMMON,
    organisation_field="_id",
    follow=keep_companies,
)
COMPOUNDS = Resource(
    name="compounds",
    noun="compound",
    title="小区",
    module="base_info",
    document=Compound,
    schema=CompoundSchema,
    complete=complete_compound,
    filters=COMMON | OF_COMPANY,
    organisation_field="organisation",
    metrics=("base_info.compounds",),
    follow=keep_compounds,
)
DROP_OFF_POINTS = Resource(
    name="drop-off-points",
    noun="drop_off_point",
    title="投放点",
    module="base_info",
    document=DropOffPoint,
    schema=DropOffPointSchema,
    complete=complete_drop_off_point,
    filters=COMMON | OF_COMPANY | {"stream": Equals("streams", "类别")},
    organisation_field="organisation",
    metrics=("base_info.drop_off_points",),
)
STATIONS = Resource(
    name="stations",
    noun="station",
    title="集置点",
    module="base_info",
    document=Station,
    schema=StationSchema,
    complete=complete_station,
    filters=COMMON | OF_COMPANY,
    organisation_field="organisation",
    metrics=("base_info.stations",),
)
DEVICES = Resource(
    name="devices",
    noun="device",
    title="智能设施设备",
    module="base_info",
    document=Device,
    schema=DeviceSchema,
    complete=complete_device,
    filters=COMMON
    | {
        "kind": Equals("kind", "设备类型", choices=tuple(DEVICE_KINDS)),
        "state": Equals("state", "运行状态", choices=tuple(DEVICE_STATES)),
        "point": Equals("point", "所在点位编码"),
    },
    organisation_field="organisation",
    metrics=("base_info.devices",),
)
RESOURCES = (PROPERTY_COMPANIES, COMPOUNDS, DROP_OFF_POINTS, STATIONS, DEVICES)


def issue_signing_key(by: Principal, device_id: Any, version: int) -> tuple[Values, str]:
    """Give the device a new key to sign its captures with; the old one ends. Returns the record and the key."""
    key = secrets.token_hex(32)
    row = change(DEVICES, by, device_id, version, {"signing_key": key})
    return row, key


def keep_sign_photo(by: Principal, device_id: Any, version: int, photo: bytes) -> Values:
    """Keep the photo of the sign that stands at the device; returns the record. Raises Problem for a bad photo."""
    facts = read_photo(photo, "photo")
    area = find(DEVICES, by, device_id, "edit")["area"]
    blob = put_blob(photo, media_type=facts.media_type, space=district_of(area))
    return change(DEVICES, by, device_id, version, {"sign_photo": blob.sha256})


def device_facts(code: str) -> DeviceFacts | None:
    """Return what other modules may know of the device `code`, or None."""
    row = Device._get_collection().find_one({"code": code})
    if row is None:
        return None
    sealed = row.get("signing_key")
    return DeviceFacts(
        code=code,
        name=row["name"],
        kind=row["kind"],
        area=row["area"],
        active=row["active"],
        secret=decrypt_field(Device, row["_id"], "signing_key", sealed) if sealed else "",
        point=row.get("point") or "",
        legal=LegalFacts(**{each.name: row.get(each.name) or "" for each in dataclasses.fields(LegalFacts)}),
    )


def compound_facts(code: str) -> CompoundFacts | None:
    """Return what other modules may know of the compound `code`, or None."""
    row = Compound._get_collection().find_one({"code": code})
    if row is None:
        return None
    known = {name: row[name] for name in ("code", "name", "area", "active")}
    return CompoundFacts(**known, organisation=row.get("organisation"), households=row.get("households"))


def place_facts(code: str) -> PlaceFacts | None:
    """Return where the drop-off point or station `code` is, or None."""
    for model, kind in PLACES.items():
        row = model._get_collection().find_one({"code": code})
        if row is not None:
            return place_of(row, kind)
    return None


def nearest_place(longitude: float, latitude: float, metres: float) -> PlaceFacts | None:
    """Return the drop-off point or station in use that is nearest to a place in WGS-84, if it is that near."""
    near = {
        "near": {"type": "Point", "coordinates": [longitude, latitude]},
        "key": "place",
        "distanceField": "distance",
        "maxDistance": metres,
        "query": {"active": True},
        "spherical": True,
    }
    found = [
        (row["distance"], place_of(row, kind))
        for model, kind in PLACES.items()
        for row in model._get_collection().aggregate([{"$geoNear": near}, {"$limit": 1}])
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def place_of(row: Values, kind: str) -> PlaceFacts:
    """Return what other modules may know of a drop-off point or station."""
    longitude, latitude = (row.get("place") or {}).get("coordinates", (None, None))
    return PlaceFacts(
        code=row["code"],
        name=row["name"],
        kind=kind,
        area=row["area"],
        lon=longitude,
        lat=latitude,
        organisation=row.get("organisation"),
    )

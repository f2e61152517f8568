"""The area tree, organisations, and which modules are on where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os.path import commonpath
from typing import Any

from bson import ObjectId

from backend.identity import changes
from backend.identity.errors import Invalid, NotFound
from backend.identity.models import Area, ModuleSwitch, Organisation
from backend.identity.permissions import known_modules
from backend.identity.principal import Principal
from backend.identity.scope import module_is_on, require, scope_filter
from backend.identity.vocabulary import AREA_LEVELS

PATH = re.compile(rf"[0-9A-Za-z]{{1,32}}(?:/[0-9A-Za-z]{{1,32}}){{0,{len(AREA_LEVELS) - 1}}}")
MAX_POSITIONS = 20_000


def add_area(principal: Principal, parent: str, code: str, name: str, boundary: Mapping[str, Any] | None) -> Area:
    """Add an area below `parent` ("" for a district); raises Forbidden, Invalid or Taken."""
    require(principal, "platform:areas", parent)
    if parent:
        area_at(parent)
    path = f"{parent}/{code}" if parent else code
    level = list(AREA_LEVELS)[len(codes_of(path)) - 1]
    area = Area(path=path, code=code, name=name, level=level, parent=parent, boundary=checked_boundary(boundary))
    return changes.add(area, "platform.area.add", {"name": name})


def change_area(principal: Principal, area: Area, values: Mapping[str, Any]) -> Area:
    """Change name, boundary or activity of an area that was read; raises Forbidden, Invalid or Stale."""
    require(principal, "platform:areas", area.path)

    def apply(record: Area) -> Mapping[str, Any]:
        for name, value in values.items():
            setattr(record, name, checked_boundary(value) if name == "boundary" else value)
        return {"fields": sorted(values)}

    return changes.change(Area, area.id, area.version, apply, "platform.area.change")


def area_at(path: str) -> Area:
    """Return the area; raises NotFound."""
    area = Area.objects(path=path).first()
    if area is None:
        raise NotFound("没有这个区域。")
    return area


def check_area(path: str, field: str = "area") -> None:
    """Raise Invalid unless `path` is an active area, or empty for the whole platform."""
    if path and not Area.objects(path=path, active=True).only("id").first():
        raise Invalid(fields={field: ["没有这个区域，或已停用。"]})


def area_names(paths: Iterable[str]) -> dict[str, str]:
    """Return the names of areas by path, in one round trip; unknown ones are left out."""
    rows = Area._get_collection().find({"path": {"$in": sorted(set(paths))}}, {"path": 1, "name": 1})
    return {row["path"]: row["name"] for row in rows}


def codes_of(path: str) -> list[str]:
    """Return the codes of a path from the district down; raises Invalid."""
    if not PATH.fullmatch(path):
        raise Invalid(fields={"code": ["区域编码应为 1 至 32 位字母或数字，且不超过四级。"]})
    return path.split("/")


def district_of(path: str) -> str:
    """Return the district that a path lies in."""
    return path.partition("/")[0]


def community_of(path: str) -> str:
    """Return the community that a path lies in, or the path itself where it is no deeper than that."""
    return "/".join(path.split("/", 3)[:3])


def checked_boundary(boundary: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a GeoJSON Polygon or MultiPolygon in WGS-84 with closed rings, or {} for none; raises Invalid."""
    if not boundary:
        return {}
    kind, coordinates = boundary.get("type"), boundary.get("coordinates")
    polygons: Any = [coordinates] if kind == "Polygon" else coordinates
    if (
        set(boundary) != {"type", "coordinates"}
        or kind not in ("Polygon", "MultiPolygon")
        or not _all(polygons, lambda polygon: _all(polygon, _is_ring))
        or sum(len(ring) for polygon in polygons for ring in polygon) > MAX_POSITIONS
    ):
        raise Invalid(fields={"boundary": ["应为 GeoJSON 多边形：经纬度为 WGS-84，每个环首尾相接。"]})
    return {"type": kind, "coordinates": coordinates}


def _is_ring(ring: Any) -> bool:
    return _all(ring, _is_position) and len(ring) >= 4 and ring[0] == ring[-1]


def _is_position(position: Any) -> bool:
    if not isinstance(position, list | tuple) or len(position) != 2:
        return False
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in position):
        return False
    return -180 <= position[0] <= 180 and -90 <= position[1] <= 90


def _all(items: Any, test: Any) -> bool:
    return isinstance(items, list | tuple) and bool(items) and all(test(item) for item in items)


def add_organisation(principal: Principal, values: Mapping[str, Any]) -> Organisation:
    """Add an office or a company; raises Forbidden or Invalid."""
    require(principal, "platform:organisations", values["area"])
    check_area(values["area"])
    return changes.add(Organisation(**values), "platform.organisation.add", {"name": values["name"]})


def change_organisation(principal: Principal, organisation: Organisation, values: Mapping[str, Any]) -> Organisation:
    """Change an organisation that was read; raises Forbidden, Invalid or Stale."""
    require(principal, "platform:organisations", organisation.area)
    if "area" in values:
        require(principal, "platform:organisations", values["area"])
        check_area(values["area"])

    def apply(record: Organisation) -> Mapping[str, Any]:
        for name, value in values.items():
            setattr(record, name, value)
        return {"fields": sorted(values)}

    return changes.change(Organisation, organisation.id, organisation.version, apply, "platform.organisation.change")


def check_organisation(id: ObjectId | None, field: str = "organisation") -> None:
    """Raise Invalid unless this is an active organisation, or none."""
    if id is not None and not Organisation.objects(id=id, active=True).only("id").first():
        raise Invalid(fields={field: ["没有这个单位，或已停用。"]})


def switch_module(principal: Principal, module: str, area: str, enabled: bool) -> ModuleSwitch:
    """Switch a module on or off in an area and below, from the next request on; raises Forbidden or Invalid."""
    require(principal, "platform:modules", area)
    if module not in known_modules():
        raise Invalid(fields={"module": ["没有这个模块。"]})
    check_area(area)
    detail = {"module": module, "enabled": enabled}
    switch = ModuleSwitch.objects(module=module, area=area).first()
    if switch is None:
        switch = ModuleSwitch(module=module, area=area, enabled=enabled)
        return changes.add(switch, "platform.module.switch", detail)

    def apply(record: ModuleSwitch) -> Mapping[str, Any]:
        record.enabled = enabled
        return detail

    return changes.change(ModuleSwitch, switch.id, switch.version, apply, "platform.module.switch")


def remove_switch(principal: Principal, id: ObjectId) -> None:
    """Let the area follow the one above again; raises NotFound, also outside of the person's areas."""
    switch = ModuleSwitch.objects(__raw__={"$and": [{"_id": id}, scope_filter(principal, "platform:modules")]}).first()
    if switch is None:
        raise NotFound
    changes.remove(switch, "platform.module.inherit", {"module": switch.module})


def module_on(module: str, area: str) -> bool:
    """Tell whether a module is on in an area, for jobs and event handlers, which have no Principal."""
    rows = ModuleSwitch._get_collection().find({"module": module}, {"area": 1, "enabled": 1})
    return module_is_on({row["area"]: row["enabled"] for row in rows}, area)


def module_on_anywhere(module: str) -> bool:
    """Tell whether a module is on in some area: a job of one that is off everywhere has nothing to do."""
    rows = ModuleSwitch._get_collection().find({"module": module}, {"area": 1, "enabled": 1})
    switches = {row["area"]: row["enabled"] for row in rows}
    if not switches or any(switches.values()):
        return True
    # Every switch says off: on is only what lies outside of all of them.
    districts = Area._get_collection().find({"parent": ""}, {"path": 1})
    return any(module_is_on(switches, row["path"]) for row in districts)


def home_of(principal: Principal) -> str:
    """Return the path of the smallest area that holds all grants of the person; "" when he holds none.

    A grant on the whole platform counts for its district.
    """
    areas = {grant.area for grant in principal.grants}
    if not areas:
        return ""
    if "" not in areas and (shared := commonpath(areas)):
        return shared
    district = Area._get_collection().find_one({"parent": "", "active": True}, {"path": 1}, sort=[("path", 1)])
    return str(district["path"]) if district else ""


def areas_around(path: str, depth: int) -> list[Area]:
    """Return the active area at `path` and those down to `depth` levels below, by path; with their boundaries."""
    levels = list(AREA_LEVELS)[path.count("/") : path.count("/") + depth + 1]
    query = {"path": {"$gte": path, "$lt": f"{path}0"}, "level": {"$in": levels}, "active": True}
    return list(Area.objects(__raw__=query).order_by("path"))

"""Boundaries from a GeoJSON file: checked, put into WGS-84 once, repaired, simplified for the map, written whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from backend.identity.datum import Datum, to_wgs84
from backend.identity.errors import Stale
from backend.identity.models import Area
from backend.identity.territory import MAX_POSITIONS
from backend.protection import audit
from backend.storage import NothingMatched, atomically, settle, update_later, utcnow

#: How far, in metres, the outline of an area of a level may be moved to need fewer corners.
TOLERANCES = {"district": 20.0, "street": 10.0, "community": 5.0, "compound": 1.0}
#: Names of coordinate systems in degrees that a file may declare; which datum they are of is said by the operator.
IN_DEGREES = ("CRS84", "4326", "4490", "WGS84", "WGS 84", "CGCS2000")
METRES_PER_DEGREE = 111_320.0
#: A repair that changes the area by more than this share is no repair.
MOST_REPAIRED = 0.2
#: Areas that lie less than this share inside of the one above, or more than this inside of a neighbour, are told.
LEAST_INSIDE, MOST_SHARED = 0.8, 0.1
DECIMALS = 6
BATCH = 200


class BoundaryFileError(Exception):
    """The file as a whole cannot be read; the message is one sentence (Chinese)."""


@dataclass
class Feature:
    """One feature of the file: its number counted from one, and what became of it.

    `faults` keep it from being imported; `notes` are worth a look.
    """

    number: int
    code: str = ""
    area: Mapping[str, Any] = field(default_factory=dict)
    boundary: BaseGeometry | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    corners: tuple[int, int] = (0, 0)

    @property
    def title(self) -> str:
        """What the operator knows it by."""
        name = f" {self.area['name']}" if self.area else ""
        return f"第 {self.number} 个要素（{self.code or '无编码'}{name}）"


def read_features(text: bytes) -> list[Mapping[str, Any]]:
    """Return the features of a GeoJSON file; raises BoundaryFileError."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BoundaryFileError(f"不是有效的 JSON 文件：{error}") from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise BoundaryFileError("不是 GeoJSON 要素集合（FeatureCollection）。")
    declared = orjson.dumps(content.get("crs") or "").decode()
    if content.get("crs") and not any(name in declared for name in IN_DEGREES):
        raise BoundaryFileError(f"文件声明的坐标系不是经纬度，请先转换：{declared}")
    if not features:
        raise BoundaryFileError("文件中没有要素。")
    return features


def examine(
    features: Sequence[Mapping[str, Any]], *, datum: Datum, code_property: str, tolerance: float | None = None
) -> list[Feature]:
    """Return what each feature becomes, with its boundary in WGS-84; nothing is written.

    `tolerance` in metres is for all levels, None for the usual one of each, 0 keeps every corner.
    """
    examined = [Feature(number) for number in range(1, len(features) + 1)]
    for each, feature in zip(examined, features, strict=True):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        code = properties.get(code_property) if isinstance(properties, dict) else None
        each.code = str(code).strip() if isinstance(code, str | int) and not isinstance(code, bool) else ""
        if not each.code:
            each.faults.append(f"没有属性 {code_property}")
    find_areas(examined)
    for each, feature in zip(examined, features, strict=True):
        if not each.faults:
            draw(each, feature.get("geometry"), datum)
    simplify([each for each in examined if not each.faults], tolerance)
    compare([each for each in examined if not each.faults])
    return examined


def find_areas(examined: Iterable[Feature]) -> None:
    """Find the areas that features name by code; one that is named twice, unknown or switched off is a fault."""
    examined = list(examined)
    counts = Counter(each.code for each in examined if each.code)
    fields = {"path": 1, "code": 1, "name": 1, "level": 1, "parent": 1, "active": 1, "version": 1, "boundary": 1}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in Area._get_collection().find({"code": {"$in": list(counts)}}, fields):
        found[row["code"]].append(row)
    for each in examined:
        rows = found.get(each.code, [])
        if not each.code:
            continue
        if counts[each.code] > 1:
            each.faults.append(f"编码在文件中出现 {counts[each.code]} 次")
        elif len(rows) != 1:
            each.faults.append("平台中没有这个编码的区域" if not rows else "平台中有多个区域使用这个编码")
        elif not rows[0]["active"]:
            each.faults.append("区域已停用")
        else:
            each.area = rows[0]


def draw(each: Feature, geometry: Any, datum: Datum) -> None:
    """Set the boundary of a feature: a valid polygon or several, in WGS-84."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        each.faults.append(f"几何类型应为 Polygon 或 MultiPolygon，实为 {kind or '空'}")
        return
    try:
        drawn = shapely.force_2d(shape(geometry))
    except (ValueError, TypeError, IndexError, AttributeError, shapely.errors.ShapelyError) as error:
        each.faults.append(f"坐标无法读取：{error}")
        return
    corners = shapely.get_coordinates(drawn)
    if fault := misplaced(corners):
        each.faults.append(fault)
        return
    drawn = shapely.set_coordinates(drawn, np.column_stack(to_wgs84(corners[:, 0], corners[:, 1], datum)))
    if not drawn.area and not shapely.make_valid(drawn).area:
        each.faults.append("多边形面积为零")
        return
    if not drawn.is_valid:
        reason, before = shapely.is_valid_reason(drawn), drawn.area
        drawn = only_polygons(shapely.make_valid(drawn, method="structure"))
        if not before or abs(drawn.area - before) > MOST_REPAIRED * before:
            each.faults.append(f"多边形自相交，无法可靠修复：{reason}")
            return
        each.notes.append(f"已修复：{reason}")
    each.boundary, each.corners = drawn, (len(corners), len(corners))


def misplaced(corners: np.ndarray) -> str:
    """Say why these cannot be degrees inside China, or nothing."""
    if not len(corners) or not np.isfinite(corners).all():
        return "坐标为空或不是数字"
    lon, lat = corners[:, 0], corners[:, 1]
    if (np.abs(lon) > 180).any() or (np.abs(lat) > 180).any():
        return "坐标不是经纬度，可能是投影坐标"
    if ((lon > 73) & (lon < 136) & (lat > 3) & (lat < 54)).all():
        return ""
    if ((lat > 73) & (lat < 136) & (lon > 3) & (lon < 54)).all():
        return "经纬度顺序颠倒：应为先经度、后纬度"
    return "坐标不在中国范围内"


def simplify(examined: Sequence[Feature], tolerance: float | None) -> None:
    """Take out corners that the map can do without; neighbours of a level keep their common border."""
    levels: dict[str, list[Feature]] = defaultdict(list)
    for each in examined:
        levels[each.area["level"]].append(each)
    for level, members in levels.items():
        metres = TOLERANCES[level] if tolerance is None else tolerance
        drawn = [each.boundary for each in members]
        if metres:
            # The tolerance is that of coverage_simplify: the square root of the area that a corner may be worth.
            simplified = shapely.coverage_simplify(drawn, metres / METRES_PER_DEGREE)
            drawn = [_kept(before, after) for before, after in zip(drawn, simplified, strict=True)]
        for each, boundary in zip(members, drawn, strict=True):
            each.boundary = rounded(boundary)
            each.corners = (each.corners[0], int(shapely.get_num_coordinates(each.boundary)))
            if each.boundary.is_empty:
                each.faults.append("多边形过小，简化后消失；请用 --tolerance 0")
            elif each.corners[1] > MAX_POSITIONS:
                each.faults.append(f"顶点过多（{each.corners[1]}），请加大 --tolerance")


def _kept(before: BaseGeometry | None, after: BaseGeometry) -> BaseGeometry:
    """Return the simplified shape where it is still one, else the shape before."""
    return after if after.is_valid and not after.is_empty else before or after


def rounded(drawn: BaseGeometry | None) -> BaseGeometry:
    """Return a shape with a tenth of a metre of precision, valid, outer rings counter-clockwise."""
    exact = only_polygons(shapely.set_precision(drawn, 10.0**-DECIMALS))
    return shapely.orient_polygons(exact)


def only_polygons(drawn: BaseGeometry) -> BaseGeometry:
    """Return the polygons of what a repair left, without stray lines and points."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(drawn)) if isinstance(part, Polygon)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def compare(examined: Sequence[Feature]) -> None:
    """Note what lies outside of the area above, or on its neighbours: mostly a wrong datum or a wrong code."""
    drawn = {each.area["path"]: each.boundary for each in examined if not each.faults}
    wanted = {each.area["parent"] for each in examined} - drawn.keys()
    for row in Area._get_collection().find({"path": {"$in": sorted(wanted)}}, {"path": 1, "boundary": 1}):
        if row.get("boundary"):
            drawn[row["path"]] = shape(row["boundary"])
    neighbours: dict[str, list[Feature]] = defaultdict(list)
    for each in examined:
        if each.faults or each.boundary is None:
            continue
        neighbours[each.area["parent"]].append(each)
        above = drawn.get(each.area["parent"])
        if above is not None:
            share = each.boundary.intersection(above).area / each.boundary.area
            if share < LEAST_INSIDE:
                each.notes.append(f"只有 {share:.0%} 位于上级区域内，请核对坐标系和编码")
    for members in neighbours.values():
        tree = shapely.STRtree([each.boundary for each in members])
        for one, other in zip(*tree.query([each.boundary for each in members], predicate="intersects"), strict=True):
            first, second = members[one], members[other]
            if one == other or first.boundary is None or second.boundary is None:
                continue
            share = first.boundary.intersection(second.boundary).area / first.boundary.area
            if share > MOST_SHARED:
                first.notes.append(f"与 {second.area['name']} 重叠 {share:.0%}")


def geojson_of(boundary: BaseGeometry | None) -> dict[str, Any]:
    """Return a boundary as it is stored."""
    drawn = orjson.loads(orjson.dumps(mapping(boundary)))
    return {"type": drawn["type"], "coordinates": drawn["coordinates"]}


def write(examined: Sequence[Feature], source: str, datum: Datum) -> int:
    """Write the boundaries of all features without faults in one transaction; returns how many changed.

    The audit trail says which file and datum they came from. Raises Stale when somebody changed an area meanwhile.
    """
    boundaries = [(each, geojson_of(each.boundary)) for each in examined if not each.faults]
    changed = [(each, boundary) for each, boundary in boundaries if each.area.get("boundary") != boundary]
    by_parent: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for each, _ in changed:
        detail = {"fields": ["boundary"], "file": source, "datum": datum}
        by_parent[each.area["parent"]][str(each.area["_id"])] = detail

    def work() -> None:
        for number, (each, boundary) in enumerate(changed, 1):
            version = each.area["version"]
            update_later(
                Area._get_collection_name(),
                {"_id": each.area["_id"], "version": version},
                {"$set": {"boundary": boundary, "version": version + 1, "updated_at": utcnow()}},
            )
            if number % BATCH == 0:
                settle()
        for parent, details in by_parent.items():
            audit.record_many("platform.area.change", subject="area", area=parent, details=details)

    try:
        atomically(work)
    except NothingMatched as error:
        raise Stale from error
    return len(changed)

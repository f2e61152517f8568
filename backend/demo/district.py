"""Draw the fictional district: synthetic boundaries, so that no real map's rights are touched."""

from __future__ import annotations

from itertools import cycle, islice, product

import numpy as np
from shapely import MultiPoint, Point, Polygon, unary_union, voronoi_polygons
from shapely.affinity import scale

from backend.plugin_api.demo import DemoArea

#: The code 339999 is given to no real district.
DISTRICT = ("339999", "清序区")
CENTRE = (120.10, 30.27)
STREETS = ("清源街道", "云桥街道", "澄江街道", "松溪街道")
COMMUNITIES = (
    ("清和", "文澜", "学府", "锦绣", "紫荆", "望湖"),
    ("云桥", "翠苑", "古荡", "嘉绿", "映月", "丰潭"),
    ("澄江", "滨河", "兰庭", "枫桥", "江南", "白鹭"),
    ("松溪", "竹海", "石桥", "杏林", "东园", "南山"),
)
FIRST = ("阳光", "翡翠", "金色", "碧水", "星河", "春晓", "绿城", "和风", "丹桂", "晨曦", "玉兰", "梧桐", "海棠", "银杏")
LAST = ("花园", "家园", "雅苑", "名邸", "公寓", "新村", "华庭", "府", "里", "小区", "佳苑", "景园")
COMPOUNDS = 160


def draw_district(seed: int) -> list[DemoArea]:
    """Return the areas from the district down to its 160 compounds; the same seed draws the same map."""
    random = np.random.default_rng(seed)
    outline = rough_outline(random)
    code, name = DISTRICT
    areas = [DemoArea(code, name, "district", ring(outline))]
    names = islice(cycle(random.permutation([a + b for a, b in product(FIRST, LAST)])), COMPOUNDS)
    number = 0
    for s, (street_name, street) in enumerate(zip(STREETS, divide(outline, 4, random), strict=True), 1):
        street_path = f"{code}/{code}{s:03d}"
        areas.append(DemoArea(street_path, street_name, "street", ring(street)))
        for c, (stem, community) in enumerate(zip(COMMUNITIES[s - 1], divide(street, 6, random), strict=True), 1):
            community_path = f"{street_path}/{code}{s:03d}{c:03d}"
            areas.append(DemoArea(community_path, f"{stem}社区", "community", ring(community)))
            count = 7 if (s - 1) * 6 + c <= COMPOUNDS - 24 * 6 else 6
            for plot in divide(community, count, random):
                number += 1
                # A compound does not fill its plot: streets run between.
                plot = scale(plot, 0.82, 0.82, origin=plot.representative_point())
                areas.append(DemoArea(f"{community_path}/C{number:05d}", next(names), "compound", ring(plot)))
    return areas


def rough_outline(random: np.random.Generator) -> Polygon:
    """Return a district-sized outline (about 12 km across) with an uneven border."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    waves = sum(random.normal(0, 0.35 / n**1.3) * np.sin(n * angles + random.uniform(0, 6.28)) for n in range(1, 14))
    radius = 0.055 * (1 + 0.55 * np.clip(waves, -0.8, 0.8))
    return Polygon(np.column_stack([CENTRE[0] + 1.25 * radius * np.cos(angles), CENTRE[1] + radius * np.sin(angles)]))


def divide(whole: Polygon, parts: int, random: np.random.Generator) -> list[Polygon]:
    """Cut `whole` into about equal parts: Voronoi cells of points that Lloyd's steps spread out."""
    sites = [random_point(whole, random) for _ in range(parts)]
    for _ in range(8):
        cells = voronoi_polygons(MultiPoint(sites), extend_to=whole.envelope.buffer(0.05), ordered=True)
        pieces = [biggest(cell.intersection(whole)) for cell in cells.geoms]
        sites = [
            piece.representative_point() if not piece.contains(piece.centroid) else piece.centroid for piece in pieces
        ]
    return pieces


def random_point(whole: Polygon, random: np.random.Generator) -> Point:
    """Return a point inside `whole`."""
    west, south, east, north = whole.bounds
    while True:
        point = Point(random.uniform(west, east), random.uniform(south, north))
        if whole.contains(point):
            return point


def biggest(shape: Polygon) -> Polygon:
    """Return the largest polygon of what an intersection left."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    return unary_union([max(parts, key=lambda part: part.area)])


def ring(shape: Polygon) -> list[tuple[float, float]]:
    """Return the closed outer ring as [lon, lat] rounded to a decimetre."""
    return [(round(x, 6), round(y, 6)) for x, y in shape.exterior.coords]

"""Boundaries from a GeoJSON file: every fault is told, nothing is half done, the datum is converted once."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from backend.identity import Area, boundaries
from backend.identity.commands import import_boundaries
from backend.identity.datum import gcj02_to_bd09, to_wgs84, wgs84_to_gcj02
from backend.protection import audit
from tests.district import DISTRICT, EAST, EAST_ONE, WEST, District

LON, LAT = 120.10, 30.27


def square(west: float, south: float, size: float = 0.01, steps: int = 1) -> list[list[float]]:
    """Return a closed ring; with `steps` each side has needless corners."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    ring = []
    for (x0, y0), (x1, y1) in pairwise(corners):
        ring += [
            [west + size * (x0 + (x1 - x0) * i / steps), south + size * (y0 + (y1 - y0) * i / steps)]
            for i in range(steps)
        ]
    return [*ring, ring[0]]


def feature(code: Any, rings: Any, kind: str = "Polygon", name: str = "code") -> dict[str, Any]:
    """Return a GeoJSON feature."""
    return {"type": "Feature", "properties": {name: code}, "geometry": {"type": kind, "coordinates": rings}}


@pytest.fixture
def load(district: District, tmp_path: Path) -> Callable[..., Result]:
    """Return what runs the command on features."""

    def run(features: Any, *options: str) -> Result:
        file = tmp_path / "boundaries.geojson"
        content = (
            features if isinstance(features, str) else json.dumps({"type": "FeatureCollection", "features": features})
        )
        file.write_text(content, encoding="utf-8")
        if "--datum" not in options:
            options = (*options, "--datum", "wgs84")
        return CliRunner().invoke(import_boundaries, [str(file), *options])

    return run


def drawn(path: str) -> Any:
    """Return the stored shape of an area, None when there is none."""
    boundary = Area.objects(path=path).get().boundary
    return shape(boundary) if boundary else None


def test_boundaries_are_matched_simplified_and_recorded(load):
    hole = square(LON + 0.004, LAT + 0.004, 0.002)
    islands = [[square(LON, LAT, 0.004)], [square(LON + 0.006, LAT, 0.003)]]
    done = load(
        [
            feature("33", [square(LON, LAT, 0.02, steps=50), hole], name="adcode"),
            feature(331, islands, "MultiPolygon", name="adcode"),
        ],
        "--code-property",
        "adcode",
    )
    assert done.exit_code == 0, done.output
    assert "已写入 2 个边界" in done.output
    assert len(drawn(DISTRICT).exterior.coords) == 5, "needless corners are gone"
    assert len(drawn(DISTRICT).interiors) == 1
    assert drawn(EAST).geom_type == "MultiPolygon" and len(drawn(EAST).geoms) == 2
    [entry] = audit.history("area", str(Area.objects(path=EAST).get().id), limit=5)
    assert entry.action == "platform.area.change"
    assert entry.detail == {"fields": ["boundary"], "file": "boundaries.geojson", "datum": "wgs84"}
    again = load([feature("33", [square(LON, LAT, 0.02, steps=50), hole])])
    assert "已写入 0 个边界，1 个没有变化" in again.output


def test_every_bad_feature_is_told_and_nothing_is_written(load):
    Area.objects(path=WEST).update(set__active=False)
    bow = [[LON, LAT], [LON + 0.01, LAT + 0.01], [LON + 0.01, LAT], [LON, LAT + 0.012], [LON, LAT]]
    bad = {
        "没有属性 code": feature(None, [square(LON, LAT)]),
        "平台中没有这个编码的区域": feature("999", [square(LON, LAT)]),
        "区域已停用": feature("332", [square(LON, LAT)]),
        "编码在文件中出现 2 次": feature("33101", [square(LON, LAT)]),
        "几何类型应为 Polygon 或 MultiPolygon，实为 Point": feature("33102", [LON, LAT], "Point"),
    }
    features = [feature("33", [square(LON, LAT, 0.02)]), *bad.values(), feature("33101", [square(LON, LAT)])]
    failed = load(features)
    assert failed.exit_code == 1
    for number, reason in enumerate(bad, 2):
        [line] = [line for line in failed.output.splitlines() if line.startswith(f"第 {number} 个要素")]
        assert line.endswith(reason)
    assert "没有写入任何边界" in failed.output
    assert drawn(DISTRICT) is None

    assert load(features, "--skip-bad", "--dry-run").exit_code == 1
    assert drawn(DISTRICT) is None
    assert "已写入 1 个边界" in load(features, "--skip-bad").output
    assert drawn(DISTRICT) is not None

    for geometry, reason in (
        ([[[LAT, LON], [LAT, LON + 0.01], [LAT + 0.01, LON], [LAT, LON]]], "经纬度顺序颠倒"),
        (
            [[[40512345.0, 3351234.0], [40512445.0, 3351234.0], [40512445.0, 3351334.0], [40512345.0, 3351234.0]]],
            "投影坐标",
        ),
        ([square(2.0, 48.0)], "坐标不在中国范围内"),
        ([[[LON, LAT], [LON, LAT], [LON, LAT], [LON, LAT]]], "面积为零"),
        ([[[LON, None], [LON, LAT], [LON, LAT]]], "坐标"),
        ([], "坐标为空"),
        ([bow], "无法可靠修复"),
    ):
        assert reason in load([feature("331", geometry)]).output
    assert drawn(EAST) is None


def test_a_small_crossing_is_repaired_and_what_lies_outside_is_told(load):
    spike = [
        *square(LON, LAT)[:2],
        [LON + 0.01, LAT + 0.01],
        [LON - 0.0001, LAT + 0.01],
        [LON + 0.0001, LAT + 0.0101],
        [LON, LAT],
    ]
    done = load([feature("33", [square(LON - 0.001, LAT - 0.001, 0.02)]), feature("331", [spike])])
    assert done.exit_code == 0 and "已修复" in done.output
    assert drawn(EAST).is_valid
    done = load(
        [feature("33101", [square(LON + 0.006, LAT, 0.01)]), feature("33102", [square(LON + 0.007, LAT, 0.01)])]
    )
    assert "只有 40% 位于上级区域内" in done.output
    assert "与 二社区 重叠 90%" in done.output
    assert drawn(EAST_ONE) is not None, "a note keeps nothing out"


def test_a_change_in_between_leaves_everything_as_it_was(load, monkeypatch):
    def meanwhile(examined: Any) -> None:
        Area.objects(path=WEST).update(inc__version=1)

    monkeypatch.setattr(boundaries, "compare", meanwhile)
    failed = load([feature("331", [square(LON, LAT)]), feature("332", [square(LON + 0.02, LAT)])])
    assert failed.exit_code == 1 and "请重试" in failed.output
    assert drawn(EAST) is None and drawn(WEST) is None


def test_neighbours_keep_their_common_border(load):
    shared = [[LON + 0.01 + (0.000005 if i % 2 else 0), LAT + i * 0.0005] for i in range(41)]
    east = [*shared, [LON + 0.02, LAT + 0.02], [LON + 0.02, LAT], shared[0]]
    west = [*shared, [LON, LAT + 0.02], [LON, LAT], shared[0]]
    assert load([feature("331", [west]), feature("332", [east])]).exit_code == 0
    one, other = drawn(EAST), drawn(WEST)
    assert len(one.exterior.coords) < 12
    assert one.intersection(other).area == 0
    assert one.union(other).geom_type == "Polygon" and not one.union(other).interiors


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "不是有效的 JSON"), ("[]", "不是 GeoJSON"), ('{"type":"FeatureCollection","features":[]}', "没有要素"),
     ('{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:4549"}},"features":[{}]}', "坐标系不是经纬度"),
     ('{"type":"FeatureCollection","features":[null]}', "没有属性 code")],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_in_words(load, text, reason):
    failed = load(text)
    assert failed.exit_code == 1 and reason in failed.output
    assert not isinstance(failed.exception, AttributeError | KeyError)


def test_the_datum_must_be_said_and_is_converted_once(load):
    ring = np.array(square(LON, LAT))
    shifted = {"cgcs2000": ring, "gcj02": np.column_stack(wgs84_to_gcj02(*ring.T))}
    shifted["bd09"] = np.column_stack(gcj02_to_bd09(*shifted["gcj02"].T))
    for datum, corners in shifted.items():
        assert load([feature("331", [corners.tolist()])], "--datum", datum).exit_code == 0
        assert drawn(EAST).symmetric_difference(shape({"type": "Polygon", "coordinates": [ring.tolist()]})).area < 1e-8
    assert CliRunner().invoke(import_boundaries, [__file__]).exit_code == 2


@given(lon=st.floats(73.5, 135), lat=st.floats(18, 53.5))
def test_datums_are_undone_to_a_millimetre(lon, lat):
    there = np.array([lon]), np.array([lat])
    gcj = wgs84_to_gcj02(*there)
    for back in (to_wgs84(*gcj, "gcj02"), to_wgs84(*gcj02_to_bd09(*gcj), "bd09")):
        assert np.allclose(back, there, rtol=0, atol=1e-8)


def test_the_shift_at_hangzhou_is_the_measured_one():
    lon, lat = wgs84_to_gcj02(np.array([120.155]), np.array([30.274]))
    metres = (lon[0] - 120.155) * 96_130, (lat[0] - 30.274) * 110_860
    assert metres == pytest.approx((453, -258), abs=5)

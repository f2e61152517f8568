"""Registers of the fictional district: 14 companies, 160 compounds, 400 drop-off points, 60 stations, 300 devices."""

from __future__ import annotations

import io
import random
import secrets
from typing import Any

from PIL import Image, ImageDraw
from shapely import Point, Polygon

from backend.plugin_api import DemoArea, DemoDistrict, Resource, district_of, import_rows, put_blob
from plugins.base_info.models import DEVICE_STATES
from plugins.base_info.service import COMPOUNDS, DEVICES, DROP_OFF_POINTS, PROPERTY_COMPANIES, STATIONS

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = ("芳", "伟", "秀英", "建国", "敏", "静", "磊", "军", "洋", "勇", "艳", "杰", "丽华", "志强", "晓东", "雪梅")
COMPANY_STEMS = (
    *("清和", "云栖", "绿荫", "安居", "恒信", "佳园", "众安"),
    *("宁静", "万家", "东方", "和美", "银泰", "瑞祥", "新城"),
)
DEVICE_MODELS = {
    "camera": ("视频监控", "QX-CAM4", 150),
    "loudspeaker": ("智能喊话", "QX-SPK2", 50),
    "fence": ("电子围栏", "QX-FNC1", 20),
    "smart_bin": ("智能垃圾箱", "QX-BIN3", 60),
    "scale": ("称重设备", "QX-SCL1", 20),
}


def load_registers(district: DemoDistrict) -> None:
    """Add all registers through the import that people use."""
    chance = random.Random(district.seed)  # noqa: S311 - a fictional district, not a secret
    companies = demo_companies(district, chance)
    compounds = [demo_compound(area, chance, companies) for area in district.of_level("compound")]
    plots = {area.path.rsplit("/", 1)[-1]: area for area in district.of_level("compound")}
    points = demo_points(compounds, plots, chance)
    stations = demo_stations(compounds, plots, chance)
    devices = demo_devices(points, stations, chance, keep_sign(district))
    for resource, rows in (
        (PROPERTY_COMPANIES, companies),
        (COMPOUNDS, compounds),
        (DROP_OFF_POINTS, points),
        (STATIONS, stations),
        (DEVICES, devices),
    ):
        add(resource, district, rows)


def add(resource: Resource, district: DemoDistrict, rows: list[dict[str, Any]]) -> None:
    """Import the rows; what an earlier, interrupted start has added already is left as it is."""
    numbered = list(enumerate(rows, 2))
    report = import_rows(resource, district.by, numbered, mode="good", update=False)
    district.tell(f"{resource.title}：{report.added}")


def person(chance: random.Random) -> dict[str, str]:
    """Return a made-up contact."""
    name = chance.choice(SURNAMES) + chance.choice(GIVEN)
    return {"contact_name": name, "contact_phone": f"199{chance.randrange(10**8):08d}"}


def inside(area: DemoArea, chance: random.Random) -> dict[str, float]:
    """Return a place inside the area's boundary."""
    shape = Polygon(area.boundary)
    west, south, east, north = shape.bounds
    while True:
        lon, lat = chance.uniform(west, east), chance.uniform(south, north)
        if shape.contains(Point(lon, lat)):
            return {"longitude": round(lon, 6), "latitude": round(lat, 6)}


def demo_companies(district: DemoDistrict, chance: random.Random) -> list[dict[str, Any]]:
    """Return the property companies."""
    code = district.of_level("district")[0].path
    return [
        {"code": f"P{n:03d}", "name": f"{stem}物业服务有限公司", "area_code": code, **person(chance)}
        for n, stem in enumerate(COMPANY_STEMS, 1)
    ]


def demo_compound(area: DemoArea, chance: random.Random, companies: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the compound that fills an area."""
    households = chance.randrange(120, 2200)
    community, code = area.path.rsplit("/", 2)[-2:]
    return {
        "code": code,
        "name": area.name,
        "area_code": community,
        "address": f"{chance.choice(('文澜', '云桥', '松溪', '澄江', '学院', '丰潭'))}路 {chance.randrange(1, 400)} 号",
        "property_company": chance.choice(companies)["code"],
        "households": households,
        "residents": int(households * chance.uniform(2.1, 3.2)),
        **centre(area),
        **person(chance),
    }


def centre(area: DemoArea) -> dict[str, float]:
    """Return the middle of an area."""
    middle = Polygon(area.boundary).representative_point()
    return {"longitude": round(middle.x, 6), "latitude": round(middle.y, 6)}


def demo_points(
    compounds: list[dict[str, Any]], plots: dict[str, DemoArea], chance: random.Random
) -> list[dict[str, Any]]:
    """Return 400 drop-off points, two or three in each compound."""
    rows = []
    for n in range(400):
        compound = compounds[n % len(compounds)]
        number = n // len(compounds) + 1
        rows.append(
            {
                "code": f"T{n + 1:04d}",
                "name": f"{compound['name']} {number} 号投放点",
                "area_code": compound["code"],
                "property_company": compound["property_company"],
                "streams": ["food", "residual"] if number > 1 else ["recyclable", "hazardous", "food", "residual"],
                "opening_hours": "6:30-8:30，18:00-20:30",
                **inside(plots[compound["code"]], chance),
                **person(chance),
            }
        )
    return rows


def demo_stations(
    compounds: list[dict[str, Any]], plots: dict[str, DemoArea], chance: random.Random
) -> list[dict[str, Any]]:
    """Return 60 stations in compounds spread over the district."""
    rows = []
    for n, compound in enumerate(chance.sample(compounds, 60), 1):
        rows.append(
            {
                "code": f"Z{n:04d}",
                "name": f"{compound['name']}垃圾房",
                "area_code": compound["code"],
                "property_company": compound["property_company"],
                "capacity_kg": float(chance.randrange(800, 4000, 100)),
                **inside(plots[compound["code"]], chance),
                **person(chance),
            }
        )
    return rows


def demo_devices(
    points: list[dict[str, Any]], stations: list[dict[str, Any]], chance: random.Random, sign: str
) -> list[dict[str, Any]]:
    """Return 300 devices at drop-off points and stations; about one in twelve is not running.

    Five of six cameras have their legal record, with the photo `sign`; without it what they see is only a lead.
    """
    kinds = [kind for kind, (_, _, count) in DEVICE_MODELS.items() for _ in range(count)]
    places = points[: len(kinds) - len(stations)] + stations
    rows = []
    for n, (kind, place) in enumerate(zip(kinds, chance.sample(places, len(kinds)), strict=True), 1):
        title, model, _ = DEVICE_MODELS[kind]
        state = "running" if chance.random() < 0.92 else chance.choice([s for s in DEVICE_STATES if s != "running"])
        rows.append(
            {
                "code": f"D{n:04d}",
                "name": f"{place['name']}{title}",
                "kind": kind,
                "model": model,
                "state": state,
                "point": place["code"],
                "longitude": place["longitude"],
                "latitude": place["latitude"],
                "installed_on": f"2025-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
                "signing_key": secrets.token_hex(32),
                **(legal_record(sign) if kind == "camera" and n % 6 else {}),
            }
        )
    return rows


def legal_record(sign: str) -> dict[str, str]:
    """Return what a camera's pictures rest on as evidence, of this fictional district."""
    return {
        "review_document": "清法审〔2026〕12 号",
        "reviewed_on": "2026-03-18",
        "standard": "GB/T 28181-2022",
        "sign_photo": sign,
        "publication": "https://www.example.gov.cn/cameras",
    }


def keep_sign(district: DemoDistrict) -> str:
    """Keep a drawn picture of the sign that tells people of a camera; returns its hash."""
    picture = Image.new("RGB", (480, 320), "#0b4ea2")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((16, 16, 463, 303), outline="white", width=6)
    draw.rectangle((130, 110, 290, 200), fill="white")
    draw.polygon([(290, 140), (350, 105), (350, 205), (290, 170)], fill="white")
    file = io.BytesIO()
    picture.save(file, "PNG")
    [root] = district.of_level("district")
    blob = put_blob(file.getvalue(), media_type="image/png", space=district_of(root.path))
    return blob.sha256

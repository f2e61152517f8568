"""What the map of the fake platform shows beside its points: figures by area, heat, vehicles, records, cards, tiles."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask, Response

from backend.plugin_api.maps import (
    AreaValues,
    CardLine,
    CardPart,
    CardPerson,
    CardPicture,
    CardSection,
    MapLayer,
    MapRecord,
    Point,
    Subject,
)
from backend.plugin_api.panels import View
from dash_cockpit import CockpitSources, Owned, mount, warm
from dash_cockpit.tiles import TileService
from tests.cockpit import fake

VEHICLES = 300
THEME = "vehicles"


@dataclass
class World:
    """What is going on: how often things were asked for, whose number was looked at, what breaks."""

    reads: dict[str, int] = field(default_factory=dict)
    looks: list[tuple[str, str, str]] = field(default_factory=list)
    heap: int = 0
    fleet: int = VEHICLES
    stray: bool = False
    undrawn: bool = False
    broken_part: bool = False
    tiles: TileService = field(default_factory=TileService)

    def count(self, name: str) -> None:
        """Count a read."""
        self.reads[name] = self.reads.get(name, 0) + 1

    def vehicles(self, view: View) -> list[Point]:
        """Return the vehicles on circles, each where it is now."""
        self.count("vehicles")
        now = time.time()
        (lon, lat), points = fake.spread(fake.HOME, 1, 1)[0], []
        for n in range(self.fleet):
            angle = now / 40 + n * 2.4
            reach = 0.004 + 0.045 * (n / VEHICLES)
            points.append(
                Point(
                    f"V{n}",
                    lon + reach * math.cos(angle),
                    lat + reach * 0.8 * math.sin(angle),
                    f"浙A{10000 + n}",
                    "收运车辆",
                    ("food", "residual", "recyclable", "hazardous")[n % 4],
                    heading=(360 - math.degrees(angle)) % 360,
                )
            )
        return points

    def points(self, view: View) -> list[Point]:
        """Return the drop-off points, on request thousands more on one spot and one far away."""
        found = [replace(point, key=f"{path}!{point.key}") for path, point in fake.POINTS if fake.inside(path, view)]
        first = found[0]
        found += [replace(first, key=f"{first.key}#{n}", label=f"同点 {n}") for n in range(self.heap)]
        if self.stray:
            found.append(Point("stray", 87.6, 43.8, "误标点", "投放点"))
        return found


def by_area(factor: int) -> Any:
    """Return figures of the areas below that differ."""
    return lambda view: AreaValues(
        {each.path: factor * (n * 37 % 23) for n, each in enumerate(fake.children(view)) if n % 7 != 5}, "起"
    )


def subject(kind: str, path: str, point: Point) -> Subject:
    """Return a point as the subject of a card."""
    note = " ".join(fake.names(path)[1:3])
    return Subject(
        key=point.key, title=point.label, kind=kind, area=path, lon=point.lon, lat=point.lat, tone=point.tone, note=note
    )


def find_points(view: View, words: str, limit: int) -> Sequence[Subject]:
    """Return the drop-off points whose name holds the words."""
    found = [
        subject("投放点", path, replace(point, key=f"{path}!{point.key}"))
        for path, point in fake.POINTS
        if words in point.label and fake.inside(path, view)
    ]
    return found[:limit]


def read_point(view: View, key: str) -> Subject | None:
    """Return a drop-off point by the key of its layer."""
    path, _, name = key.partition("!")
    name = name.partition("#")[0]
    found = [each for at, each in fake.POINTS if at == path and each.key == name]
    return subject("投放点", path, replace(found[0], key=key)) if found and fake.inside(path, view) else None


def furnish(sources: CockpitSources, world: World, platform: fake.Platform) -> CockpitSources:
    """Return the sources with a theme whose map has all that a map may have."""

    def read_violation(view: View, key: str) -> Subject | None:
        found = next((each for each in platform.violations if each.key == key), None)
        return subject("违规", platform.areas[key], found) if found and fake.inside(platform.areas[key], view) else None

    def facts(view: View, about: Subject) -> CardSection:
        world.count("facts")
        return CardSection(
            facts=[("地址", "文澜路 8 号"), ("物业", "清和物业服务有限公司"), ("备注", "")],
            people=[CardPerson("王*", "物业联系人", "138****5678", "contact")],
            links=[("台账", "/base_info"), ("外站", "https://example.com")],
        )

    def happened(view: View, about: Subject) -> CardSection | None:
        if world.broken_part:
            raise ValueError("The vendor made a mistake.")
        near = platform.violations[:3]
        lines = [CardLine(each.kind, each.at, "待派单", each.tone, "evidence.violation", each.key) for each in near]
        return CardSection(
            pictures=[CardPicture("/photos/masked.svg", "已遮盖"), CardPicture("https://example.com/x.png")],
            lines=lines,
            more=4,
        )

    def dial(person: Any, about: Subject, key: str) -> str:
        world.looks.append((person.name, about.key, key))
        return "13812345678"

    def layer(name: str, title: str, show: Any, order: int, **look: Any) -> Owned[MapLayer]:
        permission = look.pop("permission", "base_info:view")
        plugin = name.partition(".")[0]
        return Owned(
            plugin,
            MapLayer(name=name, title=title, theme=THEME, permission=permission, show=show, order=order, **look),
        )

    def live(view: View) -> list[Point]:
        return [point for point in platform.violations if fake.inside(platform.areas[point.key], view)]

    def heat(view: View) -> list[Point]:
        return [replace(point, weight=1 + len(path) % 3) for path, point in fake.POINTS if fake.inside(path, view)]

    part = {"permission": "base_info:view", "order": 10}
    return replace(
        sources,
        areas=lambda path, depth: [
            replace(each, boundary=None if world.undrawn else each.boundary) for each in sources.areas(path, depth)
        ],
        map_layers=[
            *sources.map_layers,
            layer("base_info.w_points", "投放点", world.points, 10, record="base_info.point"),
            layer(
                "evidence.w_live",
                "违规抓拍",
                live,
                20,
                live=True,
                record="evidence.violation",
                permission="evidence:view",
            ),
            layer("base_info.w_vehicles", "收运车辆", world.vehicles, 30, style="points", moving=True),
            layer("base_info.w_count", "违规数", by_area(3), 40, style="areas"),
            layer("base_info.w_other", "投放量", by_area(12345), 50, style="areas"),
            layer("base_info.w_heat", "热力", heat, 60, style="heat", hidden=True),
        ],
        map_records=[
            Owned(
                "base_info",
                MapRecord(
                    name="base_info.point",
                    title="投放点",
                    permission="base_info:view",
                    read=read_point,
                    find=find_points,
                ),
            ),
            Owned(
                "evidence",
                MapRecord(name="evidence.violation", title="违规", permission="evidence:view", read=read_violation),
            ),
        ],
        card_parts=[
            Owned(
                "base_info",
                CardPart(
                    name="base_info.facts",
                    title="基本信息",
                    show=facts,
                    dial=dial,
                    dial_permission="base_info:dial",
                    **part,
                ),
            ),
            Owned(
                "evidence",
                CardPart(
                    name="evidence.near", title="近 30 日违规", permission="evidence:view", show=happened, order=20
                ),
            ),
            Owned("odd", CardPart(name="odd.none", title="无话可说", show=lambda view, about: None, **part)),
        ],
        tiles=world.tiles,
    )


def application(platform: fake.Platform, world: World, *, patience_seconds: float = 2.5) -> Flask:
    """Return a Flask app with the cockpit of the furnished platform, warmed."""
    app = Flask("world")
    mount(app, furnish(fake.build(platform), world, platform), patience_seconds=patience_seconds)
    app.add_url_rule("/photos/masked.svg", view_func=lambda: Response(fake.PHOTO, mimetype="image/svg+xml"))
    warm(app)
    return app

"""All that base_info adds to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    Blueprint,
    CardPart,
    CompoundFacts,
    DemoDistrict,
    DeviceFacts,
    EventKind,
    MapLayer,
    MapRecord,
    MenuEntry,
    Metric,
    Panel,
    Permission,
    PlaceFacts,
    Record,
    hookimpl,
)
from plugins.base_info import cards, demo, panels, routes, service
from plugins.base_info.service import RESOURCES

OFFICES = ("district_staff", "street_staff", "community_staff")


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Say who may see and keep the registers."""
    watching = ("property_staff", "supervisor", "enforcement_officer", "collection_staff", "recycling_staff")
    return [
        Permission("base_info:view", "查看基础信息", (*OFFICES, *watching)),
        Permission("base_info:edit", "新增和修改基础信息", OFFICES),
        Permission("base_info:import", "导入基础信息", ("district_staff", "street_staff")),
        Permission("base_info:export", "导出基础信息", OFFICES),
        Permission("base_info:reveal", "查看完整联系方式", OFFICES),
    ]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return the five registers."""
    return [resource.document for resource in RESOURCES]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Give each register the same routes, and devices a key."""
    return list(routes.BLUEPRINTS.values())


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell other modules what happens in the registers."""
    told = {"created": "新增", "changed": "修改", "disabled": "停用", "enabled": "启用", "imported": "导入"}
    kinds = [
        EventKind(
            name=f"{resource.noun}.{verb}",
            title=f"{resource.title}{title}",
            payload="added, changed" if verb == "imported" else "id, code",
        )
        for resource in RESOURCES
        for verb, title in told.items()
    ]
    return [*kinds, EventKind(name="compound.moved", title="小区变更所属社区", payload="from, to")]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Show the way to the registers."""
    return [
        MenuEntry(
            name="base_info.cockpit",
            title="基础业务信息",
            permission="base_info:view",
            href="/cockpit/?theme=base_info",
            order=60,
        )
    ]


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Count the registers."""
    return panels.METRICS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Show the registers on the cockpit."""
    return panels.PANELS


@hookimpl
def register_map_layers() -> Sequence[MapLayer]:
    """Show where things are."""
    return panels.LAYERS


@hookimpl
def register_map_records() -> Sequence[MapRecord]:
    """Let people find the registers' records on the map."""
    return cards.RECORDS


@hookimpl
def register_card_parts() -> Sequence[CardPart]:
    """Say what the registers know, and whom to call, on every card."""
    return cards.PARTS


@hookimpl
def load_demo(district: DemoDistrict) -> None:
    """Fill the registers of the fictional district."""
    demo.load_registers(district)


@hookimpl
def find_device(code: str) -> DeviceFacts | None:
    """Answer for the devices of the register."""
    return service.device_facts(code)


@hookimpl
def find_compound(code: str) -> CompoundFacts | None:
    """Answer for the compounds of the register."""
    return service.compound_facts(code)


@hookimpl
def find_place(code: str) -> PlaceFacts | None:
    """Answer for drop-off points and stations."""
    return service.place_facts(code)


@hookimpl
def find_place_near(longitude: float, latitude: float, metres: float) -> PlaceFacts | None:
    """Answer for drop-off points and stations."""
    return service.nearest_place(longitude, latitude, metres)

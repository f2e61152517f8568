"""Make the fictional district: areas, the records of every plugin, and accounts of every type."""

from __future__ import annotations

from collections.abc import Callable

from bson import ObjectId

from backend.demo.district import draw_district
from backend.identity import HeldGrant, Organisation, Principal, keep_areas, known_permissions
from backend.identity.demo import DemoAccount, create_demo_accounts
from backend.plugin_api.demo import DemoArea, DemoDistrict
from backend.plugin_api.registry import Registry
from backend.settings import Settings
from backend.storage import database, utcnow

SEED = 20261122
MARK = {"_id": "demo"}


class DemoFailed(Exception):
    """A plugin could not write its demo records; the message names it."""


def make_demo(settings: Settings, registry: Registry, tell: Callable[[str], None]) -> list[DemoAccount]:
    """Make what is missing of the demo and return its accounts; once it is complete, nothing is written again."""
    areas = draw_district(SEED)
    if database()["platform_facts"].find_one(MARK) is None:
        tell("Drawing the district 清序区")
        keep_areas({area.path: area.name for area in areas}, boundaries={area.path: outline(area) for area in areas})
        district = DemoDistrict(seed=SEED, areas=areas, by=founder(), data_dir=settings.data_dir, tell=tell)
        if failed := registry.tell("load_demo", district=district):
            raise DemoFailed(f"The demo records of {', '.join(failed)} could not be written.")
    accounts = create_demo_accounts(places(areas), employers())
    database()["platform_facts"].update_one(MARK, {"$setOnInsert": {"made_at": utcnow()}}, upsert=True)
    return accounts


def founder() -> Principal:
    """Return who writes the demo records: nobody's account, with every permission everywhere."""
    everything = frozenset(permission.name for permission in known_permissions())
    return Principal(
        id=ObjectId(),
        account="demo",
        name="演示数据",
        user_type="administrator",
        area="",
        organisation=None,
        grants=(HeldGrant(everything, ""),),
    )


def outline(area: DemoArea) -> dict[str, object]:
    """Return the boundary as GeoJSON."""
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in area.boundary]]}


def places(areas: list[DemoArea]) -> dict[str, str]:
    """Return one area of each level, each inside the one before."""
    chosen: dict[str, str] = {}
    for area in areas:
        chosen.setdefault(area.level, area.path)
    return chosen


def employers() -> dict[str, ObjectId]:
    """Return the organisations that plugins made, one of each kind, for the accounts to belong to."""
    rows = Organisation._get_collection().find({}, {"kind": 1}).sort("_id", -1)
    return {row["kind"]: row["_id"] for row in rows}

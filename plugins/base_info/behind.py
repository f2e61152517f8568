"""The base records behind a figure of the cockpit, as a list: without people and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.plugin_api import Row, Rows, View, area_names
from plugins.base_info.models import (
    DEVICE_KINDS,
    DEVICE_STATES,
    STATE_TONES,
    STREAMS,
    BaseRecord,
    Compound,
    Device,
    DropOffPoint,
    Station,
)

#: One more than the cockpit shows tells that there are more.
MOST_ROWS = 201
#: What one register shows of a record besides code, name and area: a head and how it is told.
Column = tuple[str, Callable[[Mapping[str, Any]], str]]
REGISTERS: Mapping[str, tuple[type[BaseRecord], tuple[Column, ...]]] = {
    "compounds": (Compound, (("住户", lambda row: f"{row.get('households') or 0:,} 户"),)),
    "drop_off_points": (
        DropOffPoint,
        (
            ("类别", lambda row: "、".join(STREAMS[each] for each in row.get("streams", ())) or "—"),
            ("开放时间", lambda row: row.get("opening_hours") or "—"),
        ),
    ),
    "stations": (
        Station,
        (("容量", lambda row: f"{row['capacity_kg']:g} 千克" if row.get("capacity_kg") is not None else "—"),),
    ),
    "devices": (
        Device,
        (("类型", lambda row: DEVICE_KINDS[row["kind"]]), ("状态", lambda row: DEVICE_STATES[row["state"]])),
    ),
}


def behind_headline(view: View, key: str) -> Rows:
    """Return the register that a headline figure counts."""
    if key == "running":
        return listed(view, "devices", {"state": "running"})
    return listed(view, key if key in REGISTERS else "compounds")


def behind_device_kind(view: View, key: str) -> Rows:
    """Return the devices of a kind."""
    return listed(view, "devices", {"kind": key} if key else {})


def behind_device_state(view: View, key: str) -> Rows:
    """Return the devices in a running state."""
    return listed(view, "devices", {"state": key} if key else {})


def behind_devices_down(view: View, key: str) -> Rows:
    """Return the devices that do not run."""
    return listed(view, "devices", {"state": {"$in": ["faulty", "offline", "maintenance"]}})


def behind_compounds(view: View, key: str) -> Rows:
    """Return the compounds of an area below."""
    return listed(view, "compounds", of_area(key))


def behind_points(view: View, key: str) -> Rows:
    """Return the drop-off points of an area below."""
    return listed(view, "drop_off_points", of_area(key))


def of_area(path: str) -> dict[str, Any]:
    """Return the filter of everything in an area, of anything for none."""
    return {"area": {"$gte": path, "$lt": f"{path}0"}} if path else {}


def listed(view: View, register: str, narrowed: Mapping[str, Any] | None = None) -> Rows:
    """Return the active records of a register, those that changed last at the top."""
    document, columns = REGISTERS[register]
    query = {"$and": [dict(view.scope), {"active": True}, *([dict(narrowed)] if narrowed else [])]}
    found = document._get_collection().find(query).sort("updated_at", -1).limit(MOST_ROWS)
    rows = list(found.batch_size(MOST_ROWS + 1))
    names = area_names({row["area"] for row in rows})
    return Rows(
        columns=("名称", "编号", "所在区域", *(head for head, _ in columns), "地址"),
        rows=[
            Row(
                texts=(
                    row["name"],
                    row["code"],
                    names.get(row["area"], "—"),
                    *(tell(row) for _, tell in columns),
                    row.get("address") or "—",
                ),
                place=place_of(row),
                tone=STATE_TONES[row["state"]] if register == "devices" else "plain",
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def place_of(row: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return WGS-84 degrees, or None when the place is not known."""
    coordinates = (row.get("place") or {}).get("coordinates")
    return (coordinates[0], coordinates[1]) if coordinates else None

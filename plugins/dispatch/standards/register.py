"""The register of standards: searched, changed, exported and imported like any base record, with its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate

from backend.plugin_api import (
    AreaCode,
    Choice,
    Choices,
    Code,
    Contains,
    Equals,
    RecordSchema,
    Resource,
    Text,
    area_paths,
    district_of,
    home_of,
    principal_or_none,
    resource_blueprint,
)
from plugins.dispatch.defaults import begin_with
from plugins.dispatch.standards.models import PROOFS, UNITS, OrderStandard

HOUR, DAY, WORKING_DAY = 60, 24 * 60, 8 * 60
LONGEST = 200_000
PHOTOS = ["before_photo", "after_photo"]
#: What counts for a kind that no standard is kept for.
GENERAL = "G00"

#: Code, title, first response and handling (minutes), unit, proof. The codes are those of the alerts' catalogue.
_ROWS: tuple[tuple[str, str, int, int, str, list[str]], ...] = (
    (GENERAL, "其他问题", 2 * HOUR, WORKING_DAY, "working", ["after_photo"]),
    ("E01", "冒烟冒火", 5, HOUR, "clock", [*PHOTOS, "place"]),
    ("E02", "满溢", 30, 2 * HOUR, "clock", PHOTOS),
    ("E03", "包外垃圾（落地）", 30, 2 * HOUR, "clock", PHOTOS),
    ("E04", "混投", 30, WORKING_DAY, "working", ["note"]),
    ("E05", "未破袋", WORKING_DAY, 2 * WORKING_DAY, "working", ["note"]),
    ("E06", "非定时投放", WORKING_DAY, 2 * WORKING_DAY, "working", ["note"]),
    ("E07", "乱堆大件", 2 * HOUR, DAY, "clock", PHOTOS),
    ("E08", "装修（建筑）垃圾乱堆", 2 * HOUR, 2 * DAY, "clock", PHOTOS),
    ("E09", "人员离岗", 15, 4 * HOUR, "clock", ["place", "note"]),
    ("E10", "设备离线", 30, DAY, "clock", ["note"]),
    ("E11", "混收混运", 30, DAY, "clock", ["note"]),
    ("E12", "有害垃圾混入", HOUR, 4 * HOUR, "clock", PHOTOS),
)
DEFAULTS: tuple[dict[str, Any], ...] = tuple(
    {"code": code, "name": name, "respond_minutes": respond, "handle_minutes": handle, "unit": unit, "proof": proof,
     "far_metres": 300}
    for code, name, respond, handle, unit, proof in _ROWS
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Standard:
    """What counts for one order."""

    code: str
    name: str
    respond_minutes: int
    handle_minutes: int
    unit: str
    proof: tuple[str, ...]
    far_metres: int = 300


def standard_for(kind: str, area: str) -> Standard:
    """Return what counts for a kind in a district, in one round trip; for an unknown kind that of other problems."""
    rows = OrderStandard._get_collection().find(
        {"area": district_of(area), "code": {"$in": [kind, GENERAL]}, "active": True}
    )
    known = {row["code"]: row for row in DEFAULTS} | {row["code"]: row for row in rows}
    row = known.get(kind) or known[GENERAL]
    names = ("code", "name", "respond_minutes", "handle_minutes", "unit", "far_metres")
    return Standard(**{name: row[name] for name in names}, proof=tuple(row.get("proof") or ()))


def titles(area: str) -> dict[str, str]:
    """Return the Chinese titles of the kinds that a district knows, by code, in one round trip."""
    query = {"area": district_of(area), "active": True} if area else {"active": True}
    rows = OrderStandard._get_collection().find(query, {"code": 1, "name": 1})
    named = {row["code"]: row["name"] for row in DEFAULTS} | {row["code"]: row["name"] for row in rows}
    return dict(sorted(named.items()))


def minutes(label: str, example: str) -> fields.Integer:
    """Return a field for a limit."""
    check = validate.Range(1, LONGEST)
    return fields.Integer(strict=True, required=True, validate=check, metadata={"label": label, "example": example})


class OrderStandardSchema(RecordSchema):
    """A standard as people keep it."""

    code = Code("类型编码", required=True, example="E02")
    name = Text("类型名称", required=True, longest=40, example="满溢")
    area_code = AreaCode("所属区县编码", required=True, example="330110")
    respond_minutes = minutes("接单时限（分钟）", "30")
    handle_minutes = minutes("处置时限（分钟）", "120")
    unit = Choice("时限单位", UNITS, required=True)
    proof = Choices("回单须有", PROOFS, load_default=list)
    far_metres = fields.Integer(
        strict=True,
        load_default=300,
        validate=validate.Range(10, 10_000),
        metadata={"label": "回单定位允许距离（米）", "example": "300"},
    )


def complete(rows: Sequence[dict[str, Any]]) -> list[Mapping[str, str]]:
    """Put a standard into its district, and check what only the fields together can say."""
    districts = area_paths({row["area_code"] for row in rows if row.get("area_code")}, "district")
    found: list[Mapping[str, str]] = []
    for row in rows:
        faults = {}
        if (path := districts.get(row.get("area_code") or "")) is None:
            faults["area_code"] = "没有这个区县。"
        else:
            row["area"] = path
        if row["handle_minutes"] < row["respond_minutes"]:
            faults["handle_minutes"] = "处置时限不能短于接单时限。"
        found.append(faults)
    return found


STANDARDS = Resource(
    name="order-standards",
    noun="order_standard",
    title="处置标准",
    module="dispatch",
    document=OrderStandard,
    schema=OrderStandardSchema,
    complete=complete,
    filters={
        "q": Contains(("name", "code"), "名称或编码包含"),
        "unit": Equals("unit", "时限单位", choices=tuple(UNITS)),
        "active": Equals("active", "是否启用", boolean=True),
    },
    fixed=("code", "area_code"),
)
blueprint = resource_blueprint(STANDARDS)


@blueprint.before_request
def begin_with_the_default() -> None:
    """Give the person's district its standards before anybody looks at them."""
    by = principal_or_none()
    if by is not None and (home := home_of(by)):
        district = district_of(home)
        if OrderStandard._get_collection().find_one({"area": district}, {"_id": 1}) is None:
            begin_with(OrderStandard, district, DEFAULTS)

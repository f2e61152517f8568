"""Checklists as data: what is looked at, at points of each kind. A district begins with these and goes on alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields, validate
from pymongo.errors import BulkWriteError

from backend.plugin_api import (
    AreaCode,
    Choice,
    Code,
    Contains,
    Equals,
    RecordSchema,
    Text,
    Written,
    after_commit,
    area_paths,
    principal_or_none,
    resource_blueprint,
    utcnow,
)
from plugins.alerts.kinds.catalogue import catalogue, district_for
from plugins.alerts.patrol.models import PatrolItem, id_of
from plugins.alerts.patrol.registers import PatrolRegister
from plugins.alerts.patrol.vocabulary import PHOTO_RULES, POINT_KINDS

#: How long another process may go on with what was so before a change.
STALE_SECONDS = 5.0
#: Kinds of events that a phone offers at a point.
MOST_KINDS = 6

# code, title, kind of point, when a photo is asked for, points deducted, kind of the event that it may be reported as
_ROWS: tuple[tuple[str, str, str, str, float, str], ...] = (
    ("T01", "垃圾桶未满溢", "drop_off_point", "when_bad", 2, "E02"),
    ("T02", "桶外无落地垃圾", "drop_off_point", "when_bad", 2, "E03"),
    ("T03", "分类正确，无混投", "drop_off_point", "when_bad", 2, "E04"),
    ("T04", "桶身、地面干净无异味", "drop_off_point", "when_bad", 1, "E03"),
    ("T05", "标识和公示牌完好", "drop_off_point", "when_bad", 1, ""),
    ("T06", "周边无乱堆大件、装修垃圾", "drop_off_point", "when_bad", 2, "E07"),
    ("T07", "投放时段督导员在岗", "drop_off_point", "never", 1, "E09"),
    ("Z01", "垃圾房内外整洁", "station", "always", 2, "E03"),
    ("Z02", "未满溢，收运及时", "station", "when_bad", 2, "E02"),
    ("Z03", "各类垃圾分开存放", "station", "when_bad", 2, "E04"),
    ("Z04", "有害垃圾单独存放并上锁", "station", "when_bad", 3, "E12"),
    ("Z05", "无冒烟、用火等隐患，消防器材完好", "station", "when_bad", 3, "E01"),
    ("Z06", "设备运行正常", "station", "when_bad", 1, "E10"),
    ("Z07", "装修、大件垃圾堆放在指定区域", "station", "when_bad", 2, "E08"),
)


class PatrolItemSchema(RecordSchema):
    """An item as people keep it."""

    code = Code("检查项编码", required=True, example="T01")
    name = Text("检查项", required=True, longest=60, example="垃圾桶未满溢")
    area_code = AreaCode("所属区县编码", required=True, example="330110")
    point_kind = Choice("点位类型", POINT_KINDS, required=True)
    order = fields.Integer(
        strict=True, load_default=100, validate=validate.Range(0, 1000), metadata={"label": "顺序", "example": "10"}
    )
    photo = Choice("拍照要求", PHOTO_RULES, load_default="when_bad")
    points = fields.Float(load_default=0.0, validate=validate.Range(0, 100), metadata={"label": "扣分", "example": "2"})
    alert_kind = Text("可上报的事件类型编码", longest=32, example="E02")


def complete_item(rows: Sequence[dict[str, Any]]) -> list[Mapping[str, str]]:
    """Put an item into its district, and check the kind of event."""
    districts = area_paths({row["area_code"] for row in rows if row.get("area_code")}, "district")
    found: list[Mapping[str, str]] = []
    for row in rows:
        faults = {}
        if (path := districts.get(row.get("area_code") or "")) is None:
            faults["area_code"] = "没有这个区县。"
        else:
            row["area"] = path
            if row.get("alert_kind") and row["alert_kind"] not in catalogue(path).kinds:
                faults["alert_kind"] = "没有这个事件类型，或已停用。"
        found.append(faults)
    return found


def follow(_written: Written) -> None:
    """Read the checklists anew."""
    forget()


ITEMS = PatrolRegister(
    name="patrol-items",
    noun="patrol_item",
    title="巡检检查项",
    document=PatrolItem,
    schema=PatrolItemSchema,
    complete=complete_item,
    filters={
        "q": Contains(("name", "code"), "名称或编码包含"),
        "point_kind": Equals("point_kind", "点位类型", choices=tuple(POINT_KINDS)),
        "active": Equals("active", "是否启用", boolean=True),
    },
    fixed=("code", "area_code", "point_kind"),
    follow=follow,
)
blueprint = resource_blueprint(ITEMS)


@blueprint.before_request
def begin_with_the_default() -> None:
    """Give the person's district its checklists before anybody looks at them."""
    by = principal_or_none()
    if by is not None:
        items_of(district_for(by))


_known: dict[str, tuple[float, dict[str, dict[str, Any]]]] = {}


def items_of(district: str) -> dict[str, dict[str, Any]]:
    """Return all items of a district by code, those that are no longer in use included; at first the defaults."""
    if not district:
        return {}
    read_at, found = _known.get(district, (0.0, None))
    if found is None or time.monotonic() - read_at > STALE_SECONDS:
        rows = list(PatrolItem._get_collection().find({"area": district}))
        if not rows:
            install(district)
            rows = list(PatrolItem._get_collection().find({"area": district}))
        found = {row["code"]: row for row in sorted(rows, key=lambda row: (row["order"], row["code"]))}
        _known[district] = (time.monotonic(), found)
    return found


def checklist(district: str, kind: str) -> list[dict[str, Any]]:
    """Return what is looked at, at a point of a kind, in order."""
    return [row for row in items_of(district).values() if row["active"] and row["point_kind"] == kind]


def kinds_for(district: str, kind: str) -> list[dict[str, str]]:
    """Return the few kinds of events that are reported from a point of a kind, in the order of its checklist."""
    known = catalogue(district).kinds
    codes = dict.fromkeys(row["alert_kind"] for row in checklist(district, kind) if row.get("alert_kind") in known)
    return [{"code": code, "name": known[code]["name"]} for code in list(codes)[:MOST_KINDS]]


def install(district: str) -> None:
    """Give a district the default checklists; of several processes at once one writes."""
    now = utcnow()
    names = ("code", "name", "point_kind", "photo", "points", "alert_kind")
    own = {"version": 1, "created_at": now, "updated_at": now, "area": district, "area_code": district, "active": True}
    rows = [
        {"_id": id_of("patrol item", district, row[0]), **dict(zip(names, row, strict=True)), "order": number, **own}
        for number, row in enumerate(_ROWS, 1)
    ]
    try:
        PatrolItem._get_collection().insert_many(rows, ordered=False)
    except BulkWriteError as error:
        if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise


DUPLICATE_KEY = 11000


def forget() -> None:
    """Read anew after the current transaction: something was changed here."""
    _known.clear()
    after_commit(_known.clear)

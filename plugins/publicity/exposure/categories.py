"""What may be reported: a catalogue whose radius, wording and alert kind the district may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bson import ObjectId
from mongoengine import BooleanField, IntField, StringField

from backend.plugin_api import Principal, Problem, Record, atomically, audit, require, utcnow

CONFIGURE = "publicity:configure"
#: The grid that finds what is near has cells of this many degrees; no radius may reach beyond the cells next door.
CELL_DEGREES = 0.004
LARGEST_RADIUS = 350


@dataclass(frozen=True, kw_only=True)
class Category:
    """One kind of report: `alert_kind` is what it becomes, empty where a person has to say; `radius` is metres.

    `changed` is 0 for one as it came, else how often the district changed it.
    """

    code: str
    title: str
    description: str
    alert_kind: str
    radius: int
    active: bool = True
    changed: int = 0


def _shipped(code: str, title: str, description: str, alert_kind: str, radius: int) -> Category:
    return Category(code=code, title=title, description=description, alert_kind=alert_kind, radius=radius)


SHIPPED = {
    each.code: each
    for each in (
        _shipped("overflow", "垃圾桶满溢", "桶盖合不上，或垃圾堆到桶外。", "E02", 60),
        _shipped("on_ground", "垃圾落地", "袋装或散落的垃圾放在地上。", "E03", 60),
        _shipped("mixed", "混投垃圾", "不同类别的垃圾投进同一个桶。", "E04", 40),
        _shipped("not_broken", "未破袋投放", "易腐垃圾连袋投放。", "E05", 40),
        _shipped("wrong_time", "误时投放", "不在开放时间投放。", "E06", 40),
        _shipped("bulky", "大件垃圾乱堆", "旧家具等大件放在路边、楼道或绿地。", "E07", 100),
        _shipped("renovation", "装修建筑垃圾乱堆", "装修、建筑垃圾没有放到指定地点。", "E08", 150),
        _shipped("nobody_there", "督导人员离岗", "开放时间内没有人值守。", "E09", 60),
        _shipped("mixed_collection", "混装混运", "收运车把分好类的垃圾混在一起装走。", "E11", 300),
        _shipped("hazardous", "有害垃圾混入", "电池、灯管、药品等混在其他垃圾里。", "E12", 60),
        _shipped("other", "其他问题", "以上没有的，请在说明里写清楚。", "", 40),
    )
}


class CategoryChange(Record):
    """How the district changed a category; its id is made of the code, so two people cannot both be the first."""

    meta = {"collection": "publicity_categories", "indexes": [{"fields": ["code"], "unique": True}]}

    code = StringField(required=True, choices=tuple(SHIPPED))
    title = StringField(required=True, max_length=20)
    description = StringField(required=True, max_length=200)
    alert_kind = StringField(max_length=20)
    radius = IntField(required=True, min_value=0, max_value=LARGEST_RADIUS)
    active = BooleanField(required=True, default=True)


def categories() -> dict[str, Category]:
    """Return all categories by code, in their order, as they stand now; one round trip."""
    names = ("title", "description", "alert_kind", "radius", "active")
    rows = {row["code"]: row for row in CategoryChange._get_collection().find({})}
    return {
        code: Category(
            code=code,
            changed=row["version"],
            **{name: row.get(name, "" if name == "alert_kind" else None) for name in names},
        )
        if (row := rows.get(code))
        else shipped
        for code, shipped in SHIPPED.items()
    }


def category_of(code: str) -> Category:
    """Return a category that may be reported; raises Problem `invalid`."""
    found = categories().get(code)
    if found is None or not found.active:
        raise Problem("invalid", fields={"category": ["没有这个类别，或已停用。"]})
    return found


def etag_of_category(category: Category) -> str:
    """Return what a change has to name."""
    return f"{_id_of(category.code)}-{category.changed}"


def change_category(by: Principal, category: Category, values: Mapping[str, Any]) -> Category:
    """Change a category that was read; raises Forbidden, or Problem `stale_version` when somebody was faster."""
    require(by, CONFIGURE, by.area)
    before = asdict(category)
    kept = {name: values.get(name, before[name]) for name in ("title", "description", "alert_kind", "radius", "active")}
    now = utcnow()
    changes = {name: [before[name], value] for name, value in kept.items() if before[name] != value}

    def write() -> None:
        collection = CategoryChange._get_collection()
        if category.changed:
            found = {"code": category.code, "version": category.changed}
            done = collection.update_one(found, {"$set": {**kept, "updated_at": now}, "$inc": {"version": 1}})
            if not done.modified_count:
                raise Problem("stale_version")
        else:
            fresh = CategoryChange(id=_id_of(category.code), code=category.code, **kept)
            fresh.validate()
            collection.insert_one(dict(fresh.to_mongo()))
        audit.record(
            "publicity.category.change",
            subject="publicity.category",
            subject_id=category.code,
            area=by.area,
            detail=changes,
        )

    atomically(write)
    return categories()[category.code]


def _id_of(code: str) -> ObjectId:
    return ObjectId(code.encode().ljust(12, b".")[:12])

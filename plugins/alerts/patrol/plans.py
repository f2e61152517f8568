"""The register of plans (巡检计划)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from marshmallow import ValidationError, fields, validate

from backend.plugin_api import (
    AreaCode,
    Choices,
    Code,
    Contains,
    Equals,
    PersonFacts,
    RecordSchema,
    Text,
    Written,
    area_paths,
    enqueue,
    people_with,
    resource_blueprint,
)
from plugins.alerts.intake.places import point_at
from plugins.alerts.patrol.models import PatrolPlan
from plugins.alerts.patrol.registers import PatrolRegister
from plugins.alerts.patrol.vocabulary import PATROL, WEEKDAYS
from plugins.alerts.patrol.windows import normal, overlapping, read_window

MOST_POINTS, MOST_WINDOWS = 40, 6
#: The job that makes rounds of plans.
MAKE_ROUNDS = "alerts.patrol_rounds"


class Window(Text):
    """A time of day from and to, such as 07:00-09:00."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        window = read_window(super()._deserialize(value, attr, data, **kwargs))
        if window is None:
            raise ValidationError("应为起止时间，如 07:00-09:00，至少 10 分钟。")
        return normal(window)


class PatrolPlanSchema(RecordSchema):
    """A plan as people keep it; `supervisor` is the account's id, empty for any supervisor of the area."""

    code = Code("计划编码", required=True, example="XJ001")
    name = Text("计划名称", required=True, longest=60, example="阳光花园早晚巡检")
    area_code = AreaCode("区域编码", required=True, example="C00001")
    supervisor = Text("专管员账号编号", longest=24)
    supervisor_name = fields.String(dump_only=True, metadata={"label": "专管员"})
    points = fields.List(
        Text("点位编码", longest=32),
        required=True,
        validate=validate.Length(1, MOST_POINTS),
        metadata={"label": "点位编码（按路线顺序）", "example": "T0001、T0002"},
    )
    weekdays = Choices("巡检日", WEEKDAYS, required=True)
    windows = fields.List(
        Window("时段", longest=20),
        required=True,
        validate=validate.Length(1, MOST_WINDOWS),
        metadata={"label": "巡检时段", "example": "07:00-09:00、18:00-20:00"},
    )


def complete_plan(rows: Sequence[dict[str, Any]]) -> list[Mapping[str, str]]:
    """Put a plan into its area; its points must lie in it, and its supervisor must be one there."""
    paths = area_paths({row["area_code"] for row in rows if row.get("area_code")})
    found: list[Mapping[str, str]] = []
    for row in rows:
        faults: dict[str, str] = {}
        if (path := paths.get(row.get("area_code") or "")) is None:
            faults["area_code"] = "没有这个区域。"
        else:
            row["area"] = path
            faults |= points_outside(row["points"], path) | supervisor_of(row, path)
        if not row["weekdays"]:
            faults["weekdays"] = "至少选一天。"
        if overlapping([window for each in row["windows"] if (window := read_window(each))]):
            faults["windows"] = "时段不能重叠。"
        found.append(faults)
    return found


def points_outside(points: Sequence[str], area: str) -> dict[str, str]:
    """Return the fault of a list of points, if there is one."""
    if len(set(points)) < len(points):
        return {"points": "同一点位不能列两次。"}
    for code in points:
        place = point_at(code)
        if place is None or place.lon is None:
            return {"points": f"没有点位 {code}，或它没有经纬度。"}
        if not f"{place.area}/".startswith(f"{area}/"):
            return {"points": f"点位 {code} 不在计划的区域内。"}
    return {}


def supervisor_of(row: dict[str, Any], area: str) -> dict[str, str]:
    """Set the name of a plan's supervisor; returns the fault where there is none of that id in the area."""
    wanted = row.get("supervisor") or None
    row["supervisor"], row["supervisor_name"] = wanted, None
    if wanted is None:
        return {}
    people = people_with(PATROL, area, ids=[ObjectId(wanted)]) if ObjectId.is_valid(wanted) else []
    if not people:
        return {"supervisor": "没有这名专管员，或其不在该区域巡检。"}
    row["supervisor_name"] = people[0].name
    return {}


def supervisors_in(area: str) -> list[PersonFacts]:
    """Return who may walk rounds in an area, by name."""
    return people_with(PATROL, area)


def follow(_written: Written) -> None:
    """Have the rounds made that follow from the change."""
    enqueue(MAKE_ROUNDS)


PLANS = PatrolRegister(
    name="patrol-plans",
    noun="patrol_plan",
    title="巡检计划",
    document=PatrolPlan,
    schema=PatrolPlanSchema,
    complete=complete_plan,
    filters={
        "q": Contains(("name", "code"), "名称或编码包含"),
        "supervisor": Equals("supervisor", "专管员账号编号"),
        "point": Equals("points", "点位编码"),
        "active": Equals("active", "是否启用", boolean=True),
    },
    follow=follow,
)
blueprint = resource_blueprint(PLANS)

"""The register of kinds: searched, changed, disabled, exported and imported like any base record, with its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    Written,
    area_paths,
    principal_or_none,
    resource_blueprint,
)
from plugins.alerts.kinds.catalogue import catalogue, district_for, forget
from plugins.alerts.kinds.defaults import CATEGORIES, PROOFS, ROLES, UNITS
from plugins.alerts.kinds.models import AlertKind


def whole(label: str, low: int, high: int, example: str, **options: Any) -> fields.Integer:
    """Return a field for a whole number."""
    return fields.Integer(
        strict=True, validate=validate.Range(low, high), metadata={"label": label, "example": example}, **options
    )


class AlertKindSchema(RecordSchema):
    """A kind as people keep it; limits are minutes from when the alert is raised."""

    code = Code("类型编码", required=True, example="E02")
    name = Text("类型名称", required=True, longest=40, example="满溢")
    area_code = AreaCode("所属区县编码", required=True, example="330110")
    severity = whole("等级（1 提示 2 一般 3 较重 4 紧急）", 1, 4, "2", required=True)
    category = Choice("类别", CATEGORIES, required=True)
    debounce_minutes = whole("防抖窗口（分钟）", 0, 1440, "30", required=True)
    respond_minutes = whole("首次响应时限（分钟）", 1, 43_200, "30", required=True)
    close_minutes = whole("办结时限（分钟）", 1, 43_200, "120", required=True)
    limit_unit = Choice("时限单位", UNITS, required=True)
    role = Choice("处置角色", ROLES, required=True)
    proof = Choices("回单须有", PROOFS, load_default=list)
    talk_back = Text("喊话内容", longest=200)
    confidence_floor = fields.Float(
        load_default=0.5, validate=validate.Range(0, 1), metadata={"label": "置信度下限", "example": "0.5"}
    )
    merge_metres = whole("同类合并距离（米，0 为不合并）", 0, 500, "0", load_default=0)


def complete_kind(rows: Sequence[dict[str, Any]]) -> list[Mapping[str, str]]:
    """Put a kind into its district, and check what only the fields together can say."""
    districts = area_paths({row["area_code"] for row in rows if row.get("area_code")}, "district")
    found: list[Mapping[str, str]] = []
    for row in rows:
        faults = {}
        if (path := districts.get(row.get("area_code") or "")) is None:
            faults["area_code"] = "没有这个区县。"
        else:
            row["area"] = path
        if row["close_minutes"] < row["respond_minutes"]:
            faults["close_minutes"] = "办结时限不能短于首次响应时限。"
        found.append(faults)
    return found


def follow(_written: Written) -> None:
    """Have the intake read the catalogue anew."""
    forget()


ALERT_KINDS = Resource(
    name="alert-kinds",
    noun="alert_kind",
    title="事件类型",
    module="alerts",
    document=AlertKind,
    schema=AlertKindSchema,
    complete=complete_kind,
    filters={
        "q": Contains(("name", "code"), "名称或编码包含"),
        "category": Equals("category", "类别", choices=tuple(CATEGORIES)),
        "role": Equals("role", "处置角色", choices=tuple(ROLES)),
        "active": Equals("active", "是否启用", boolean=True),
    },
    fixed=("code", "area_code"),
    follow=follow,
)
blueprint = resource_blueprint(ALERT_KINDS)


@blueprint.before_request
def begin_with_the_default() -> None:
    """Give the person's district its catalogue before anybody looks at it."""
    by = principal_or_none()
    if by is not None:
        catalogue(district_for(by))

"""The register of rules: kept like any base record, with its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from marshmallow import fields, validate

from backend.plugin_api import (
    AreaCode,
    Choice,
    Code,
    Contains,
    Equals,
    RecordSchema,
    Resource,
    Text,
    area_paths,
    district_of,
    find_place,
    home_of,
    organisations_named,
    principal_or_none,
    resource_blueprint,
)
from plugins.dispatch.defaults import begin_with
from plugins.dispatch.routing.choosing import DEFAULTS
from plugins.dispatch.routing.models import TARGETS, RoutingRule


class RoutingRuleSchema(RecordSchema):
    """A rule as people keep it."""

    code = Code("规则编码", required=True, example="R2E02")
    name = Text("规则名称", required=True, longest=60, example="满溢由物业处置")
    area_code = AreaCode("适用区域编码", required=True, example="330110")
    rank = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(0, 100_000),
        metadata={"label": "顺序（大的优先）", "example": "20"},
    )
    kind = Text("类型编码（空为任意）", longest=32, example="E02")
    point = Text("点位编码（空为任意）", longest=32, example="T0001")
    target = Choice("派给", TARGETS, required=True)
    organisation = Text("指定单位编号", longest=24)


def complete(rows: Sequence[dict[str, Any]]) -> list[Mapping[str, str]]:
    """Put a rule into its area, and check that it names somebody."""
    paths = area_paths({row["area_code"] for row in rows if row.get("area_code")})
    found: list[Mapping[str, str]] = []
    for row in rows:
        faults = {}
        if (path := paths.get(row.get("area_code") or "")) is None:
            faults["area_code"] = "没有这个区域。"
        else:
            row["area"] = path
        named = row.get("organisation") or ""
        if row["target"] == "organisation" and not (
            ObjectId.is_valid(named) and organisations_named([ObjectId(named)])
        ):
            faults["organisation"] = "没有这个单位。"
        if row.get("point") and find_place(row["point"]) is None:
            faults["point"] = "没有这个点位。"
        found.append(faults)
    return found


RULES = Resource(
    name="routing-rules",
    noun="routing_rule",
    title="派单规则",
    module="dispatch",
    document=RoutingRule,
    schema=RoutingRuleSchema,
    complete=complete,
    filters={
        "q": Contains(("name", "code"), "名称或编码包含"),
        "kind": Equals("kind", "类型编码"),
        "target": Equals("target", "派给", choices=tuple(TARGETS)),
        "active": Equals("active", "是否启用", boolean=True),
    },
    fixed=("code",),
)
blueprint = resource_blueprint(RULES)


@blueprint.before_request
def begin_with_the_default() -> None:
    """Give the person's district its rules before anybody looks at them."""
    by = principal_or_none()
    if by is not None and (home := home_of(by)):
        district = district_of(home)
        if (
            RoutingRule._get_collection().find_one({"area": {"$gte": district, "$lt": f"{district}0"}}, {"_id": 1})
            is None
        ):
            begin_with(RoutingRule, district, [{**rule, "code": f"{district}{rule['code']}"} for rule in DEFAULTS])

"""The area tree, organisations, and module switches."""

from __future__ import annotations

from typing import Any, TypeVar

from bson import ObjectId

from backend.accounts.present import shown_area, shown_organisation, shown_switch
from backend.accounts.schemas import (
    AreaFieldsSchema,
    AreaQuerySchema,
    AreaSchema,
    NewAreaSchema,
    NewOrganisationSchema,
    NewSwitchSchema,
    OrganisationFieldsSchema,
    OrganisationQuerySchema,
    OrganisationSchema,
    SwitchesSchema,
    SwitchSchema,
)
from backend.http import (
    Blueprint,
    Problem,
    check_if_match,
    idempotent,
    if_match,
    may_answer,
    paged,
    read_page,
    requires,
)
from backend.identity import (
    Area,
    ModuleSwitch,
    Organisation,
    area_filter,
    current_principal,
    known_modules,
    scope_filter,
    territory,
)
from backend.storage import Record

blueprint = Blueprint("territory", __name__, url_prefix="/api/v1", description="区域、单位、模块启停")

R = TypeVar("R", bound=Record)


@blueprint.route("/areas")
@requires()
@blueprint.arguments(AreaQuerySchema, location="query")
@blueprint.response(200, paged(AreaSchema), ready=True)
def list_areas(query: dict[str, Any]) -> Any:
    """区域树，按路径排序；所有登录用户可读."""
    page = {name: query.pop(name) for name in ("cursor", "limit", "count") if name in query}
    within, boundary = query.pop("within"), query.pop("boundary")
    found = {"$and": [area_filter(within, "path"), query]}
    fields = None if boundary else {"boundary": 0}
    areas = read_page(Area._get_collection(), found, sort=[("path", 1)], projection=fields, **page)
    return areas.shown(shown_area)


@blueprint.route("/areas", methods=["POST"])
@requires("platform:areas")
@idempotent
@may_answer("already_exists", "not_found")
@blueprint.arguments(NewAreaSchema)
@blueprint.response(201, AreaSchema, ready=True)
def create_area(values: dict[str, Any]) -> Any:
    """新增区域."""
    return shown_area(territory.add_area(current_principal(), **values).to_mongo())


@blueprint.route("/areas/<record_id:area_id>", methods=["PATCH"])
@requires("platform:areas")
@if_match
@blueprint.arguments(AreaFieldsSchema)
@blueprint.response(200, AreaSchema, ready=True)
def change_area(values: dict[str, Any], area_id: ObjectId) -> Any:
    """修改区域名称、边界、启停."""
    area = _to_change(Area, area_id)
    return shown_area(territory.change_area(current_principal(), area, values).to_mongo())


@blueprint.route("/organisations")
@requires("platform:organisations")
@blueprint.arguments(OrganisationQuerySchema, location="query")
@blueprint.response(200, paged(OrganisationSchema), ready=True)
def list_organisations(query: dict[str, Any]) -> Any:
    """查询单位."""
    page = {name: query.pop(name) for name in ("cursor", "limit", "count") if name in query}
    scope = scope_filter(current_principal(), "platform:organisations", within=query.pop("within"))
    found = {"$and": [scope, query]}
    return read_page(Organisation._get_collection(), found, sort=[("_id", 1)], **page).shown(shown_organisation)


@blueprint.route("/organisations", methods=["POST"])
@requires("platform:organisations")
@idempotent
@blueprint.arguments(NewOrganisationSchema)
@blueprint.response(201, OrganisationSchema, ready=True)
def create_organisation(values: dict[str, Any]) -> Any:
    """新增单位."""
    return shown_organisation(territory.add_organisation(current_principal(), values).to_mongo())


@blueprint.route("/organisations/<record_id:organisation_id>", methods=["PATCH"])
@requires("platform:organisations")
@if_match
@blueprint.arguments(OrganisationFieldsSchema)
@blueprint.response(200, OrganisationSchema, ready=True)
def change_organisation(values: dict[str, Any], organisation_id: ObjectId) -> Any:
    """修改单位."""
    scope = scope_filter(current_principal(), "platform:organisations")
    organisation = _to_change(Organisation, organisation_id, scope)
    return shown_organisation(territory.change_organisation(current_principal(), organisation, values).to_mongo())


@blueprint.route("/module-switches")
@requires("platform:modules")
@blueprint.response(200, SwitchesSchema, ready=True)
def list_switches() -> Any:
    """模块启停；没有记录的模块为启用."""
    rows = ModuleSwitch._get_collection().find(scope_filter(current_principal(), "platform:modules"))
    items = [shown_switch(row) for row in rows.sort([("module", 1), ("area", 1)])]
    return {"modules": known_modules(), "items": items}


@blueprint.route("/module-switches", methods=["PUT"])
@requires("platform:modules")
@may_answer("stale_version", "already_exists")
@blueprint.arguments(NewSwitchSchema)
@blueprint.response(200, SwitchSchema, ready=True)
def set_switch(values: dict[str, Any]) -> Any:
    """在某区域及其下级启用或停用模块，以最近的上级设置为准."""
    return shown_switch(territory.switch_module(current_principal(), **values).to_mongo())


@blueprint.route("/module-switches/<record_id:switch_id>", methods=["DELETE"])
@requires("platform:modules")
@blueprint.response(204)
def delete_switch(switch_id: ObjectId) -> None:
    """删除设置，恢复为跟随上级."""
    territory.remove_switch(current_principal(), switch_id)


def _to_change(document: type[R], id: ObjectId, scope: dict[str, Any] | None = None) -> R:
    record: R | None = document.objects(__raw__={"$and": [{"_id": id}, scope or {}]}).first()
    if record is None:
        raise Problem("not_found")
    check_if_match(record)
    return record

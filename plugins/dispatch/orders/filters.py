"""Searches that a person keeps under a name."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from bson import ObjectId

from backend.plugin_api import (
    Blueprint,
    Principal,
    Problem,
    current_principal,
    idempotent,
    may_answer,
    paged,
    requires,
)
from plugins.dispatch.orders.models import VIEW, SavedFilter
from plugins.dispatch.orders.schemas import OrderConditions, SavedFilterSchema

blueprint = Blueprint("work_order_filters", __name__, url_prefix="/api/v1/work-order-filters", description="常用筛选")

MOST = 50


def shown(kept: SavedFilter) -> dict[str, str]:
    """Return a kept search as its owner sees it."""
    return {"id": str(kept.id), "name": kept.name, "query": kept.query}


@blueprint.route("", methods=["GET"])
@requires(VIEW)
@blueprint.response(200, paged(SavedFilterSchema))
def list_filters() -> dict[str, Any]:
    """查询自己的常用筛选."""
    kept = SavedFilter.objects(owner=current_principal().id).order_by("id").limit(MOST)
    return {"items": [shown(each) for each in kept], "next_cursor": None}


@blueprint.route("", methods=["POST"])
@requires(VIEW)
@idempotent
@may_answer("conflict")
@blueprint.arguments(SavedFilterSchema)
@blueprint.response(201, SavedFilterSchema)
def keep_filter(values: dict[str, str]) -> dict[str, str]:
    """保存常用筛选；至多 50 个."""
    return shown(keep(current_principal(), values["name"], values["query"]))


@blueprint.route("/<record_id:filter_id>", methods=["DELETE"])
@requires(VIEW)
@may_answer("not_found")
@blueprint.response(204)
def forget_filter(filter_id: ObjectId) -> None:
    """删除自己的常用筛选."""
    if not SavedFilter.objects(id=filter_id, owner=current_principal().id).delete():
        raise Problem("not_found")


def keep(by: Principal, name: str, query: str) -> SavedFilter:
    """Keep a search; raises Problem for conditions that the list does not know."""
    conditions = dict(parse_qsl(query, keep_blank_values=True))
    if OrderConditions().validate({key: value for key, value in conditions.items() if key != "order"}):
        raise Problem("invalid", fields={"query": ["筛选条件有误。"]})
    if SavedFilter.objects(owner=by.id).count() >= MOST:
        raise Problem("conflict", detail=f"常用筛选至多 {MOST} 个，请先删除不用的。")
    return SavedFilter(owner=by.id, name=name, query=query).save(force_insert=True)

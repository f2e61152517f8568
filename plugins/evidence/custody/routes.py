"""The API of the custody ledger, for those who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.plugin_api import (
    Blueprint,
    Principal,
    Problem,
    current_principal,
    district_of,
    enqueue,
    home_of,
    idempotent,
    paged,
    read_page,
    requires,
    scope_filter,
)
from plugins.evidence.custody.canonical import ROOT_FIELDS
from plugins.evidence.custody.jobs import VERIFY
from plugins.evidence.custody.models import KINDS, LedgerEntry, LedgerRoot
from plugins.evidence.custody.schemas import (
    DistrictArgs,
    EntrySchema,
    LedgerArgs,
    LedgerRootSchema,
    ProofStatusSchema,
    RootArgs,
    StartedSchema,
)
from plugins.evidence.custody.standing import proof_status

blueprint = Blueprint("evidence_ledger", __name__, url_prefix="/api/v1/evidence/ledger", description="存证链")

AUDIT = "evidence:audit_ledger"
STAMP_STATES = {"none": "未启用", "waiting": "等待中", "stamped": "已加盖", "failed": "未取得"}


@blueprint.route("")
@requires(AUDIT)
@blueprint.arguments(LedgerArgs, location="query")
@blueprint.response(200, paged(EntrySchema))
def list_ledger(asked: dict[str, Any]) -> dict[str, Any]:
    """查询存证链，新的在前；只见本人负责区域内的."""
    by = current_principal()
    query: list[dict[str, Any]] = [{"district": district_for(by, asked)}]
    query += [{name: asked[name]} for name in ("case", "subject_id", "kind") if name in asked]
    if "actor" in asked:
        query.append({"actor.id": asked["actor"]})
    for name, operator in (("since", "$gte"), ("until", "$lt")):
        if name in asked:
            query.append({"at": {operator: asked[name]}})
    query.append(scope_filter(by, AUDIT, within=asked.get("within", "")))
    page = read_page(LedgerEntry._get_collection(), {"$and": query}, sort=(("seq", -1),), **paging(asked))
    return page.shown(lambda row: {**row, "kind_title": KINDS.get(row["kind"], row["kind"])})


@blueprint.route("/roots")
@requires(AUDIT)
@blueprint.arguments(RootArgs, location="query")
@blueprint.response(200, paged(LedgerRootSchema))
def list_roots(asked: dict[str, Any]) -> dict[str, Any]:
    """查询默克尔根及其签名和时间戳，新的在前."""
    query = {"district": district_for(current_principal(), asked)}
    page = read_page(
        LedgerRoot._get_collection(),
        query,
        sort=(("number", -1),),
        projection={"stamp.token": 0, "stamp.certificates": 0},
        **paging(asked),
    )
    return page.shown(shown)


@blueprint.route("/status")
@requires(AUDIT)
@blueprint.arguments(DistrictArgs, location="query")
@blueprint.response(200, ProofStatusSchema)
def get_status(asked: dict[str, Any]) -> dict[str, Any]:
    """查看存证状态：最近的根、时间戳和校验结果."""
    return proof_status(district_for(current_principal(), asked)).as_dict()


@blueprint.route("/verify", methods=["POST"])
@requires(AUDIT)
@idempotent
@blueprint.arguments(DistrictArgs)
@blueprint.response(202, StartedSchema)
def start_verification(asked: dict[str, Any]) -> dict[str, Any]:
    """开始校验存证链；结果见存证状态."""
    district = district_for(current_principal(), asked)
    return {"district": district, "job": enqueue(VERIFY, district=district)}


def district_for(by: Principal, asked: Mapping[str, Any]) -> str:
    """Return the district that is asked for, or the person's own; raises Problem `not_found` for another's.

    Whoever reads entries anywhere in a district may know how all of its chain stands: that tells nothing of its acts.
    """
    district = str(asked.get("district") or district_of(home_of(by)))
    reached = {district_of(grant.area) for grant in by.grants if AUDIT in grant.permissions}
    if not {"", district} & reached:
        raise Problem("not_found")
    return district


def paging(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the page was asked for."""
    return {name: asked[name] for name in ("cursor", "limit", "count") if name in asked}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a root as it stands in a list."""
    told = {name: row[name] for name in (*ROOT_FIELDS, "at", "signature")}
    return {**told, "stamp": {**row["stamp"], "state_title": STAMP_STATES.get(row["stamp"]["state"], "")}}

"""The module's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.plugin_api import Blueprint, PageArgs, current_principal, paged, read_page, requires, scope_filter
from qingxu_litter.models import LitterSighting
from qingxu_litter.schemas import SightingSchema

VIEW = "litter:view"

blueprint = Blueprint("litter", __name__, url_prefix="/api/v1/litter_sightings", description="散落物统计")


@blueprint.route("")
@requires(VIEW)
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, paged(SightingSchema))
def list_sightings(page: dict[str, Any]) -> dict[str, Any]:
    """List the sightings in the areas of the person, the latest first (散落物记录)."""
    scope = scope_filter(current_principal(), VIEW)
    found = read_page(LitterSighting._get_collection(), scope, sort=(("seen_at", -1), ("_id", -1)), **page)
    return found.shown(present)


def present(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored sighting as the schema names it."""
    return {**row, "id": str(row["_id"])}

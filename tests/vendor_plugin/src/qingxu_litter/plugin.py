"""All that the module adds."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    Blueprint,
    EventHandler,
    Job,
    MenuEntry,
    Metric,
    Panel,
    Permission,
    Record,
    Theme,
    hookimpl,
)
from qingxu_litter.models import LitterSighting
from qingxu_litter.panels import show_kinds
from qingxu_litter.routes import VIEW, blueprint
from qingxu_litter.service import METRIC, forget_old, note_sighting


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Return who may look."""
    return [Permission(VIEW, "查看散落物统计", roles=("district_staff", "street_staff", "community_staff"))]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return what is stored."""
    return [LitterSighting]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return the routes."""
    return [blueprint]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Return the menu entry."""
    return [MenuEntry(name="litter", title="散落物统计", permission=VIEW, href="/cockpit/?theme=litter", order=80)]


@hookimpl
def register_themes() -> Sequence[Theme]:
    """Return the page of the cockpit."""
    return [Theme(name="litter", title="散落物", order=80)]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return the panel."""
    return [Panel(name="litter.kinds", title="散落物种类", theme="litter", permission=VIEW, show=show_kinds)]


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Return the sums by day and kind."""
    return [
        Metric(
            name=METRIC,
            title="散落物",
            collection=LitterSighting,
            unit="件",
            time_field="seen_at",
            bucket="day",
            dimensions=("kind",),
            measures={"count": {"$sum": 1}, "pieces": {"$sum": "$pieces"}},
        )
    ]


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Return what is done when evidence was taken out of photos."""
    return [EventHandler(name="litter.note_sighting", event="evidence.extracted", handle=note_sighting)]


@hookimpl
def register_jobs() -> Sequence[Job]:
    """Return the nightly cleaning."""
    return [Job(name="litter.forget_old", title="清理过期散落物记录", run=forget_old, cron="20 3 * * *")]

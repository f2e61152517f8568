"""All that dispatch adds to the platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.plugin_api import (
    BlobUser,
    Blueprint,
    CardPart,
    DemoDistrict,
    EventHandler,
    EventKind,
    HealthCheck,
    Job,
    MapLayer,
    MapRecord,
    MenuEntry,
    MessageTemplate,
    Metric,
    Pages,
    Panel,
    Permission,
    ProblemCode,
    Record,
    WorkOrderFacts,
    WorkOrderRequest,
    hookimpl,
)
from plugins.dispatch import cards, demo, figures, panels
from plugins.dispatch.calendar import health
from plugins.dispatch.calendar import pages as calendar_pages
from plugins.dispatch.calendar import routes as calendar_routes
from plugins.dispatch.calendar.hours import due
from plugins.dispatch.calendar.keeping import RECOUNT, calendar_of
from plugins.dispatch.calendar.models import DutyYearRecord
from plugins.dispatch.orders import following, notifying, pages
from plugins.dispatch.orders import routes as order_routes
from plugins.dispatch.orders.escalation import escalate, recount
from plugins.dispatch.orders.models import OrderSeries, WorkOrder
from plugins.dispatch.orders.opening import open_order
from plugins.dispatch.orders.problems import PROBLEMS
from plugins.dispatch.orders.replying import BLOB_USER
from plugins.dispatch.orders.telling import EVENTS
from plugins.dispatch.routing import register as rules
from plugins.dispatch.routing.models import RoutingRule
from plugins.dispatch.standards import register as standards
from plugins.dispatch.standards.models import OrderStandard


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Let offices dispatch and verify, and those who are sent handle."""
    offices = ("district_staff", "street_staff", "community_staff")
    companies = ("property_staff", "collection_staff", "recycling_staff", "driver")
    field = (*offices, "supervisor", "enforcement_officer", *companies)
    return [
        Permission("dispatch:view", "查看派单", field),
        Permission("dispatch:report", "上报派单", (*offices, "supervisor")),
        Permission("dispatch:dispatch", "立案和派遣", offices),
        Permission("dispatch:handle", "接单和回单", field),
        Permission("dispatch:verify", "核查结案", (*offices, "supervisor")),
        Permission("dispatch:force_close", "强制结案", ("district_staff", "street_staff")),
        Permission("dispatch:export", "导出派单", offices),
        Permission("dispatch:calendar", "维护工作日历", ("district_staff",)),
        Permission("dispatch:edit", "维护派单规则和处置标准", ("district_staff",)),
        Permission("dispatch:import", "导入派单规则和处置标准", ("district_staff",)),
        Permission("dispatch:reveal", "查看完整联系方式"),
    ]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return orders, and what they are handled by."""
    return [WorkOrder, OrderSeries, DutyYearRecord, OrderStandard, RoutingRule]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return the routes of orders, calendar, rules and standards."""
    return [
        order_routes.blueprint,
        calendar_routes.blueprint,
        rules.blueprint,
        standards.blueprint,
    ]


@hookimpl
def register_pages() -> Sequence[Pages]:
    """Let staff work on pages."""
    return [pages.pages, calendar_pages.pages]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Show the way to the orders."""
    look = {"permission": "dispatch:view"}
    return [
        MenuEntry(name="dispatch.orders", title="派单处置", href="/dispatch/orders", order=30, **look),
        MenuEntry(name="dispatch.statistics", title="派单统计", href="/dispatch/statistics", order=31, **look),
        MenuEntry(name="dispatch.calendar", title="工作日历", href="/dispatch/calendar", order=33, **look),
        MenuEntry(name="dispatch.cockpit", title="派单驾驶舱", href="/cockpit/?theme=dispatch", order=32, **look),
    ]


@hookimpl
def register_problem_codes() -> Sequence[ProblemCode]:
    """Say what may stand against a step."""
    return PROBLEMS


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell what happens to orders."""
    return EVENTS


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Follow alerts with orders, and tell people what they are to do."""
    return [*following.HANDLERS, *notifying.HANDLERS]


@hookimpl
def register_message_templates() -> Sequence[MessageTemplate]:
    """Say what people are told."""
    return notifying.TEMPLATES


@hookimpl
def register_jobs() -> Sequence[Job]:
    """Escalate what takes too long, and count limits anew when the calendar changes."""
    return [
        Job(name="dispatch.escalate", title="派单升级督办", run=escalate, every_seconds=30, timeout_seconds=300),
        Job(name=RECOUNT, title="重新计算派单时限", run=recount, timeout_seconds=900),
    ]


@hookimpl
def register_blob_users() -> Sequence[BlobUser]:
    """Say which photos replies name."""
    return [BLOB_USER]


@hookimpl
def register_health_checks() -> Sequence[HealthCheck]:
    """Look whether the holidays are known."""
    return health.CHECKS


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Count orders."""
    return figures.METRICS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Show orders on the cockpit."""
    return panels.PANELS


@hookimpl
def register_map_layers() -> Sequence[MapLayer]:
    """Show where open orders are."""
    return panels.LAYERS


@hookimpl
def register_map_records() -> Sequence[MapRecord]:
    """Let people find and open them on the map."""
    return cards.RECORDS


@hookimpl
def register_card_parts() -> Sequence[CardPart]:
    """Say on cards what is known of them."""
    return cards.PARTS


@hookimpl
def load_demo(district: DemoDistrict) -> None:
    """Let a month of orders have happened."""
    demo.load_orders(district)


@hookimpl
def open_work_order(request: WorkOrderRequest) -> WorkOrderFacts:
    """Open an order for whatever needs handling."""
    return open_order(request)


@hookimpl
def working_deadline(area: str, start: datetime, minutes: int) -> datetime:
    """Count working time by the duty calendar of the district."""
    return due(start, minutes, calendar_of(area))

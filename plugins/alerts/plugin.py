"""All that alerts add to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    AlertFacts,
    AlertReport,
    BlobUser,
    Blueprint,
    CardPart,
    DemoDistrict,
    EventHandler,
    EventKind,
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
    hookimpl,
)
from plugins.alerts import cards, demo, panels, waste
from plugins.alerts.alerts import pages
from plugins.alerts.alerts.models import Alert, Sighting
from plugins.alerts.alerts.nearness import merge_by_rule
from plugins.alerts.alerts.notifying import RAISED
from plugins.alerts.alerts.orders import follow_order
from plugins.alerts.alerts.routes import blueprint
from plugins.alerts.intake import routes as intake_routes
from plugins.alerts.intake.reports import raise_for, raise_for_case, settle_waiting
from plugins.alerts.kinds import register
from plugins.alerts.kinds import routes as kind_routes
from plugins.alerts.kinds.models import AlertKind, QuietWindow, VendorCode
from plugins.alerts.patrol import demo as patrol_demo
from plugins.alerts.patrol import offers as patrol

OFFICES = ("district_staff", "street_staff", "community_staff")
SITE = ("property_staff", "supervisor")


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Say who sees, reports and handles alerts, and who keeps the catalogue."""
    return [
        Permission("alerts:view", "查看预警事件", (*OFFICES, *SITE, "enforcement_officer")),
        Permission("alerts:report", "上报预警事件", (*OFFICES, *SITE)),
        Permission("alerts:handle", "确认、排除、办结和合并预警事件", OFFICES),
        Permission("alerts:reveal", "查看预警现场图片", (*OFFICES, "supervisor", "enforcement_officer")),
        Permission("alerts:export", "导出预警事件", OFFICES),
        Permission("alerts:edit", "维护事件类型和厂商编码", ("district_staff",)),
        Permission("alerts:import", "导入事件类型", ("district_staff",)),
        *patrol.PERMISSIONS,
    ]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return alerts, what was seen of them, and the catalogue."""
    return [Alert, Sighting, AlertKind, VendorCode, QuietWindow, *patrol.DOCUMENTS]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Take in what is seen, let people handle it, and keep the catalogue."""
    return [blueprint, intake_routes.blueprint, kind_routes.blueprint, register.blueprint, *patrol.BLUEPRINTS]


@hookimpl
def register_jobs() -> Sequence[Job]:
    """Make the rounds of the day, and watch over them."""
    return patrol.JOBS


@hookimpl
def register_blob_users() -> Sequence[BlobUser]:
    """Say which photos of rounds are named."""
    return patrol.BLOB_USERS


@hookimpl
def register_problem_codes() -> Sequence[ProblemCode]:
    """Say what may be wrong with an event, a report or a step."""
    return [
        ProblemCode("sender_not_recognised", 401, "推送未通过验证", "设备未登记、已停用或签名不正确。"),
        ProblemCode("signature_too_old", 401, "签名时刻有误", "发送时刻与平台相差超过 5 分钟，请校准时钟后重发。"),
        ProblemCode("no_events", 422, "没有事件", "推送内容中没有事件。"),
        ProblemCode("too_many_events", 422, "事件过多", "一次推送至多 50 条事件，请分批发送。"),
        ProblemCode("unknown_place", 422, "位置不明", "请填写点位、区域，或在点位附近上报。"),
        ProblemCode("unknown_kind", 422, "事件类型不存在", "没有这个事件类型，或已停用。"),
        ProblemCode("kept_quiet", 409, "屏蔽或检修中", "此处正在屏蔽或检修，已留存记录，不生成事件。"),
        ProblemCode("no_work_orders", 409, "未启用派单", "平台没有启用派单模块，请直接办结或排除。"),
        ProblemCode("not_mergeable", 409, "不能合并", "不能并入自身，或并入已经了结的事件。"),
        *patrol.PROBLEMS,
    ]


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell what happens to alerts."""
    place = "point, area, longitude, latitude"
    payload = f"alert, number, kind, title, severity, {place}, note, respond_by, close_by, role, proof"
    return [
        EventKind(name="alert.raised", title="预警事件上报", payload=payload),
        EventKind(name="alert.closed", title="预警事件办结", payload=f"{payload}, reason"),
        EventKind(name="alert.dismissed", title="预警事件排除", payload=f"{payload}, reason"),
        EventKind(name="alert.reopened", title="预警事件重新打开", payload=f"{payload}, reason"),
        EventKind(name="alert.merged", title="预警事件并入", payload=f"{payload}, reason, merged_into"),
        EventKind(name="alert.placed", title="可按距离合并的预警事件上报", payload="alert"),
        EventKind(name="alert.repeated", title="预警事件再次发现", payload="alert, kind, title, point, count"),
        EventKind(name="alert.code_mapped", title="厂商事件编码归类", payload="vendor, code, kind"),
        *patrol.EVENTS,
    ]


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Follow work orders and evidence, merge what is the same, and take in what waited for its code."""
    orders = [
        EventHandler(name=f"alerts.order_{verb}", event=f"work_order.{verb}", handle=follow_order)
        for verb in ("filed", "dispatched", "closed", "reopened")
    ]
    return [
        *orders,
        EventHandler(name="alerts.merge", event="alert.placed", handle=merge_by_rule),
        EventHandler(name="alerts.confirmed_case", event="evidence.case_confirmed", handle=raise_for_case),
        EventHandler(name="alerts.settle", event="alert.code_mapped", handle=settle_waiting, timeout_seconds=300),
        *patrol.HANDLERS,
    ]


@hookimpl
def raise_alert(report: AlertReport) -> AlertFacts | None:
    """Take in what other modules and people report."""
    return raise_for(report)


@hookimpl
def register_pages() -> Sequence[Pages]:
    """Let staff handle alerts and look at rounds, and supervisors walk them."""
    return [pages.pages, *patrol.PAGES]


@hookimpl
def register_message_templates() -> Sequence[MessageTemplate]:
    """Tell those who handle a kind of a grave alert, and of rounds that are missed."""
    return [RAISED, *patrol.MESSAGES]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Show the way to the alerts."""
    look = {"permission": "alerts:view"}
    return [
        MenuEntry(name="alerts.alerts", title="预警事件", href="/alerts/", order=10, **look),
        MenuEntry(name="alerts.cockpit", title="预警驾驶舱", href="/cockpit/?theme=alerts", order=11, **look),
        *patrol.MENU,
    ]


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Count alerts."""
    return [*panels.METRICS, *patrol.METRICS]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Show alerts on the cockpit."""
    return [*panels.PANELS, *patrol.PANELS, *waste.PANELS]


@hookimpl
def register_map_layers() -> Sequence[MapLayer]:
    """Show where alerts are open."""
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
    """Fill the last 30 days of the fictional district."""
    demo.load_alerts(district)
    patrol_demo.load_patrols(district)

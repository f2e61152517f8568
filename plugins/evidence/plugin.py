"""All that evidence adds to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    Blueprint,
    Command,
    EventHandler,
    EventKind,
    HealthCheck,
    Job,
    MapLayer,
    MenuEntry,
    Metric,
    Panel,
    Permission,
    ProblemCode,
    Record,
    Theme,
    current_settings,
    hookimpl,
)
from plugins.evidence import health, panels
from plugins.evidence.captures.extraction import extract_capture
from plugins.evidence.captures.models import Capture, Exhibit
from plugins.evidence.captures.routes import blueprint
from plugins.evidence.commands import send_capture
from plugins.evidence.custody.models import EvidenceKey, LedgerEntry, LedgerHead, LedgerRoot, WaitingEntry
from plugins.evidence.retention import routes as retention_routes
from plugins.evidence.retention.deletion import delete_expired


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Let most see masked copies, and those who review and enforce the faces."""
    offices = ("district_staff", "street_staff", "community_staff", "supervisor", "property_staff")
    return [
        Permission("evidence:view", "查看取证记录（已脱敏）", (*offices, "enforcement_officer")),
        Permission("evidence:view_unmasked", "查看原始照片和人脸", ("enforcement_officer",)),
        Permission("evidence:edit", "重新提取", ("district_staff", "enforcement_officer")),
        Permission("evidence:hold", "证据保全", ("district_staff", "enforcement_officer")),
    ]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return captures and their exhibits, and the ledger of what happened to them."""
    return [Capture, Exhibit, WaitingEntry, LedgerEntry, LedgerHead, LedgerRoot, EvidenceKey]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Take in what devices send, and let staff read it."""
    return [blueprint, retention_routes.blueprint]


@hookimpl
def register_problem_codes() -> Sequence[ProblemCode]:
    """Say what may be wrong with a capture, or with a look at one."""
    return [
        ProblemCode("device_not_recognised", 401, "设备未通过验证", "设备未登记、已停用或签名不正确。"),
        ProblemCode("purpose_required", 422, "须填写查看原因", "查看未脱敏的图片须填写原因，并会被记录。"),
        ProblemCode("device_time_in_future", 422, "设备时间有误", "设备时间晚于当前时间，请校准设备时钟。"),
        ProblemCode("device_time_too_old", 422, "设备时间有误", "观察时间超过 30 天，不能再作为取证接收。"),
        ProblemCode("unknown_point", 422, "点位不存在", "没有这个投放点或集置点，请检查设备所在点位。"),
        ProblemCode("evidence_deleted", 410, "证据已删除", "保存期限已到，证据已按规定销毁。"),
        ProblemCode("event_id_reused", 409, "事件编号重复", "这个 event_id 已用于另一组照片，请换一个。"),
    ]


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell what happens to captures."""
    return [
        EventKind(name="evidence.captured", title="收到取证照片", payload="capture"),
        EventKind(name="evidence.extracted", title="取证提取完成", payload="capture, faces, objects, labels"),
        EventKind(name="evidence.extraction_failed", title="取证提取失败", payload="capture"),
    ]


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Do the vision work where the models are loaded."""
    return [
        EventHandler(
            name="evidence.extract",
            event="evidence.captured",
            handle=extract_capture,
            queue="vision",
            timeout_seconds=current_settings().extraction_seconds,
        )
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    """Delete what is kept no longer."""
    return [
        Job(
            name="evidence.delete_expired",
            title="到期证据销毁",
            run=delete_expired,
            cron="20 * * * *",
            timeout_seconds=1800,
        )
    ]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Show the way to the captures."""
    return [
        MenuEntry(
            name="evidence.cockpit",
            title="取证固证",
            permission="evidence:view",
            href="/cockpit/?theme=alerts",
            order=20,
        )
    ]


@hookimpl
def register_themes() -> Sequence[Theme]:
    """Open the theme of warning events (驾驶舱 1a), where what cameras saw is shown."""
    return [Theme(name="alerts", title="预警事件上报", order=10)]


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Count captures."""
    return panels.METRICS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Show captures on the cockpit."""
    return panels.PANELS


@hookimpl
def register_map_layers() -> Sequence[MapLayer]:
    """Show where violations were seen, as they come in."""
    return panels.LAYERS


@hookimpl
def register_health_checks() -> Sequence[HealthCheck]:
    """Look whether the vision models are there, and how long captures wait."""
    return health.CHECKS


@hookimpl
def register_commands() -> Sequence[Command]:
    """Offer a camera for trying things out."""
    return [send_capture]

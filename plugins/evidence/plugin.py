"""All that evidence adds to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    BlobUser,
    Blueprint,
    CardPart,
    Command,
    DemoDistrict,
    EventHandler,
    EventKind,
    HealthCheck,
    Job,
    MapLayer,
    MapRecord,
    MaskedPhoto,
    MenuEntry,
    Metric,
    Pages,
    Panel,
    Permission,
    ProblemCode,
    Record,
    current_settings,
    hookimpl,
)
from plugins.evidence import cards, demo, health, panels
from plugins.evidence.captures import report_routes
from plugins.evidence.captures.drawing import copy_subject, cut_drawn
from plugins.evidence.captures.extraction import extract_capture
from plugins.evidence.captures.masking import masked_photo
from plugins.evidence.captures.models import Capture, Exhibit, ReporterRequest
from plugins.evidence.captures.naming import BLOB_USER
from plugins.evidence.captures.routes import blueprint
from plugins.evidence.cases import pages as case_pages
from plugins.evidence.cases import routes as case_routes
from plugins.evidence.cases.bundling import bundle_capture
from plugins.evidence.cases.models import Case, CaseSeries, CaseSpan
from plugins.evidence.commands import send_capture
from plugins.evidence.concerned import pages as notice_pages
from plugins.evidence.concerned import routes as notice_routes
from plugins.evidence.concerned.models import BLOB_USER as DEFENCE_BLOBS
from plugins.evidence.concerned.models import Defence, NoticeVisit
from plugins.evidence.concerned.notice import make_code
from plugins.evidence.custody import commands as custody_commands
from plugins.evidence.custody import jobs as custody_jobs
from plugins.evidence.custody import routes as custody_routes
from plugins.evidence.custody.models import DOCUMENTS as CUSTODY_DOCUMENTS
from plugins.evidence.handover import pages as hand_over_pages
from plugins.evidence.handover import routes as hand_over_routes
from plugins.evidence.handover.commands import verify_evidence
from plugins.evidence.handover.making import SECONDS as PACKAGE_SECONDS
from plugins.evidence.handover.making import make_package
from plugins.evidence.handover.models import BLOB_USER as PACKAGE_BLOBS
from plugins.evidence.handover.models import HandOver
from plugins.evidence.matching import health as matching_health
from plugins.evidence.matching import routes as matching_routes
from plugins.evidence.matching.activation import end_expired
from plugins.evidence.matching.comparing import compare_case, forget_case
from plugins.evidence.matching.models import Activation, Template
from plugins.evidence.retention import routes as retention_routes
from plugins.evidence.retention.deletion import delete_expired
from plugins.evidence.vocabulary import EVENTS, PERMISSIONS, PROBLEM_CODES


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Let most see masked copies, and those who review and enforce the faces."""
    return PERMISSIONS


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return captures and their exhibits, and the ledger of what happened to them."""
    return [
        Capture,
        Exhibit,
        ReporterRequest,
        Case,
        CaseSeries,
        CaseSpan,
        Defence,
        NoticeVisit,
        HandOver,
        Activation,
        Template,
        *CUSTODY_DOCUMENTS,
    ]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Take in what devices send, and let staff read it."""
    return [
        blueprint,
        report_routes.blueprint,
        case_routes.blueprint,
        hand_over_routes.blueprint,
        retention_routes.blueprint,
        matching_routes.blueprint,
        notice_routes.blueprint,
        notice_routes.staff,
        custody_routes.blueprint,
    ]


@hookimpl
def register_blob_users() -> Sequence[BlobUser]:
    """Say which originals, exhibits and photos of defences are named."""
    return [BLOB_USER, DEFENCE_BLOBS, PACKAGE_BLOBS]


@hookimpl
def register_problem_codes() -> Sequence[ProblemCode]:
    """Say what may be wrong with a capture, or with a look at one."""
    return PROBLEM_CODES


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell what happens to captures."""
    return EVENTS


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
        ),
        EventHandler(name="evidence.cut_drawn", event="evidence.region_drawn", handle=cut_drawn, queue="vision"),
        EventHandler(
            name="evidence.copy_subject", event="evidence.subject_chosen", handle=copy_subject, queue="vision"
        ),
        EventHandler(name="evidence.notice", event="evidence.case_confirmed", handle=make_code),
        EventHandler(
            name="evidence.package",
            event="evidence.package_wanted",
            handle=make_package,
            queue="reports",
            timeout_seconds=PACKAGE_SECONDS,
        ),
        EventHandler(name="evidence.compare", event="evidence.case_confirmed", handle=compare_case, queue="vision"),
        EventHandler(name="evidence.forget_face", event="evidence.case_rejected", handle=forget_case),
        EventHandler(name="evidence.bundle", event="evidence.extracted", handle=bundle_capture),
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    """Delete what is kept no longer, and keep the ledger going."""
    return [
        Job(
            name="evidence.delete_expired",
            title="到期证据销毁",
            run=delete_expired,
            cron="20 * * * *",
            timeout_seconds=1800,
        ),
        Job(name="evidence.end_matching", title="人脸比对到期停用", run=end_expired, every_seconds=300),
        *custody_jobs.JOBS,
    ]


@hookimpl
def register_pages() -> Sequence[Pages]:
    """Let people judge cases, and the person concerned see what is known."""
    return [case_pages.pages, notice_pages.pages, hand_over_pages.pages]


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
        ),
        MenuEntry(
            name="evidence.review",
            title="案件复核",
            permission="evidence:review",
            href="/evidence/review",
            order=21,
        ),
        MenuEntry(
            name="evidence.countersign",
            title="案件会签",
            permission="evidence:countersign",
            href="/evidence/countersign",
            order=22,
        ),
        MenuEntry(
            name="evidence.hand_overs",
            title="移送执法",
            permission="evidence:hand_over",
            href="/evidence/hand-overs",
            order=23,
        ),
    ]


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
def register_map_records() -> Sequence[MapRecord]:
    """Let people find and open them on the map."""
    return cards.RECORDS


@hookimpl
def register_card_parts() -> Sequence[CardPart]:
    """Say on cards what is known of them."""
    return cards.PARTS


@hookimpl
def register_health_checks() -> Sequence[HealthCheck]:
    """Look whether the vision models are there, and how long captures wait."""
    return [*health.CHECKS, *matching_health.CHECKS]


@hookimpl
def register_commands() -> Sequence[Command]:
    """Offer a camera for trying things out, and care for the ledger."""
    return [send_capture, verify_evidence, *custody_commands.COMMANDS]


@hookimpl
def mask_photo(sha256: str, space: str) -> MaskedPhoto | None:
    """Mask photos that others publish, with the models that mask evidence."""
    return masked_photo(sha256, space)


@hookimpl
def load_demo(district: DemoDistrict) -> None:
    """Let some cameras of the fictional district see something."""
    demo.load_captures(district)

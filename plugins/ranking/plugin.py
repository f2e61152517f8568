"""All that ranking adds to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    BlobUser,
    Blueprint,
    DemoDistrict,
    EventHandler,
    EventKind,
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
from plugins.ranking import demo, panels
from plugins.ranking.appeals import routes as appeal_routes
from plugins.ranking.appeals import telling as appeal_telling
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.ledger import hearing, telling
from plugins.ranking.ledger import routes as ledger_routes
from plugins.ranking.ledger.models import Book, Charge, Entry, Subject
from plugins.ranking.ledger.photos import BLOB_USER
from plugins.ranking.pages import pages
from plugins.ranking.points import APPEAL, DECIDE, EDIT, ENTER, EXPORT, VIEW
from plugins.ranking.rules import routes as rule_routes
from plugins.ranking.rules.models import Rule


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Let offices keep the ledger, and those who are assessed read and appeal."""
    higher = ("district_staff", "street_staff")
    offices = (*higher, "community_staff")
    return [
        Permission(VIEW, "查看小区考核", (*offices, "supervisor", "property_staff")),
        Permission(EXPORT, "导出小区考核", offices),
        Permission(ENTER, "人工计分", higher),
        Permission(APPEAL, "对扣分提出申诉", ("property_staff", "community_staff")),
        Permission(DECIDE, "裁决申诉、冲销计分", higher),
        Permission(EDIT, "维护考核细则", ("district_staff",)),
    ]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return rules, the ledger and appeals."""
    return [Rule, Book, Subject, Charge, Entry, Appeal]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Return the routes of rules, ledger and appeals."""
    return [
        rule_routes.blueprint,
        ledger_routes.charges,
        ledger_routes.entries,
        ledger_routes.accounts,
        appeal_routes.blueprint,
    ]


@hookimpl
def register_pages() -> Sequence[Pages]:
    """Let people work on a page."""
    return [pages.pages]


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Show the way to the ledger."""
    return [MenuEntry(name="ranking.charges", title="小区考核", permission=VIEW, href="/ranking/charges", order=45)]


@hookimpl
def register_problem_codes() -> Sequence[ProblemCode]:
    """Say what may stand against points and appeals."""
    return [
        ProblemCode("rule_unknown", 422, "没有这条细则", "没有这条考核细则，或当日未生效。"),
        ProblemCode("photo_missing", 422, "缺少照片", "请上传现场照片。"),
        ProblemCode("nothing_to_appeal", 409, "没有可申诉的扣分", "这项计分没有有效的扣分，不需要申诉。"),
        ProblemCode("appeal_exists", 409, "已经申诉", "这项扣分已经提出过申诉。"),
        ProblemCode("appeal_too_late", 409, "已过申诉期限", "这项扣分的申诉期限已过。"),
        ProblemCode("own_decision", 403, "不能裁决自己经手的扣分", "作出扣分或提出申诉的人不能裁决，请由他人裁决。"),
    ]


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell of points and appeals."""
    return [*telling.EVENTS, *appeal_telling.EVENTS]


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Hear what happens in compounds."""
    return hearing.HANDLERS


@hookimpl
def register_message_templates() -> Sequence[MessageTemplate]:
    """Tell who was given a deduction, who has to decide, and how it was decided."""
    return [*telling.TEMPLATES, *appeal_telling.TEMPLATES]


@hookimpl
def register_blob_users() -> Sequence[BlobUser]:
    """Say which photos are named."""
    return [BLOB_USER]


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Sum points."""
    return telling.METRICS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Show points on the cockpit."""
    return panels.PANELS


@hookimpl
def load_demo(district: DemoDistrict) -> None:
    """Let compounds of the fictional district be assessed."""
    demo.load_assessments(district)

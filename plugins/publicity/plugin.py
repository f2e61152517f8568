"""All that publicity adds to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import (
    BlobUser,
    Blueprint,
    DemoDistrict,
    EventHandler,
    EventKind,
    MapLayer,
    MenuEntry,
    Metric,
    Pages,
    Panel,
    Permission,
    ProblemCode,
    Record,
    Theme,
    hookimpl,
)
from plugins.publicity.exposure import demo, offers, panels
from plugins.publicity.open311 import key_routes
from plugins.publicity.open311 import routes as open311_routes
from plugins.publicity.open311.keys import OPEN311, ApiKey


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Let residents report, offices judge, and vendors make keys."""
    return [*offers.PERMISSIONS, Permission(OPEN311, "管理 Open311 密钥", ("vendor",))]


@hookimpl
def register_documents() -> Sequence[type[Record]]:
    """Return exposures, who sent them, and keys of programs."""
    return [*offers.DOCUMENTS, ApiKey]


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    """Take reports in, let people follow and judge them, and let programs speak Open311."""
    return [*offers.BLUEPRINTS, key_routes.blueprint, open311_routes.blueprint]


@hookimpl
def register_pages() -> Sequence[Pages]:
    """Let people report and follow, and moderators judge."""
    return offers.PAGES


@hookimpl
def register_problem_codes() -> Sequence[ProblemCode]:
    """Say what may be wrong."""
    codes = [ProblemCode("organisation_needed", 422, "账号没有单位", "请先由管理员为您的账号设置所属单位。")]
    return [*offers.PROBLEMS, *codes]


@hookimpl
def register_events() -> Sequence[EventKind]:
    """Tell what happens to exposures."""
    return offers.EVENTS


@hookimpl
def register_event_handlers() -> Sequence[EventHandler]:
    """Make copies, raise alerts, and tell reporters what becomes of them."""
    return offers.handlers()


@hookimpl
def register_blob_users() -> Sequence[BlobUser]:
    """Say which pictures are named."""
    return offers.BLOB_USERS


@hookimpl
def register_menu_entries() -> Sequence[MenuEntry]:
    """Show the ways."""
    return offers.MENU


@hookimpl
def register_themes() -> Sequence[Theme]:
    """Open the theme of publicity."""
    return panels.THEMES


@hookimpl
def register_metrics() -> Sequence[Metric]:
    """Count exposures."""
    return panels.METRICS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Show exposures on the cockpit."""
    return panels.PANELS


@hookimpl
def register_map_layers() -> Sequence[MapLayer]:
    """Show where exposures wait or are being handled."""
    return panels.LAYERS


@hookimpl
def load_demo(district: DemoDistrict) -> None:
    """Let residents of the fictional district report."""
    demo.load_exposures(district)

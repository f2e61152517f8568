"""Put the platform together: the process, its plugins, and the Flask app with all routes but the cockpit's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Flask
from mongoengine import Document

import backend
from backend import (
    accounts,
    blobs,
    events,
    health,
    http,
    identity,
    inbox,
    jobs,
    messages,
    monitoring,
    protection,
    rollups,
    screens,
    storage,
)
from backend.demo import make_demo
from backend.events import Event, EventHandler
from backend.identity import PLATFORM_PERMISSIONS, install_roles, module_on, module_on_anywhere
from backend.identity.attempts import ensure_attempt_indexes
from backend.identity.demo import DemoAccount
from backend.jobs import Job
from backend.plugin_api import registry as registries
from backend.plugin_api.panels import STANDARD_THEMES
from backend.plugin_api.records import MenuEntry
from backend.plugin_api.registry import Registry
from backend.plugins_host import load_plugins
from backend.protection import audit
from backend.settings import Settings, configure
from backend.storage import migrations

#: The platform's own codes: later the table holds those of plugins too.
PROBLEM_CODES = tuple(http.code_table())

DOCUMENTS: tuple[type[Document], ...] = (
    *identity.DOCUMENTS,
    *accounts.DOCUMENTS,
    *events.DOCUMENTS,
    *jobs.DOCUMENTS,
    *rollups.DOCUMENTS,
    *messages.DOCUMENTS,
    *screens.DOCUMENTS,
    *http.DOCUMENTS,
)


def create_app(settings: Settings, *, with_installed: bool = True) -> Flask:
    """Configure and connect this process, load the plugins and return the app; the cockpit is for `wsgi` to add.

    Workers and commands call this too: the plugins that run are then the same everywhere. Raises SettingsError, and
    MasterKeyError when the master key is missing or is not that of the data.
    """
    configure(settings)
    monitoring.configure_logs(settings)
    storage.connect(settings.mongodb_url, settings.mongodb_database)
    app = Flask(__name__)
    api = http.install(app, settings, title="清序开放接口", version=backend.__version__)
    accounts.install(app, api)
    inbox.install(app, api)
    health.install(app, api)
    registry = registries.install(
        load_plugins(settings, core=core_records(settings), url_map=app.url_map, with_installed=with_installed)
    )
    spread(registry)
    for blueprint in registry.blueprints:
        api.register_blueprint(blueprint)
    for pages in registry.pages:
        app.register_blueprint(pages)
    health.observe_plugins(app, registry)
    return app


def core_records(settings: Settings) -> Registry:
    """Return the platform's own records, whose names no plugin may take."""
    return Registry(
        permissions=PLATFORM_PERMISSIONS,
        documents=DOCUMENTS,
        menu_entries=(
            MenuEntry(
                name="platform.health", title="系统运行状况", permission="platform:health", href="/health", order=900
            ),
            MenuEntry(
                name="platform.messages",
                title="消息管理",
                permission="platform:messages",
                href="/messages/manage",
                order=890,
            ),
            MenuEntry(
                name="platform.boards",
                title="驾驶舱编排",
                permission="platform:boards",
                href="/cockpit/boards",
                order=880,
            ),
        ),
        themes=STANDARD_THEMES,
        event_handlers=messages.HANDLERS,
        jobs=(
            *events.background_jobs(),
            *rollups.background_jobs(),
            Job(name="audit.seal", title="审计链封存", run=audit.seal, every_seconds=10),
            *blobs.background_jobs(),
        ),
        problem_codes=PROBLEM_CODES,
        health_checks=(*health.CHECKS, messages.CHECK),
        # What would go out is written into a file where there is nobody to send it to.
        channels=(messages.FILE,) if settings.mode == "demo" else (),
    )


def spread(registry: Registry) -> None:
    """Hand the records to those parts of the platform that work with them."""
    http.register(registry.problem_codes)
    identity.know_permissions(registry.permissions)
    accounts.install_menu(registry.menu_entries)
    events.install(registry.event_handlers, is_enabled=is_enabled)
    rollups.install(registry.metrics)
    messages.install(registry.message_templates, registry.channels)
    blobs.install_users(registry.blob_users)
    jobs.install(switchable(job, registry.owner_of(job)) for job in registry.jobs)


def is_enabled(handler: EventHandler, event: Event) -> bool:
    """Say whether the handler's module is on where the event happened."""
    return module_on(handler.plugin, event.area)


def switchable(job: Job, owner: str) -> Job:
    """Return the job so that it skips while its module is off in every area."""
    if owner == registries.PLATFORM:
        return job

    def run(**arguments: object) -> object:
        return job.run(**arguments) if module_on_anywhere(owner) else None

    return replace(job, run=run)


def prepare(settings: Settings, tell: Callable[[str], None]) -> list[DemoAccount]:
    """Bring the database up: keys, indexes, migrations, roles, and the demo district once; may be run at any time.

    Returns the demo accounts, none outside of demo mode. Raises MigrationError, and DemoFailed.
    """
    create_app(settings)
    registry = registries.installed()
    protection.ensure_keys()
    # Indexes come before data: building one over many records can take the embedded store very long.
    storage.ensure_indexes(registry.documents)
    audit.ensure_indexes()
    blobs.ensure_indexes()
    ensure_attempt_indexes()
    migrations.migrate(registry.migration_folders(), tell=lambda script: tell(f"Migration {script.id}"))
    install_roles(registry.permissions)
    if settings.mode != "demo":
        return []
    made = make_demo(settings, registry, tell)
    tell("Summing the figures for the cockpit")
    rollups.recompute_dirty()
    return made

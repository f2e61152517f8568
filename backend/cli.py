"""The commands of `python -m backend`."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backend import __version__
from backend.embedded import StartError
from backend.run import adopt_running, note_accounts
from backend.run import run as run_everything
from backend.run.telling import tell
from backend.settings import Settings, SettingsError, variable

if TYPE_CHECKING:
    from backend.plugin_api.registry import Registry


class PlatformCommands(click.Group):
    """The commands below, and those for which the platform has to be up: of its packages and of plugins.

    The platform is loaded only when a command is asked for that is not below, so the others start at once.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        """Return all names; without a database only those of the commands that need none."""
        try:
            more = list(platform_commands())
        except (SettingsError, StartError):
            more = []
        return sorted({*super().list_commands(context), "new-plugin", *more})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command `name`."""
        if name == "new-plugin":
            # Needs no database, but more than the commands below should wait for.
            from backend.plugins_host.commands import new_plugin

            return new_plugin
        return super().get_command(context, name) or platform_commands().get(name)


@click.group(cls=PlatformCommands, help="Qingxu 清序: the platform's commands. Settings come from QINGXU_* variables.")
@click.version_option(__version__)
def cli() -> None:
    """Group of all commands."""


@cli.command()
def run() -> None:
    """Run everything on this machine until Ctrl-C. 在本机启动全部服务."""
    run_everything(Settings.from_env())


@cli.command()
def prepare() -> None:
    """Bring the database up: keys, indexes, migrations, roles, in demo mode the demo. 准备数据库."""
    from backend import app
    from backend.demo.making import DemoFailed
    from backend.monitoring import metrics
    from backend.storage.migrations import MigrationError

    settings = Settings.from_env()
    metrics.prepare_folder(settings.data_dir / "metrics")
    try:
        made = app.prepare(settings, tell)
    except (MigrationError, DemoFailed) as error:
        raise StartError(str(error)) from error
    note_accounts(settings.data_dir, [(each.title, each.account, each.password) for each in made])


@cli.command()
@click.argument("queues", nargs=-1, required=True)
def worker(queues: tuple[str, ...]) -> None:
    """Work on QUEUES (default, vision, outbound, reports) until SIGTERM. 后台任务进程."""
    from backend import jobs

    if unknown := set(queues) - set(jobs.QUEUES):
        raise click.ClickException(f"There is no queue {', '.join(sorted(unknown))}, only {', '.join(jobs.QUEUES)}.")
    load_platform()
    jobs.run_worker(queues)


@cli.command()
def scheduler() -> None:
    """Start what is due, until SIGTERM. One is enough, several do no harm. 定时任务进程."""
    from backend import jobs

    jobs.run_scheduler(load_platform().jobs)


def main() -> None:
    """Run a command; what the operator can put right is one sentence, without a traceback."""
    try:
        cli(prog_name="python -m backend")
    except (SettingsError, StartError) as error:
        click.echo(f"qingxu: {error}", err=True)
        sys.exit(1)


def load_platform() -> Registry:
    """Make this process one of the platform's: settings, logs, store, plugins; returns all that they add.

    A command joins the platform that runs in the data folder, unless the environment says otherwise. Raises
    StartError when there is no database.
    """
    from backend.app import create_app
    from backend.plugin_api.registry import installed
    from backend.run.given import check_mongodb

    adopt_running(Path(os.environ.get(variable("data_dir"), "data")))
    settings = Settings.from_env()
    if not settings.mongodb_url:
        raise StartError("No platform runs in the data folder: start it (make run), or set QINGXU_MONGODB_URL.")
    check_mongodb(settings.mongodb_url)
    create_app(settings)
    return installed()


@cache
def platform_commands() -> dict[str, click.Command]:
    """Return the commands that need the platform, its packages' and its plugins', by name."""
    from backend.blobs import WRAPPED_KEYS
    from backend.blobs.commands import scrub_blobs
    from backend.identity.commands import create_administrator, import_boundaries
    from backend.protection.commands import commands as protection_commands
    from backend.storage.commands import db_commands

    registry = load_platform()
    commands = [
        create_administrator,
        import_boundaries,
        db_commands(registry.migration_folders),
        scrub_blobs,
        *protection_commands(lambda: registry.documents, [WRAPPED_KEYS]),
        *registry.commands,
    ]
    return {command.name: command for command in commands if command.name}

"""The operator's commands for the shape of stored data; the process is configured and connected before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import click

from backend.storage import migrations
from backend.storage.migrations import Locked, MigrationError
from backend.storage.records import LOCAL_ZONE

T = TypeVar("T")

STATES = {"done": "已执行", "waiting": "待执行", "failed": "失败", "changed": "执行后被改动", "lost": "脚本已不存在"}


def db_commands(folders: Callable[[], Iterable[Path]]) -> click.Group:
    """Return the group `db`; `folders` is asked for all folders of migrations, the platform's and the plugins'."""

    @click.group("db", help="数据迁移。")
    def db() -> None:
        pass

    @db.command("status", help="列出所有迁移脚本及其状态；有待执行或失败的脚本时以 1 退出。")
    def status() -> None:
        rows = _or_sentence(lambda: migrations.status(folders()))
        for row in rows:
            at = f"{row.at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}" if row.at else "-"
            click.echo(f"{STATES[row.state]}\t{at}\t{row.id}\t{row.error or row.why}")
        if not rows:
            click.echo("没有迁移脚本。")
        if any(row.state in ("waiting", "failed") for row in rows):
            raise click.exceptions.Exit(1)

    @db.command("migrate", help="按日期顺序执行待执行的迁移脚本；遇到失败即停止。")
    @click.option("--dry-run", is_flag=True, help="只列出将要执行的脚本，不改动数据")
    def migrate(dry_run: bool) -> None:
        if dry_run:
            for script in _or_sentence(lambda: migrations.pending(folders())):
                click.echo(f"将执行 {script.id}\t{script.why}")
            return
        done = _or_sentence(
            lambda: migrations.migrate(folders(), tell=lambda script: click.echo(f"执行 {script.id}\t{script.why}"))
        )
        click.echo(f"完成，共执行 {len(done)} 个迁移脚本。")

    return db


def _or_sentence(work: Callable[[], T]) -> T:
    """Turn a failure into the one sentence that names the script."""
    try:
        return work()
    except Locked as error:
        raise click.ClickException("另一个进程正在执行迁移。") from error
    except MigrationError as error:
        raise click.ClickException(f"迁移停止：{error}") from error

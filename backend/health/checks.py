"""The platform's own health checks."""

from __future__ import annotations

import shutil

import pymongo
from redis.exceptions import RedisError

from backend import settings, storage
from backend.blobs import scrub_status
from backend.events import dead_deliveries
from backend.health import figures
from backend.jobs import connection, dead_jobs
from backend.monitoring import Health, HealthCheck
from backend.monitoring.faults import STORE_ERRORS
from backend.plugin_api.registry import installed
from backend.storage import migrations
from backend.storage.migrations import MigrationError

# A probe must answer soon, above all when the store does not.
PROBE_SECONDS = 2.0
OUTBOX_LATE_SECONDS = 300
LEAST_FREE_BYTES = 2_000_000_000
LONG_QUEUE = 1000
LATE_SCRUB_DAYS = 30


def store() -> Health:
    """Ask the store who it is."""
    try:
        with pymongo.timeout(PROBE_SECONDS):
            return Health("ok", storage.store_name())
    except STORE_ERRORS:
        return Health("fail", "数据库没有应答，请检查数据库服务和网络。")


def queue_store() -> Health:
    """Ask Redis for a sign of life."""
    try:
        connection().ping()
    except RedisError:
        return Health("fail", "Redis 没有应答：后台任务和事件要等它恢复后补做，请检查 Redis 服务。")
    return Health("ok", "Redis 应答正常")


def migrated() -> Health:
    """Look for migrations that have not run."""
    try:
        with pymongo.timeout(PROBE_SECONDS):
            waiting = migrations.pending(installed().migration_folders())
    except MigrationError as error:
        return Health("fail", f"迁移脚本有误：{error}")
    except STORE_ERRORS:
        return Health("warn", "数据库没有应答，没有检查。")
    if waiting:
        return Health("fail", f"有 {len(waiting)} 个数据迁移尚未执行，请运行 python -m backend db migrate。")
    return Health("ok", "数据结构已是最新")


def outbox() -> Health:
    """Look for events that nobody takes and for work that failed for good."""
    with pymongo.timeout(PROBE_SECONDS):
        age, deliveries, jobs = figures.outbox_age_seconds(), len(dead_deliveries()), len(dead_jobs())
    if deliveries or jobs:
        return Health("warn", f"有 {deliveries} 个事件投递和 {jobs} 个任务多次失败后被搁置，请查看原因后重试。")
    if age > OUTBOX_LATE_SECONDS:
        return Health("warn", f"最早的事件已等待 {age / 60:.0f} 分钟，请检查后台进程。")
    return Health("ok", "没有积压")


def workers() -> Health:
    """Look for queues that nobody serves."""
    counted = figures.queues()
    if idle := [each.name for each in counted if each.waiting and not each.workers]:
        return Health("fail", f"队列 {'、'.join(idle)} 有任务等待，但没有后台进程。")
    if long := [each.name for each in counted if each.waiting > LONG_QUEUE]:
        return Health("warn", f"队列 {'、'.join(long)} 积压超过 {LONG_QUEUE} 个任务。")
    if not any(each.workers for each in counted):
        return Health("warn", "没有后台进程在运行。")
    return Health("ok", f"{sum(each.waiting for each in counted)} 个任务等待")


def disk() -> Health:
    """Look at the room left where the data lies."""
    folder = settings.current().data_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Health("ok" if free > LEAST_FREE_BYTES else "warn", f"数据目录所在磁盘剩余 {free / 1e9:.1f} GB")


def blobs_sound() -> Health:
    """Look at what the scrub of blobs has found."""
    with pymongo.timeout(PROBE_SECONDS):
        status = scrub_status()
    if status.rotten:
        named = "、".join(f"{each.space} {each.sha256[:12]}" for each in status.rotten[:3])
        return Health("fail", f"{status.rotten_count} 个文件已损坏或缺失：{named}。请从备份恢复，或重新提交原文件。")
    if status.finished_at is None:
        return Health("ok", f"首轮检查中，已检查 {status.checked} 个文件")
    if (storage.utcnow() - status.finished_at).days >= LATE_SCRUB_DAYS:
        return Health("warn", f"上次查完全部文件是 {LATE_SCRUB_DAYS} 天以前，请调大 QINGXU_SCRUB_BYTES。")
    at = status.finished_at.astimezone(storage.LOCAL_ZONE).strftime("%m-%d %H:%M")
    return Health("ok", f"{at} 查完一轮，{status.round_checked} 个文件完好")


STORE = HealthCheck(name="platform.store", title="数据库", run=store)
QUEUE_STORE = HealthCheck(name="platform.redis", title="Redis", run=queue_store)
MIGRATIONS = HealthCheck(name="platform.migrations", title="数据迁移", run=migrated)

#: What must be so before requests are sent to this process.
READINESS = (STORE, QUEUE_STORE, MIGRATIONS)
#: All checks of the platform, for the health page.
CHECKS = (
    STORE,
    QUEUE_STORE,
    MIGRATIONS,
    HealthCheck(name="platform.outbox", title="事件与任务", run=outbox),
    HealthCheck(name="platform.workers", title="后台进程", run=workers),
    HealthCheck(name="platform.disk", title="磁盘空间", run=disk),
    HealthCheck(name="platform.blobs", title="文件完好", run=blobs_sound),
)

"""Background work of custody."""

from __future__ import annotations

from backend.plugin_api import Job
from plugins.evidence.custody.ledger import chain_waiting
from plugins.evidence.custody.roots import make_all_roots
from plugins.evidence.custody.stamping import stamp_waiting
from plugins.evidence.custody.verifying import districts, verify_and_keep

VERIFY = "evidence.verify_ledger"


def verify_ledger(district: str | None = None) -> None:
    """Verify one district, or all, and keep what was found."""
    for each in districts() if district is None else [district]:
        verify_and_keep(each)


JOBS = [
    Job(name="evidence.chain_ledger", title="存证条目入链", run=chain_waiting, every_seconds=10),
    Job(
        name="evidence.make_roots", title="生成存证默克尔根", run=make_all_roots, cron="0 * * * *", timeout_seconds=300
    ),
    Job(
        name="evidence.stamp_roots",
        title="存证根加盖时间戳",
        run=stamp_waiting,
        every_seconds=30,
        queue="outbound",
        timeout_seconds=300,
    ),
    Job(
        name=VERIFY, title="校验存证链", run=verify_ledger, cron="40 2 * * *", queue="reports", timeout_seconds=4 * 3600
    ),
]

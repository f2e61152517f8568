"""Whatever kills a worker while it escalates: each share of a limit is told once, and none is left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backend.settings import Settings
from backend.storage import client
from plugins.dispatch.orders.escalation import escalate
from tests.dispatch.conftest import Ground


def test_killed_before_any_message_each_share_is_told_once(ground: Ground, store: Settings) -> None:
    words = [store.mongodb_url, store.redis_url, store.mongodb_database, str(store.data_dir), store.master_key]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.dispatch.killed_escalation", *words],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        ended, kills = "killed", 0
        while ended == "killed":
            order = ground.dispatch(ground.street, ground.alert())
            ground.age(order, minutes=130)  # two shares at once
            process.stdin.write(f"{kills + 1}\n")
            process.stdin.flush()
            ended = process.stdout.readline().strip()
            assert ended in ("killed", "done 0")
            # A store keeps what a dead process wrote in an open transaction locked for a minute; this ends it at once.
            client().admin.command({"killAllSessions": []})
            escalate()
            assert sorted(each["percent"] for each in ground.events("work_order.escalated", order)) == [50, 100]
            assert len(ground.events("work_order.overdue", order)) == 1
            assert [each["verb"] for each in ground.stored(order)["timeline"]].count("escalate") == 2
            assert ground.stored(order)["escalated"] == 100
            kills += ended == "killed"
        process.stdin.close()
    assert kills > 5

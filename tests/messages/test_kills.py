"""Whatever kills a worker: every message is in the inbox once, and a channel repeats at most what was under way."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from backend import events, messages
from backend.events import StoredEvent, deliver_due
from backend.messages import Message
from backend.settings import Settings
from backend.storage import client
from tests.messages.conftest import Post
from tests.messages.killed_worker import TEMPLATE

ROOT = Path(__file__).parents[2]
#: The points on the way of a message, from the order to the channel's mark; and of one that is summed up with others.
POINTS, POINTS_SUMMED = 25, 12


@pytest.fixture
def worker(clean: Settings, tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """Yield a function that runs a worker to be killed at its n-th point and says how it ended."""
    given = [clean.mongodb_url, clean.redis_url, clean.mongodb_database, clean.master_key, str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.messages.killed_worker", *given],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(point: int) -> str:
            process.stdin.write(f"{point}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield run
        process.stdin.close()


def test_a_worker_killed_at_any_point_loses_no_message_and_puts_none_twice(
    post: Post, worker: Callable[[int], str], tmp_path: Path
) -> None:
    wang = post.district.sign_in()
    messages.install([TEMPLATE], messages.channels())
    for number, point in enumerate([*range(1, POINTS + 1), *range(1, POINTS_SUMMED + 1)], 1):
        # The person gets as many one by one as there are points; what comes after is summed up.
        post.send(wang, values={"number": str(number)}, dedupe=str(number))
        assert worker(point) == "killed", number
        # A store keeps what a dead process wrote in an open transaction locked for a minute; this ends it at once.
        client().admin.command({"killAllSessions": []})
        redis.Redis.from_url(post.district.settings.redis_url).flushall()
        post.wake()
        deliver_due()
        assert worker(0) == "done"

    rows = list(Message._get_collection().find())
    alone, summed = [row for row in rows if not row["summed"]], [row for row in rows if row["summed"]]
    assert len(alone) == POINTS
    assert [row["summed"] for row in summed] == [POINTS_SUMMED]

    # Every message but the one that still counts on went over the channel, and none without need twice.
    lines = (tmp_path / "sent.txt").read_text(encoding="utf-8").splitlines()
    ids = Counter(line.partition("-")[0] for line in lines)
    assert set(ids) == {str(row["_id"]) for row in alone}
    assert max(ids.values()) <= 2 and len(lines) - len(ids) <= 2
    [waiting] = StoredEvent.objects(open=True)
    assert waiting.payload["message"] == str(summed[0]["_id"])
    events.install([])

"""Who is told of what: the one who is to act, in the inbox, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend import events, messages
from backend.events import Event, StoredEvent, deliver_due
from backend.jobs import run_worker
from backend.storage import database
from plugins.dispatch.orders import notifying
from plugins.dispatch.orders.escalation import escalate
from tests.dispatch.conftest import Ground
from tests.district import Caller


@pytest.fixture
def post(ground: Ground) -> Iterator[Ground]:
    """Let messages be delivered, and nothing else."""
    messages.install(notifying.TEMPLATES, [])
    events.install([*messages.HANDLERS, *notifying.HANDLERS])
    yield ground
    events.install([])


def work() -> None:
    """Let the workers do what is due: the events first, then the messages that come of them."""
    for _ in range(2):
        deliver_due()
        run_worker(["default"], burst=True)


def titles(by: Caller) -> list[str]:
    """Return what stands in somebody's inbox."""
    return sorted(each["title"] for each in by.get("/api/v1/messages")["items"])


def test_each_is_told_what_is_to_be_done_once(post: Ground) -> None:
    order = post.dispatch(post.street, post.alert())
    post.age(order, minutes=125)
    escalate()
    work()
    for row in StoredEvent.objects(name__startswith="work_order."):
        told = {"occurred_at": row.occurred_at, "area": row.area, "payload": row.payload}
        for handler in notifying.HANDLERS:
            if handler.event == row.name:
                handler.handle(Event(id=str(row.id), name=row.name, **told))  # at least once means perhaps twice
    order = post.replied(post.worker, post.take(post.worker, post.see(post.worker, order)))
    work()
    assert titles(post.worker) == ["新派单", "派单即将超期", "派单已超期"]
    assert titles(post.community) == ["派单待核查", "派单督办"]
    assert titles(post.street) == ["派单环节超时", "派单督办"]
    post.step(post.street, order, "send_back", reason="不彻底")
    work()
    assert titles(post.worker)[-1] == "派单返工"
    newest = post.worker.get("/api/v1/messages")["items"][0]
    assert "不彻底" in newest["text"] and newest["href"] == f"/dispatch/orders#{order['id']}"


def test_what_is_settled_meanwhile_is_not_told(post: Ground) -> None:
    order = post.dispatch(post.street, post.alert())
    order = post.dispatch(post.street, order, handler=str(post.community.user.id))
    order = post.step(post.community, post.see(post.community, order), "return", reason="不属于本社区")
    work()
    assert titles(post.worker) == ["派单已改派"]
    assert titles(post.community) == ["派单退回"]
    post.step(post.street, order, "dismiss", reason="重复")
    work()
    assert titles(post.worker) == ["派单已改派"]


def test_whoever_is_on_the_way_is_told_that_it_is_over(post: Ground) -> None:
    order = post.take(post.worker, post.dispatch(post.street, post.alert()))
    post.step(post.chief, order, "force_close", reason="已由他人清理")
    work()
    assert titles(post.worker) == ["派单已终止"]
    assert database()["messages"].count_documents({}) == 1

"""With the real module of orders: what a company handles too late costs its compound points, until it is reopened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.events import deliver_due
from backend.identity.resolving import principal_of
from backend.jobs import run_worker
from backend.plugin_api import WorkOrderRequest, open_work_order
from backend.storage import utcnow
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.replying import reply
from plugins.dispatch.orders.steps import dispatch, take, take_step
from plugins.dispatch.orders.targets import chosen
from tests.ranking.conftest import HOME, Ground


def work() -> None:
    """Deliver all that was told."""
    for _ in range(3):
        deliver_due()
        run_worker(["default"], burst=True)


def test_an_order_that_is_closed_late_and_reopened(ground: Ground) -> None:
    street: Any = principal_of(ground.street.user.id)
    worker: Any = principal_of(ground.manager.user.id)
    request = WorkOrderRequest(source="patrol", source_id="1", kind="E10", title="设备离线", area=HOME, point="T1")
    facts = open_work_order(request)
    assert facts is not None
    sent = utcnow() - timedelta(days=5)
    whole = WorkOrder.objects.get(id=ObjectId(facts.id))
    company = chosen(HOME, {"organisation": str(ground.company)})
    order = dispatch(street, whole, company, at=sent)
    order = take(worker, order, at=sent + timedelta(hours=1))
    order = reply(worker, order, {"note": "已恢复"}, {}, at=sent + timedelta(days=2))
    order = take_step(street, order, "close", reason="已恢复", at=sent + timedelta(days=3))
    work()
    [entry] = ground.entries()
    assert (entry["rule"], entry["points"], entry["number"]) == ("P02", -50, order.number)
    assert entry["occurred_at"] == sent + timedelta(days=3)
    take_step(street, order, "reopen", reason="问题反复")
    work()
    assert [row["points"] for row in ground.entries()] == [-50, 50]

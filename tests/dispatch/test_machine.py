"""Orders driven through random steps, legal and illegal, by people who may and who may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.identity import Forbidden
from backend.identity.resolving import principal_of
from backend.plugin_api import Problem, WorkOrderRequest, acting
from backend.protection import Actor
from backend.storage import database
from backend.workflow import WorkflowError
from plugins.dispatch.orders.escalation import escalate
from plugins.dispatch.orders.models import HANDLING, ORDER_FLOW, WorkOrder
from plugins.dispatch.orders.opening import open_order
from plugins.dispatch.orders.replying import has_proof, reply
from plugins.dispatch.orders.steps import dispatch, merge, take, take_step
from tests.dispatch.conftest import LAT, LON, Ground, photo
from tests.district import EAST_ONE

VERBS = sorted({way.verb for way in ORDER_FLOW.transitions})
PHOTO = photo()
REFUSALS = (Problem, Forbidden, WorkflowError)


class Orders(RuleBasedStateMachine):
    """Two orders of one place; whatever is tried, what must hold holds."""

    ground: Ground

    @initialize()
    def begin(self) -> None:
        """Report both."""
        ground = self.ground
        for name in ("work_orders", "events"):
            database()[name].delete_many({})
        self.people = [
            principal_of(each.user.id) for each in (ground.chief, ground.street, ground.community, ground.worker)
        ]
        self.ids = [
            open_order(
                WorkOrderRequest(
                    source="patrol", source_id=f"s{n}", kind="E02", title="满溢", area=f"{EAST_ONE}/C1", point="T1"
                )
            ).id
            for n in range(2)
        ]

    def order(self, which: int) -> WorkOrder:
        """Return an order as it is now."""
        return WorkOrder.objects.get(id=self.ids[which])

    def attempt(self, by: Any, step: Any) -> bool:
        """Try a step; whether it was possible."""
        try:
            with acting(Actor(id=str(by.id), name=by.name, kind="user")):
                step()
        except REFUSALS:
            return False
        return True

    @rule(
        which=st.integers(0, 1), who=st.integers(0, 3), verb=st.sampled_from(VERBS), why=st.sampled_from(["", "有原因"])
    )
    def step(self, which: int, who: int, verb: str, why: str) -> None:
        """Take any step, whether it is possible or not."""
        if verb == "reply":  # there is no way to reply but with proof
            return
        order, by = self.order(which), self.people[who]
        before = order.to_mongo()
        if not self.attempt(by, lambda: take_step(by, order, verb, reason=why, minutes=30)):
            assert self.order(which).to_mongo() == before

    @rule(which=st.integers(0, 1), who=st.integers(0, 2))
    def send(self, which: int, who: int) -> None:
        """Dispatch in one tap."""
        order, by = self.order(which), self.people[who]
        self.attempt(by, lambda: dispatch(by, order, None))

    @rule(which=st.integers(0, 1), who=st.integers(0, 3))
    def accept(self, which: int, who: int) -> None:
        """Take it on."""
        order, by = self.order(which), self.people[who]
        self.attempt(by, lambda: take(by, order))

    @rule(which=st.integers(0, 1), who=st.integers(0, 3), whole=st.booleans())
    def answer(self, which: int, who: int, whole: bool) -> None:
        """Reply with all that is asked for, or with nothing."""
        order, by = self.order(which), self.people[who]
        photos = {"before": [PHOTO], "after": [PHOTO]} if whole else {}
        given = {"note": "好了", "longitude": LON, "latitude": LAT}
        done = self.attempt(by, lambda: reply(by, order, given, photos))
        assert whole or not done

    @rule(which=st.integers(0, 1), stale=st.integers(0, 1), who=st.integers(0, 2))
    def together(self, which: int, stale: int, who: int) -> None:
        """Put one into the other, or into itself."""
        order, into, by = self.order(which), self.order(stale), self.people[who]
        self.attempt(by, lambda: merge(by, order, into, "同一处"))

    @rule(which=st.integers(0, 1), who=st.integers(0, 3))
    def twice(self, which: int, who: int) -> None:
        """Two steps from one reading: at most one of them counts."""
        order, by = self.order(which), self.people[who]
        done = [
            self.attempt(by, lambda verb=verb: take_step(by, order, verb, reason="原因"))
            for verb in ("file", "dismiss")
        ]
        assert sum(done) <= 1

    @rule(minutes=st.integers(1, 400))
    def wait(self, minutes: int) -> None:
        """Let time pass: all clocks that run have run so much longer."""
        for row in database()["work_orders"].find({"running_since": {"$ne": None}}):
            back = {
                name: row[name] - timedelta(minutes=minutes)
                for name in ("running_since", "due_at", "escalate_at")
                if row.get(name)
            }
            database()["work_orders"].update_one({"_id": row["_id"]}, {"$set": back})
        escalate()

    @invariant()
    def what_must_hold(self) -> None:
        """Hold what the requirement says."""
        for id in getattr(self, "ids", ()):
            order = WorkOrder.objects.get(id=id)
            running = order.running_since is not None
            assert running == (order.state in HANDLING), order.state
            if order.state == "suspended":
                assert order.due_at is None and order.escalate_at is None
            if order.state == "closed":
                assert has_proof(order) and order.on_time is not None
                last = order.checks[-1]
                assert last.passed and last.by != order.replies[-1].by
            if order.state in HANDLING:
                assert order.unit and order.due_at is not None
            if order.state not in ORDER_FLOW.final:
                assert any(order.state in way.sources for way in ORDER_FLOW.transitions)
            assert order.timeline[-1]["to"] == order.state and order.version == len(order.timeline)
            told = [
                e["payload"]["percent"]
                for e in database()["events"].find({"name": "work_order.escalated", "payload.order": str(order.id)})
            ]
            again = sum(step["verb"] == "reopen" for step in order.timeline)
            assert all(told.count(percent) <= 1 + again for percent in told)
            assert order.used_minutes >= 0


def test_whatever_is_tried_what_must_hold_holds(ground: Ground) -> None:
    machine = type("Driven", (Orders,), {"ground": ground})
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=checks),
    )

"""A record moves only along the declared ways, one step at a time, and never past its time limit unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mongoengine import StringField, ValidationError

from backend import events
from backend.events import EventHandler, StoredEvent
from backend.protection import Actor
from backend.settings import Settings
from backend.storage import PlacedRecord, atomically, database, ensure_indexes
from backend.workflow import (
    BACK,
    DUE_INDEX,
    Flowing,
    IllegalTransition,
    StaleVersion,
    Transition,
    TransitionRefused,
    Workflow,
)

CLERK = Actor(id="u1", name="张三", kind="street_staff", address="10.0.0.1")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Order(Flowing, PlacedRecord):
    """A work order, as a later module would store it."""

    meta = {"collection": "test_orders", "auto_create_index": False, "indexes": [DUE_INDEX]}

    title = StringField(max_length=20)
    handler = StringField()


def needs_a_handler(order: Order) -> str | None:
    return None if order.handler else "请先指定处理人。"


WAYS = (
    Transition(verb="assign", source="open", target="doing", title="派单"),
    Transition(verb="pause", source=("open", "doing"), target="paused", title="挂起", permission="orders:pause"),
    Transition(verb="resume", source="paused", target=BACK, title="恢复"),
    Transition(verb="close", source="doing", target="closed", title="办结", guard=needs_a_handler),
    Transition(verb="reopen", source="doing", target="open", title="退回"),
)
STATES = {"open": "待派", "doing": "处理中", "paused": "已挂起", "closed": "已办结"}


def declare(**changes: Any) -> Workflow:
    parts: dict[str, Any] = {
        "name": "work_order",
        "title": "派单",
        "initial": "open",
        "states": STATES,
        "transitions": WAYS,
        "final": ("closed",),
        "suspended": ("paused",),
        "limits": {"open": HOUR, "doing": lambda order: 3 * HOUR if order.title == "long" else 2 * HOUR},
    }
    return Workflow(**{**parts, **changes})


ORDERS = declare()


def stored(**values: Any) -> Order:
    return ORDERS.begin(Order(area="330110", **values), actor=CLERK, at=NOON).save(force_insert=True)


@pytest.fixture(autouse=True)
def _clean(clean: Settings) -> None:
    ensure_indexes([Order])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"initial": "nowhere"}, "no state nowhere"),
        ({"states": {**STATES, "lost": "丢失"}, "final": ("closed", "lost")}, "nothing leads to lost"),
        ({"final": ()}, "nothing leads from closed, which is not final"),
        ({"final": ("closed", "doing"), "limits": {}}, "doing is final, yet"),
        ({"limits": {"closed": HOUR}}, "closed can have no time limit"),
        ({"limits": {"paused": HOUR}}, "paused can have no time limit"),
        ({"suspended": ()}, "leads back from paused"),
        (
            {"transitions": (*WAYS, Transition(verb="close", source="doing", target="open", title="又"))},
            "close leads two ways from doing",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        declare(**wrong)


def test_a_step_sets_state_limit_timeline_and_version_in_one_update() -> None:
    order = stored(title="x")
    assert (order.state, order.due_at) == ("open", NOON + HOUR)
    changes = {"handler": "李四"}
    after = ORDERS.fire(order, "assign", actor=CLERK, note="请处理", changes=changes, at=NOON + HOUR / 2)
    assert after.to_mongo() == Order.objects.get().to_mongo(), "what is returned is what is stored"
    assert (after.state, after.version, after.handler, after.title) == ("doing", 2, "李四", "x")
    assert after.due_at == NOON + HOUR / 2 + 2 * HOUR
    assert after.timeline[-1] == {
        "verb": "assign",
        "from": "open",
        "to": "doing",
        "at": NOON + HOUR / 2,
        "actor": "u1",
        "actor_kind": "street_staff",
        "note": "请处理",
    }
    assert [entry["verb"] for entry in after.timeline] == ["begin", "assign"]
    assert (order.state, order.version) == ("open", 1), "the record that was handed in is left alone"


def test_a_limit_may_depend_on_the_record() -> None:
    after = ORDERS.fire(stored(title="long"), "assign", actor=CLERK, at=NOON)
    assert after.due_at == NOON + 3 * HOUR


def test_what_is_not_allowed_changes_nothing() -> None:
    order = stored()
    with pytest.raises(IllegalTransition) as illegal:
        ORDERS.fire(order, "close", actor=CLERK)
    assert (illegal.value.state, illegal.value.verb) == ("open", "close")
    with pytest.raises(ValidationError):
        ORDERS.fire(order, "assign", actor=CLERK, changes={"title": "x" * 21})
    doing = ORDERS.fire(order, "assign", actor=CLERK)
    with pytest.raises(TransitionRefused, match="请先指定处理人"):
        ORDERS.fire(doing, "close", actor=CLERK)
    assert Order.objects.get().to_mongo() == doing.to_mongo()


def test_of_two_who_act_on_the_same_reading_one_is_told_so() -> None:
    order = stored()
    ORDERS.fire(order, "assign", actor=CLERK)
    with pytest.raises(StaleVersion):
        ORDERS.fire(order, "pause", actor=CLERK)
    Order.objects.delete()
    with pytest.raises(StaleVersion):
        ORDERS.fire(order, "assign", actor=CLERK)


def test_the_event_is_published_with_the_step_or_not_at_all() -> None:
    events.install([EventHandler(name="x.y", event="work_order.assign", handle=print)])
    order = stored()

    def fails() -> None:
        ORDERS.fire(order, "assign", actor=CLERK, announce={})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        atomically(fails)
    assert (StoredEvent.objects.count(), Order.objects.get().state) == (0, "open")
    ORDERS.fire(order, "assign", actor=CLERK, announce={"street": "330110001"})
    event = StoredEvent.objects.get()
    assert event.area == "330110"
    assert event.payload == {"id": str(order.id), "from": "open", "to": "doing", "actor": "u1", "street": "330110001"}
    events.install([])
    assert [kind.name for kind in ORDERS.event_kinds()] == [f"work_order.{way.verb}" for way in WAYS]


def test_verbs_are_those_that_are_open_to_the_person() -> None:
    order = stored()
    assert [way.verb for way in ORDERS.verbs(order)] == ["assign", "pause"]
    assert [way.verb for way in ORDERS.verbs(order, lambda permission: False)] == ["assign"]
    doing = ORDERS.fire(order, "assign", actor=CLERK)
    assert [way.verb for way in ORDERS.verbs(doing)] == ["pause", "reopen"]


def test_overdue_records_are_found_by_index_the_longest_first() -> None:
    late, later = stored(title="late"), stored(title="later")
    ORDERS.fire(later, "assign", actor=CLERK, at=NOON)
    ORDERS.fire(stored(), "pause", actor=CLERK, at=NOON)
    assert list(ORDERS.overdue(Order, NOON + HOUR - timedelta(seconds=1))) == []
    assert [each.title for each in ORDERS.overdue(Order, NOON + 2 * HOUR)] == ["late", "later"]
    assert late.id == ORDERS.overdue(Order, NOON + HOUR).first().id
    plan = database()["test_orders"].find({"due_at": {"$lte": NOON}}).explain()
    assert "IXSCAN" in str(plan)


class Walk(RuleBasedStateMachine):
    """Any walk of steps, pauses and waits, beside a model that counts the time by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.order = Order(id=ObjectId(), area="330110", handler="李四")
        ORDERS.begin(self.order, actor=CLERK, at=self.now).save(force_insert=True)
        self.state, self.left, self.before = "open", HOUR, "open"
        self.steps = 1

    @rule(seconds=st.integers(1, 5000))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        if self.state in ("open", "doing"):
            self.left -= timedelta(seconds=seconds)

    @rule(verb=st.sampled_from([way.verb for way in WAYS]))
    def step(self, verb: str) -> None:
        """Try a verb: it works where the model says so, and only once."""
        legal = {
            "open": {"assign": "doing", "pause": "paused"},
            "doing": {"pause": "paused", "close": "closed", "reopen": "open"},
            "paused": {"resume": self.before},
            "closed": {},
        }[self.state]
        if verb not in legal:
            with pytest.raises(IllegalTransition):
                ORDERS.fire(self.order, verb, actor=CLERK, at=self.now)
            return
        stale = self.order
        self.order = ORDERS.fire(self.order, verb, actor=CLERK, at=self.now)
        with pytest.raises(StaleVersion):
            ORDERS.fire(stale, verb, actor=CLERK, at=self.now)
        self.before, self.state = self.state, legal[verb]
        self.steps += 1
        if verb not in ("pause", "resume"):
            self.left = {"open": HOUR, "doing": 2 * HOUR, "closed": timedelta()}[self.state]

    @invariant()
    def the_store_agrees(self) -> None:
        """Compare the stored record with the model."""
        found = Order.objects.get(id=self.order.id)
        assert (found.state, found.version, len(found.timeline)) == (self.state, self.steps, self.steps)
        runs = self.state in ("open", "doing")
        assert found.due_at == (self.now + self.left if runs else None)

    @precondition(lambda self: self.state in ("open", "doing"))
    @rule()
    def overdue_says_so(self) -> None:
        """Expect a record among the overdue when its time by hand is over."""
        late = [each.id for each in ORDERS.overdue(Order, self.now)]
        assert (self.order.id in late) == (self.left <= timedelta())


Walk.TestCase.settings = hypothesis_settings(max_examples=25, stateful_step_count=15, deadline=None)


@pytest.mark.usefixtures("clean")
class TestWalk(Walk.TestCase):
    """Runs the walks."""

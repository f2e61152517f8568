"""A district with templates and a channel of its own, and workers to be run step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend import messages, settings
from backend.events import deliver_due
from backend.jobs import run_worker
from backend.messages import Channel, MessageTemplate, Outgoing, Recipients, send_message
from backend.storage import atomically, database, utcnow
from tests.district import Caller, District

RAISED = MessageTemplate(
    name="test.raised",
    title="新的预警",
    text="{point}发生{kind}，请处理。",
    href="/alerts/{number}",
    fields={"point": "投放点", "kind": "种类", "number": "编号", "reporter": "上报人"},
    list_href="/alerts",
)
QUIET = MessageTemplate(name="test.quiet", title="周报", text="本周报告已生成。", channels=())
FIRE = MessageTemplate(name="test.fire", title="火情", text="{point}起火。", urgent=True)
VALUES = {"point": "阳光花园 1 号投放点", "kind": "满溢", "number": "A/7", "reporter": "王芳"}


@dataclass
class Post:
    """What channels were given, and a way to let the workers work at a chosen time."""

    district: District
    monkeypatch: pytest.MonkeyPatch
    sent: list[Outgoing] = field(default_factory=list)
    fail: Callable[[Outgoing], None] | None = None

    def take(self, outgoing: Outgoing) -> None:
        """Be the channel."""
        if self.fail:
            self.fail(outgoing)
        self.sent.append(outgoing)

    def send(self, to: Recipients | Caller, template: str = "test.raised", **more: Any) -> None:
        """Send a message in a transaction of its own."""
        recipients = to if isinstance(to, Recipients) else Recipients(accounts=(str(to.user.id),))
        atomically(lambda: send_message(template, to=recipients, **{"values": VALUES, **more}))

    def work(self) -> None:
        """Let the workers do all that is due."""
        deliver_due()
        run_worker(["default", "outbound"], burst=True)

    def at(self, moment: datetime) -> None:
        """Let channels think that it is this time, and make what waits for its time due."""
        self.monkeypatch.setattr("backend.messages.carrying.utcnow", lambda: moment)
        self.wake()

    def wake(self) -> None:
        """Make every waiting delivery due."""
        waiting = [{"mine.state": {"$in": ["waiting", "running"]}}]
        past = utcnow() - timedelta(seconds=1)
        database()["events"].update_many(
            {"open": True}, {"$set": {"deliveries.$[mine].due_at": past}}, array_filters=waiting
        )


@pytest.fixture
def post(district: District, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Install the templates and two channels; there are no quiet hours, whatever time the tests run at."""
    settings.configure(replace(district.settings, quiet_hours="none"))
    made = Post(district, monkeypatch)
    lamp = Channel(name="test.lamp", title="警示灯", send=made.take, max_length=18)
    pager = Channel(name="test.pager", title="短信", send=made.take, needs_phone=True, by_default=False)
    messages.install([RAISED, QUIET, FIRE], [lamp, pager])
    return made

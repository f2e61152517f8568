"""Whatever staff, orders and cameras do in whatever order, the rules of an alert's way hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.plugin_api import IllegalTransition, StaleVersion
from backend.storage import utcnow
from plugins.alerts.alerts.handling import move
from plugins.alerts.alerts.models import ALERT_FLOW, Alert, Sighting
from plugins.alerts.intake import slots, taking
from plugins.alerts.intake.seen import Seen
from plugins.alerts.intake.taking import take_in
from tests.alerts.conftest import Vendor
from tests.district import EAST_ONE

VERBS = sorted({way.verb for way in ALERT_FLOW.transitions} - {"merge", "split"})
STEPS = st.lists(st.sampled_from([*VERBS, "seen", "seen", "doubtful", "stale"]), max_size=12)


def check() -> None:
    """Hold all alerts to what is promised of them."""
    for alert in Alert.objects():
        assert (alert.closed_at is not None) == (alert.state == "closed") == (alert.close_seconds is not None)
        assert (alert.due_at is not None) == (alert.state in ("raised", "dispatched"))
        assert alert.state == alert.timeline[-1]["to"]
        assert alert.count == Sighting.objects(alert=alert.id).count()
        assert alert.first_at <= alert.last_at and alert.respond_by <= alert.close_by
        assert any(alert.state in way.sources for way in ALERT_FLOW.transitions)
    assert (
        Alert.objects(state="raised").count() + Alert.objects(state="dispatched").count() <= Sighting.objects().count()
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_random_steps_keep_the_rules(vendor: Vendor, steps: list[str]) -> None:
    for model in (Alert, Sighting):
        model.objects().delete()
    for forget in (slots._hints.clear, taking._recent.clear):
        forget()
    start = utcnow() - timedelta(hours=3)
    for number, step in enumerate(steps):
        alert = Alert.objects().order_by("-id").first()
        if step in ("seen", "doubtful"):
            at = start + timedelta(minutes=9 * number)
            share = 0.9 if step == "seen" else 0.1
            take_in(
                [
                    Seen(
                        source="camera", sender="D1", event_id=f"{number}", code="E02", at=at, received_at=utcnow(),
                        area=f"{EAST_ONE}/C1", point="T1", confidence=share,
                    )
                ]
            )  # fmt: skip
        elif alert is not None and step == "stale":
            before = Alert.objects().get(id=alert.id)
            if alert.state == "raised":
                move(alert, "close", "已清理")
                with pytest.raises(StaleVersion):
                    move(before, "dismiss", "误报")
        elif alert is not None:
            legal = any(way.verb == step and alert.state in way.sources for way in ALERT_FLOW.transitions)
            if legal:
                move(alert, step, "原因")
            else:
                with pytest.raises(IllegalTransition):
                    move(alert, step, "原因")
        check()

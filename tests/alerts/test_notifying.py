"""Whoever handles a kind is told of a grave alert, once, and at night only when it does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from bson import ObjectId

from backend import messages, settings
from backend.events import deliver_due
from backend.jobs import run_worker
from backend.messages import Channel, Outgoing
from backend.storage import LOCAL_ZONE, utcnow
from plugins.alerts.alerts.notifying import RAISED
from tests.alerts.conftest import Vendor
from tests.alerts.test_handling import POINT
from tests.district import EAST_ONE, Caller


@pytest.fixture
def carried(vendor: Vendor) -> Iterator[list[Outgoing]]:
    """Note what goes beside the inbox; it is quiet hours for everybody."""
    found: list[Outgoing] = []
    now = utcnow().astimezone(LOCAL_ZONE)
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    settings.configure(replace(vendor.district.settings, quiet_hours=hours))
    before = messages.templates(), messages.channels()
    messages.install([RAISED], [Channel(name="test.pager", title="短信", send=found.append)])
    yield found
    messages.install(*before)
    settings.configure(vendor.district.settings)


def inbox(person: Caller) -> list[dict[str, str]]:
    for _ in range(3):
        deliver_due()
        run_worker(["default", "outbound"], burst=True)
    return list(person.get("/api/v1/messages")["items"])


def test_a_grave_alert_is_told_to_the_role_of_its_kind_and_the_others_to_nobody(
    vendor: Vendor, carried: list[Outgoing]
) -> None:
    company = vendor.staff.add("property-companies", code="P1", name="一物业", area_code="33101")
    vendor.staff.add("drop-off-points", **POINT, property_company="P1")
    handler = vendor.district.sign_in("property_staff", EAST_ONE, organisation=ObjectId(company["id"]))
    other = vendor.district.sign_in("community_staff", EAST_ONE)
    vendor.sees("E02", point="T2", minutes_ago=50)
    vendor.sees("E12", point="T2", minutes_ago=5, event_id="e1")
    vendor.sees("E12", point="T2", minutes_ago=3)
    vendor.sees("E12", point="T2", minutes_ago=5, event_id="e1")
    [alert] = vendor.alerts(kind="E12")
    [message] = inbox(handler)
    assert message["href"] == f"/alerts/#{alert['id']}"
    assert message["text"].startswith(f"{alert['point_name']} 发现有害垃圾混入（较重），请于")
    assert inbox(other) == []
    assert carried == []


def test_quiet_hours_hold_but_for_what_does_not_wait(vendor: Vendor, carried: list[Outgoing]) -> None:
    # The point has no property company: its community is told.
    handler = vendor.district.sign_in("community_staff", EAST_ONE)
    vendor.sees("E12", minutes_ago=5)
    vendor.sees("E01", minutes_ago=4)
    assert len(inbox(handler)) == 2
    assert ["冒烟冒火" in each.text for each in carried] == [True]


def test_what_waits_for_a_person_is_told_when_it_is_confirmed(vendor: Vendor, carried: list[Outgoing]) -> None:
    handler = vendor.district.sign_in("community_staff", EAST_ONE)
    assert vendor.sees("E12", confidence=0.2) == "unconfirmed"
    assert inbox(handler) == []
    vendor.take(vendor.only_alert(), "confirm")
    assert len(inbox(handler)) == 1

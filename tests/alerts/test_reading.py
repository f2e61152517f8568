"""Whatever a vendor sends is read or refused, never stumbled over; the traps of real platforms are known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.alerts.intake.reading import AHEAD, BACK, NAMES, believed, read_event, read_events, read_time

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from([each for names in NAMES.values() for each in names] + ["events", "params", "data", "Event_ID"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_any_json_is_read_or_refused(body: Any) -> None:
    try:
        vendor, events = read_events(body)
    except ValueError:
        return
    assert len(vendor) <= 32 and events
    for each in events:
        assert 1 <= len(each.event_id) <= 128 and len(each.code) <= 128 and len(each.note) <= 500
        assert each.confidence is None or 0 <= each.confidence <= 1
        assert each.at is None or (each.at.tzinfo == UTC and each.at.microsecond % 1000 == 0)
        assert each.place is None or (abs(each.place[0]) <= 180 and abs(each.place[1]) <= 90)
        "".join([each.event_id, each.code, each.point, each.device, each.note]).encode()


@given(st.dictionaries(KEYS, SCALARS, max_size=6))
def test_the_same_event_is_always_known_by_the_same_number(event: dict[str, Any]) -> None:
    backwards = dict(reversed(list(event.items())))
    if len({key.lower().replace("_", "") for key in event}) == len(event):
        assert read_event(event).event_id == read_event(backwards).event_id


@given(st.datetimes(datetime(2000, 1, 3), datetime(2100, 1, 1)), st.sampled_from([0, 8, -5]))
def test_a_time_is_understood_however_it_is_written(moment: datetime, hours: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    local, shanghai = moment + timedelta(hours=hours), (moment + timedelta(hours=8)).replace(tzinfo=None)
    offset = f"{hours:+03d}:00"
    spelt: list[Any] = [
        f"{local:%Y-%m-%dT%H:%M:%S}.000{offset}",
        f"{local:%Y-%m-%dT %H:%M:%S}{offset}",
        f"{local:%Y/%m/%d %H:%M:%S} {offset}",
        f"{shanghai:%Y-%m-%d %H:%M:%S}",
        f" {moment:%Y-%m-%dT%H:%M:%SZ} ",
        moment.timestamp(),
        moment.timestamp() * 1000,
        str(int(moment.timestamp())),
    ]
    if moment.year >= 1974:  # before, milliseconds look like seconds
        assert [read_time(each) for each in spelt] == [moment] * len(spelt)


@pytest.mark.parametrize(
    "value",
    [
        "1900-01-01T00:00:00.000+08:00",
        "0001-01-01T00:00:00",
        "",
        "T",
        "soon",
        0,
        -5,
        10**30,
        None,
        True,
        [],
        {},
        "9" * 40,
    ],
)
def test_what_can_be_no_time_is_none(value: Any) -> None:
    assert read_time(value) is None


def test_a_clock_is_believed_within_bounds() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for at, doubted in ((now - BACK, False), (now + AHEAD, False), (now - BACK * 2, True), (now + AHEAD * 2, True)):
        assert believed(at, now) == (now if doubted else at, doubted)
    assert believed(None, now) == (now, True)


def test_the_dialects_that_are_met() -> None:
    event = {
        "eventId": "E-1",
        "eventType": 131594,
        "happenTime": "2026-11-22T 08:30:00.000+08:00",
        "srcIndex": "cam-7",
        "srcParentIdex": "x",
        "status": 5,
        "data": {"longitude": "120.1", "latitude": 30.2, "imageUrl": "http://10.0.0.1/1.jpg"},
    }
    for body in (
        {"method": "OnEventNotify", "params": {"ability": "event_rule", "events": [event]}},
        {"method": "OnEventNotify", "params": json.dumps({"events": [event]})},
        {"events": json.dumps([event])},
        [event],
        event,
    ):
        _, [seen] = read_events(body)
        assert (seen.event_id, seen.code, seen.device, seen.late_pictures) == ("E-1", "131594", "cam-7", True)
        assert seen.at == datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
        assert (seen.place, seen.addresses) == ((120.1, 30.2), ("http://10.0.0.1/1.jpg",))


def test_an_event_that_is_no_object_is_known_by_its_hash() -> None:
    _, events = read_events({"events": [7, "text", None, {"event_id": "x" * 500, "code": "E02"}]})
    assert len({each.event_id for each in events}) == 4
    assert [each.code for each in events] == ["", "", "", "E02"]

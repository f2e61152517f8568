"""Round trips to the store: four at most for an event that raises an alert, three for one that is counted or known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend import storage
from plugins.alerts.intake import places
from tests.alerts.conftest import Vendor, ago
from tests.records.test_round_trips import Trips

COMMIT = "commitTransaction"


@pytest.fixture
def trips(vendor: Vendor) -> Iterator[Trips]:
    """Watch the connection of this process."""
    settings, trips = vendor.district.settings, Trips()
    address = (settings.mongodb_url, settings.mongodb_database)
    storage.disconnect()
    storage.connect(*address, event_listeners=[trips])
    yield trips
    storage.disconnect()
    storage.connect(*address)


def test_a_new_alert_is_four_trips_and_one_more_sighting_three(vendor: Vendor, trips: Trips) -> None:
    vendor.sees("E03", minutes_ago=2)  # the catalogue is kept between requests

    def made(code: str, outcome: str, **event: object) -> list[str]:
        places.device_at.known.clear()  # as if the last event of this device was long ago
        trips.sent.clear()
        assert vendor.sees(code, **event) == outcome
        return trips.sent[:]

    # The device with its key, the alerts of this place, all writes in one message, their commit.
    assert made("E02", "raised", event_id="e1") == ["find devices", "find alerts", "bulkWrite", COMMIT]
    assert made("E02", "counted", event_id="e2") == ["find devices", "bulkWrite", COMMIT]
    assert made("E02", "counted", minutes_ago=20) == ["find devices", "bulkWrite", COMMIT]
    assert made("E02", "repeated", event_id="e2") == ["find devices", "find alert_sightings"]
    # What lies before all that is remembered is looked up; what lies after it is not, and is checked with the write.
    assert made("E02", "raised", minutes_ago=200) == ["find devices", "find alerts", "bulkWrite", COMMIT]
    assert len(made("E07", "raised", minutes_ago=100)) == 4
    assert made("E07", "raised", minutes_ago=10) == ["find devices", "bulkWrite", COMMIT]
    assert len(made("unknown", "waiting")) == 3


def test_a_batch_takes_no_more_trips_than_one_event(vendor: Vendor, trips: Trips) -> None:
    vendor.sees("E03")
    places.device_at.known.clear()

    def batch(start: int) -> list[str]:
        trips.sent.clear()
        events = [{"event_id": f"b{n}", "code": "E02", "happened_at": ago(40)} for n in range(start, start + 50)]
        assert vendor.tell(*events).status_code == 202
        return trips.sent[:]

    assert (len(batch(0)), len(batch(50))) == (4, 2)  # the second time the device is known
